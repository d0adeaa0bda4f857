/*
 * Semaphores: the first word is the value, the second the number of threads that may sleep on it.
 */
#include "zx_time.h"

#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <zircon/errors.h>
#include <zircon/syscalls.h>

#define VALUE(sem)   ((_Atomic int *)&(sem)->__val[0])
#define WAITERS(sem) ((_Atomic int *)&(sem)->__val[1])

int sem_post(sem_t *sem)
{
    int seen = atomic_load(VALUE(sem));

    do {
        if (seen == SEM_VALUE_MAX) {
            errno = EOVERFLOW;
            return -1;
        }
    } while (!atomic_compare_exchange_weak(VALUE(sem), &seen, seen + 1));
    if (atomic_load(WAITERS(sem)) > 0)
        zx_futex_wake((zx_futex_t *)VALUE(sem), 1);
    return 0;
}

int sem_trywait(sem_t *sem)
{
    int seen = atomic_load(VALUE(sem));

    do {
        if (seen == 0) {
            errno = EAGAIN;
            return -1;
        }
    } while (!atomic_compare_exchange_weak(VALUE(sem), &seen, seen - 1));
    return 0;
}

static int wait_until(sem_t *sem, zx_time_t deadline)
{
    while (sem_trywait(sem) != 0) {
        atomic_fetch_add(WAITERS(sem), 1);
        zx_status_t status =
            zx_futex_wait((zx_futex_t *)VALUE(sem), 0, ZX_HANDLE_INVALID, deadline);
        atomic_fetch_sub(WAITERS(sem), 1);
        if (status == ZX_ERR_TIMED_OUT) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
    return 0;
}

int sem_wait(sem_t *sem)
{
    return wait_until(sem, ZX_TIME_INFINITE);
}

int sem_timedwait(sem_t *sem, const struct timespec *time)
{
    zx_time_t deadline;
    int error = zx_deadline_from(CLOCK_REALTIME, time, &deadline);

    if (error) {
        errno = error;
        return -1;
    }
    return wait_until(sem, deadline);
}
