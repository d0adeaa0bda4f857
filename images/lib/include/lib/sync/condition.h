/*
 * A condition variable of one futex word, used with a sync_mutex_t. Waits may end without a reason:
 * look at the condition again.
 */
#ifndef LIB_SYNC_CONDITION_H
#define LIB_SYNC_CONDITION_H

#include <lib/sync/mutex.h>
#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sync_condition {
    zx_futex_t futex; /* counts signals */
} sync_condition_t;

#define SYNC_CONDITION_INIT ((sync_condition_t){0})

/* The caller holds the mutex, and does so again afterwards. */
void sync_condition_wait(sync_condition_t *condition, sync_mutex_t *mutex);

/* ZX_OK or ZX_ERR_TIMED_OUT. */
zx_status_t sync_condition_timedwait(sync_condition_t *condition, sync_mutex_t *mutex,
                                     zx_time_t deadline);

void sync_condition_signal(sync_condition_t *condition);
void sync_condition_broadcast(sync_condition_t *condition);

#ifdef __cplusplus
}
#endif

#endif
