/*
 * A completion: something that happens once, and that any number of threads may wait for, before or
 * after. Reset makes it one that has not happened.
 */
#ifndef LIB_SYNC_COMPLETION_H
#define LIB_SYNC_COMPLETION_H

#include <stdbool.h>
#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sync_completion {
    zx_futex_t futex; /* 0, 1: 0 and somebody may be waiting, 2: signaled */
} sync_completion_t;

#define SYNC_COMPLETION_INIT ((sync_completion_t){0})

/* ZX_OK at once if it is signaled; otherwise when it is, or ZX_ERR_TIMED_OUT. */
zx_status_t sync_completion_wait(sync_completion_t *completion, zx_duration_t timeout);
zx_status_t sync_completion_wait_deadline(sync_completion_t *completion, zx_time_t deadline);

/* Lets everybody go on. Signaling it again does nothing. */
void sync_completion_signal(sync_completion_t *completion);

/* The same, but who waits goes on waiting, for `futex`, whose owner becomes `owner` (or nobody). */
void sync_completion_signal_requeue(sync_completion_t *completion, zx_futex_t *futex,
                                    zx_handle_t owner);

/* Has no effect on threads that were let go already. */
void sync_completion_reset(sync_completion_t *completion);

bool sync_completion_signaled(const sync_completion_t *completion);

#ifdef __cplusplus
}
#endif

#endif
