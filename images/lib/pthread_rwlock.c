/*
 * Readers-writer locks: the word is the number of readers, or WRITER. Who cannot enter counts
 * itself among the waiters and sleeps until the word changes; the last to leave wakes everybody.
 */
#include "zx_time.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <zircon/errors.h>
#include <zircon/syscalls.h>

#define WRITER 0x7fffffff

#define WORD(lock)    ((_Atomic int *)&(lock)->__u.__i[0])
#define WAITERS(lock) ((_Atomic int *)&(lock)->__u.__i[1])

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    int seen = atomic_load(WORD(lock));

    do {
        if (seen >= WRITER - 1)
            return seen == WRITER ? EBUSY : EAGAIN;
    } while (!atomic_compare_exchange_weak(WORD(lock), &seen, seen + 1));
    return 0;
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    int expected = 0;

    return atomic_compare_exchange_strong(WORD(lock), &expected, WRITER) ? 0 : EBUSY;
}

static int lock_until(pthread_rwlock_t *lock, int (*try_lock)(pthread_rwlock_t *),
                      zx_time_t deadline)
{
    int error;

    while ((error = try_lock(lock)) == EBUSY) {
        atomic_fetch_add(WAITERS(lock), 1);
        int seen = atomic_load(WORD(lock));
        zx_status_t status = ZX_OK;
        if (seen != 0 && (seen == WRITER || try_lock == pthread_rwlock_trywrlock))
            status = zx_futex_wait((zx_futex_t *)WORD(lock), seen, ZX_HANDLE_INVALID, deadline);
        atomic_fetch_sub(WAITERS(lock), 1);
        if (status == ZX_ERR_TIMED_OUT)
            return ETIMEDOUT;
    }
    return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    return lock_until(lock, pthread_rwlock_tryrdlock, ZX_TIME_INFINITE);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    return lock_until(lock, pthread_rwlock_trywrlock, ZX_TIME_INFINITE);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *time)
{
    zx_time_t deadline;
    int error = zx_deadline_from(CLOCK_REALTIME, time, &deadline);

    return error ? error : lock_until(lock, pthread_rwlock_tryrdlock, deadline);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *time)
{
    zx_time_t deadline;
    int error = zx_deadline_from(CLOCK_REALTIME, time, &deadline);

    return error ? error : lock_until(lock, pthread_rwlock_trywrlock, deadline);
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    int seen = atomic_load(WORD(lock)), next;

    do
        next = seen == WRITER ? 0 : seen - 1;
    while (!atomic_compare_exchange_weak(WORD(lock), &seen, next));
    if (atomic_load(WAITERS(lock)) > 0)
        zx_futex_wake((zx_futex_t *)WORD(lock), UINT32_MAX);
    return 0;
}
