/*
 * dispatch.h - how the thread loop enters the system calls.
 */
#ifndef ZVMM_SYSCALL_DISPATCH_H
#define ZVMM_SYSCALL_DISPATCH_H

#include <stdint.h>

#include <zircon/vdso.h>

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

/* Runs the system call in `thread`'s registers. Afterwards the thread may be blocked or killed. */
void syscall_dispatch(struct thread *thread);

/* "channel_read"; "unknown" if there is no such number. */
const char *syscall_name(uint32_t number);

#endif
