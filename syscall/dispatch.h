/*
 * dispatch.h - how the thread loop enters the system calls.
 */
#ifndef ZVMM_SYSCALL_DISPATCH_H
#define ZVMM_SYSCALL_DISPATCH_H

#include <stdint.h>

#include <zircon/vdso.h>

struct hal_context;
struct thread;

/* Where a vDSO image has its code and its syscall instructions; offsets in the image. */
struct vdso_layout {
    uint32_t constants; /* struct vdso_constants */
    uint32_t code_start, code_end;
    uint32_t num_sites; /* 0: not recorded, any return address in the code is accepted */
    const struct zvmm_vdso_syscall *sites; /* borrowed */
};

/* Tells the dispatcher which return addresses are legal. Called once, before user code runs. */
void syscall_set_vdso(const struct vdso_layout *layout);

/* Runs the system call in the registers of a thread's context, and returns its result. A call that
 * leaves something for the thread loop to do has called hal_context_stop. */
int64_t syscall_handle(struct hal_context *context);
/* The rest of a call that has: the thread may be blocked or killed. Otherwise the HAL puts the
 * result into rax. */
void syscall_finish(struct thread *thread, int64_t result);

/* "channel_read"; "unknown" if there is no such number. */
const char *syscall_name(uint32_t number);
/* One more than the largest number. */
uint32_t syscall_count(void);

#endif
