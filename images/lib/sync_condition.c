/*
 * sync_condition_t. A waiter notes the count of signals before it unlocks the mutex and sleeps only
 * while it has not changed, so no signal in between is missed.
 */
#include <lib/sync/condition.h>

#include <stdatomic.h>
#include <zircon/errors.h>
#include <zircon/syscalls.h>

static _Atomic zx_futex_t *word_of(sync_condition_t *condition)
{
    return (_Atomic zx_futex_t *)&condition->futex;
}

zx_status_t sync_condition_timedwait(sync_condition_t *condition, sync_mutex_t *mutex,
                                     zx_time_t deadline)
{
    zx_futex_t seen = atomic_load(word_of(condition));

    sync_mutex_unlock(mutex);
    zx_status_t status = zx_futex_wait(&condition->futex, seen, ZX_HANDLE_INVALID, deadline);
    sync_mutex_lock(mutex);
    return status == ZX_ERR_TIMED_OUT ? ZX_ERR_TIMED_OUT : ZX_OK;
}

void sync_condition_wait(sync_condition_t *condition, sync_mutex_t *mutex)
{
    sync_condition_timedwait(condition, mutex, ZX_TIME_INFINITE);
}

static void wake(sync_condition_t *condition, uint32_t count)
{
    atomic_fetch_add(word_of(condition), 1);
    zx_futex_wake(&condition->futex, count);
}

void sync_condition_signal(sync_condition_t *condition)
{
    wake(condition, 1);
}

void sync_condition_broadcast(sync_condition_t *condition)
{
    wake(condition, UINT32_MAX);
}
