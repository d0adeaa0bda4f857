/*
 * A mutex of one futex word that works without a C library: no type, no error codes, not recursive.
 * Who waits for it tells the kernel who holds it.
 */
#ifndef LIB_SYNC_MUTEX_H
#define LIB_SYNC_MUTEX_H

#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 0, or the handle of the thread that holds it; with bit 0 cleared if others may be waiting. */
typedef struct sync_mutex {
    zx_futex_t futex;
} sync_mutex_t;

#define SYNC_MUTEX_INIT ((sync_mutex_t){0})

void sync_mutex_lock(sync_mutex_t *mutex);

/* ZX_OK or ZX_ERR_TIMED_OUT. */
zx_status_t sync_mutex_timedlock(sync_mutex_t *mutex, zx_time_t deadline);

/* ZX_OK or ZX_ERR_BAD_STATE: it is held. */
zx_status_t sync_mutex_trylock(sync_mutex_t *mutex);

void sync_mutex_unlock(sync_mutex_t *mutex);

#ifdef __cplusplus
}
#endif

#endif
