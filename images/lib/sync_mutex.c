/*
 * sync_mutex_t. The word holds the owner's handle, whose two low bits are always set; a cleared bit
 * 0 says that somebody may be waiting.
 */
#include <lib/sync/mutex.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <zircon/errors.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#define FREE      0
#define CONTESTED 1 /* when clear */

static _Atomic zx_futex_t *word_of(sync_mutex_t *mutex)
{
    return (_Atomic zx_futex_t *)&mutex->futex;
}

zx_status_t sync_mutex_trylock(sync_mutex_t *mutex)
{
    zx_futex_t expected = FREE;

    return atomic_compare_exchange_strong(word_of(mutex), &expected, (zx_futex_t)zx_thread_self())
               ? ZX_OK
               : ZX_ERR_BAD_STATE;
}

zx_status_t sync_mutex_timedlock(sync_mutex_t *mutex, zx_time_t deadline)
{
    _Atomic zx_futex_t *word = word_of(mutex);
    zx_futex_t self = (zx_futex_t)zx_thread_self(), seen = FREE;

    if (atomic_compare_exchange_strong(word, &seen, self))
        return ZX_OK;
    for (;;) {
        /* Having waited, this thread cannot know whether others still do. */
        if (seen == FREE) {
            if (atomic_compare_exchange_strong(word, &seen, self & ~CONTESTED))
                return ZX_OK;
            continue;
        }
        zx_futex_t contested = seen & ~CONTESTED;
        if (seen != contested && !atomic_compare_exchange_strong(word, &seen, contested))
            continue;
        if (zx_futex_wait(&mutex->futex, contested, (zx_handle_t)(contested | CONTESTED),
                          deadline) == ZX_ERR_TIMED_OUT)
            return ZX_ERR_TIMED_OUT;
        seen = atomic_load(word);
    }
}

void sync_mutex_lock(sync_mutex_t *mutex)
{
    sync_mutex_timedlock(mutex, ZX_TIME_INFINITE);
}

void sync_mutex_unlock(sync_mutex_t *mutex)
{
    zx_futex_t seen = atomic_exchange(word_of(mutex), FREE);

    if (!(seen & CONTESTED))
        zx_futex_wake_single_owner(&mutex->futex);
}
