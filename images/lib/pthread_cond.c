/*
 * Condition variables. The futex word counts signals: a waiter notes it before it unlocks the mutex
 * and sleeps only while it has not changed, so no signal in between is missed.
 */
#include "zx_time.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <zircon/errors.h>
#include <zircon/syscalls.h>

/* Words of a pthread_cond_t; musl's pthread_cond_init stores the clock. */
#define WORD(cond)  ((_Atomic int *)&(cond)->__u.__i[0])
#define CLOCK(cond) ((cond)->__u.__i[4])

static int wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, zx_time_t deadline)
{
    int seen = atomic_load(WORD(cond));

    int error = pthread_mutex_unlock(mutex);
    if (error)
        return error;
    zx_status_t status = zx_futex_wait((zx_futex_t *)WORD(cond), seen, ZX_HANDLE_INVALID, deadline);
    error = pthread_mutex_lock(mutex);
    if (error)
        return error;
    return status == ZX_ERR_TIMED_OUT ? ETIMEDOUT : 0;
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    return wait_until(cond, mutex, ZX_TIME_INFINITE);
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *time)
{
    zx_time_t deadline;
    int error = zx_deadline_from(CLOCK(cond), time, &deadline);

    return error ? error : wait_until(cond, mutex, deadline);
}

int pthread_cond_signal(pthread_cond_t *cond)
{
    atomic_fetch_add(WORD(cond), 1);
    zx_futex_wake((zx_futex_t *)WORD(cond), 1);
    return 0;
}

int pthread_cond_broadcast(pthread_cond_t *cond)
{
    atomic_fetch_add(WORD(cond), 1);
    zx_futex_wake((zx_futex_t *)WORD(cond), UINT32_MAX);
    return 0;
}

int pthread_cond_destroy(pthread_cond_t *cond)
{
    (void)cond;
    return 0;
}
