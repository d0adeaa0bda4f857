/*
 * Barriers. One atomic word holds a round, on which threads sleep, and how many have arrived in it;
 * a second one counts the threads that are inside, so that a barrier can be destroyed as soon as
 * one thread has come through.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <zircon/syscalls.h>

#define STATE(barrier)  ((_Atomic uint64_t *)&(barrier)->__u.__i[0]) /* round << 32 | arrived */
#define ROUND(barrier)  ((zx_futex_t *)&(barrier)->__u.__i[1])       /* its upper half */
#define INSIDE(barrier) ((_Atomic zx_futex_t *)&(barrier)->__u.__i[2])
#define LIMIT(barrier)  ((barrier)->__u.__i[3])

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attributes,
                         unsigned count)
{
    (void)attributes;
    if (count == 0 || count > INT_MAX)
        return EINVAL;
    memset(barrier, 0, sizeof(*barrier));
    LIMIT(barrier) = (int)count;
    return 0;
}

/* The last one to arrive opens the next round. */
static uint64_t next_state(uint64_t state, uint32_t limit)
{
    return (uint32_t)state + 1 == limit ? ((state >> 32) + 1) << 32 : state + 1;
}

static void leave(pthread_barrier_t *barrier)
{
    if (atomic_fetch_sub(INSIDE(barrier), 1) == 1)
        zx_futex_wake((zx_futex_t *)INSIDE(barrier), UINT32_MAX);
}

int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    uint32_t limit = (uint32_t)LIMIT(barrier);
    uint64_t state = atomic_load(STATE(barrier)), next;

    atomic_fetch_add(INSIDE(barrier), 1);
    do
        next = next_state(state, limit);
    while (!atomic_compare_exchange_weak(STATE(barrier), &state, next));
    if (next >> 32 != state >> 32) {
        zx_futex_wake(ROUND(barrier), UINT32_MAX);
        leave(barrier);
        return PTHREAD_BARRIER_SERIAL_THREAD;
    }
    while (atomic_load(STATE(barrier)) >> 32 == state >> 32)
        zx_futex_wait(ROUND(barrier), (zx_futex_t)(state >> 32), ZX_HANDLE_INVALID,
                      ZX_TIME_INFINITE);
    leave(barrier);
    return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    zx_futex_t inside;

    if ((uint32_t)atomic_load(STATE(barrier)) != 0)
        return EBUSY; /* threads wait for others that will not come */
    while ((inside = atomic_load(INSIDE(barrier))) != 0)
        zx_futex_wait((zx_futex_t *)INSIDE(barrier), inside, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    return 0;
}
