/*
 * thread_state.h - the registers of a stopped thread in ABI form.
 */
#ifndef ZVMM_OBJECT_THREAD_STATE_H
#define ZVMM_OBJECT_THREAD_STATE_H

#include <zircon/thread-state.h>

struct thread;

/* A record of any kind. */
union thread_registers {
    zx_thread_state_general_regs_t general;
    zx_thread_state_fp_regs_t fp;
    zx_thread_state_vector_regs_t vector;
    zx_thread_state_debug_regs_t debug;
    zx_thread_state_single_step_t single_step;
};

/* Bytes of the record of `kind` (ZX_THREAD_STATE_*); 0: there is no such kind. */
size_t thread_state_size(uint32_t kind);

/* Precondition of both: such a kind exists, the thread is stopped. ZX_ERR_NOT_SUPPORTED: the
 * machine has no such registers. */
zx_status_t thread_state_read(struct thread *thread, uint32_t kind, union thread_registers *out);
/* ZX_ERR_INVALID_ARGS: a value that user code must not have; nothing has changed. Bits that are not
 * user code's to set keep their values. */
zx_status_t thread_state_write(struct thread *thread, uint32_t kind,
                               const union thread_registers *in);

#endif
