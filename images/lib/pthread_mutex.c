/*
 * Mutexes over a futex word that is FREE, TAKEN, or CONTENDED: taken, and somebody may sleep on it.
 */
#include "thread.h"
#include "zx_time.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <zircon/errors.h>
#include <zircon/syscalls.h>

enum { FREE, TAKEN, CONTENDED };

/* Words of a pthread_mutex_t. musl's pthread_mutex_init puts the attributes into the first. */
#define TYPE(mutex)  ((mutex)->__u.__i[0] & 3)
#define WORD(mutex)  ((_Atomic int *)&(mutex)->__u.__i[1])
#define OWNER(mutex) ((_Atomic int *)&(mutex)->__u.__i[2])
#define COUNT(mutex) ((mutex)->__u.__i[3]) /* how often a recursive mutex was taken beyond once */

/* What a mutex of another type than normal has to say when its owner locks it again. */
static int lock_again(pthread_mutex_t *mutex, int error)
{
    if (TYPE(mutex) == PTHREAD_MUTEX_ERRORCHECK)
        return error;
    if (COUNT(mutex) == INT32_MAX)
        return EAGAIN;
    COUNT(mutex)++;
    return 0;
}

static bool is_owner(pthread_mutex_t *mutex)
{
    return TYPE(mutex) != PTHREAD_MUTEX_NORMAL &&
           atomic_load_explicit(OWNER(mutex), memory_order_relaxed) == thread_self()->tid;
}

static int lock_until(pthread_mutex_t *mutex, zx_time_t deadline)
{
    int expected = FREE;

    if (!atomic_compare_exchange_strong(WORD(mutex), &expected, TAKEN)) {
        while (atomic_exchange(WORD(mutex), CONTENDED) != FREE) {
            if (zx_futex_wait((zx_futex_t *)WORD(mutex), CONTENDED, ZX_HANDLE_INVALID, deadline) ==
                ZX_ERR_TIMED_OUT)
                return ETIMEDOUT;
        }
    }
    if (TYPE(mutex) != PTHREAD_MUTEX_NORMAL)
        atomic_store_explicit(OWNER(mutex), thread_self()->tid, memory_order_relaxed);
    return 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    return is_owner(mutex) ? lock_again(mutex, EDEADLK) : lock_until(mutex, ZX_TIME_INFINITE);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *time)
{
    zx_time_t deadline;

    if (is_owner(mutex))
        return lock_again(mutex, EDEADLK);
    int error = zx_deadline_from(CLOCK_REALTIME, time, &deadline);
    return error ? error : lock_until(mutex, deadline);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    int expected = FREE;

    if (is_owner(mutex))
        return lock_again(mutex, EBUSY);
    if (!atomic_compare_exchange_strong(WORD(mutex), &expected, TAKEN))
        return EBUSY;
    if (TYPE(mutex) != PTHREAD_MUTEX_NORMAL)
        atomic_store_explicit(OWNER(mutex), thread_self()->tid, memory_order_relaxed);
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (TYPE(mutex) != PTHREAD_MUTEX_NORMAL) {
        if (!is_owner(mutex))
            return EPERM;
        if (COUNT(mutex) > 0) {
            COUNT(mutex)--;
            return 0;
        }
        atomic_store_explicit(OWNER(mutex), 0, memory_order_relaxed);
    }
    if (atomic_exchange(WORD(mutex), FREE) == CONTENDED)
        zx_futex_wake((zx_futex_t *)WORD(mutex), 1);
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return atomic_load(WORD(mutex)) == FREE ? 0 : EBUSY;
}
