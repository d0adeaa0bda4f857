/*
 * The locks that musl uses inside itself, over futexes: a plain lock, and the lock of a stream,
 * which its owner may take again.
 */
#include "musl.h"
#include "thread.h"

#include <stdatomic.h>
#include <zircon/syscalls.h>

enum { FREE, TAKEN, CONTENDED };

/* With one thread there is nobody to lock out; need_locks is set before a second one exists. */
void __lock(volatile int *lock)
{
    _Atomic int *word = (_Atomic int *)lock;
    int expected = FREE;

    if (!__libc.need_locks || atomic_compare_exchange_strong(word, &expected, TAKEN))
        return;
    while (atomic_exchange(word, CONTENDED) != FREE)
        zx_futex_wait((const zx_futex_t *)lock, CONTENDED, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
}

void __unlock(volatile int *lock)
{
    if (atomic_exchange((_Atomic int *)lock, FREE) == CONTENDED)
        zx_futex_wake((const zx_futex_t *)lock, 1);
}

/* Returns whether the caller has to unlock: 0 if it owned the lock before. */
int __lockfile(struct musl_file *file)
{
    _Atomic int *word = (_Atomic int *)&file->lock;
    int tid = thread_self()->tid;
    int seen = 0;

    if ((*word & ~MUSL_LOCK_WAITERS) == tid)
        return 0;
    if (atomic_compare_exchange_strong(word, &seen, tid))
        return 1;
    for (;;) {
        int mine = tid | MUSL_LOCK_WAITERS; /* others may wait as well */
        seen = 0;
        if (atomic_compare_exchange_strong(word, &seen, mine))
            return 1;
        int waited = seen | MUSL_LOCK_WAITERS;
        if (seen == waited || atomic_compare_exchange_strong(word, &seen, waited))
            zx_futex_wait((const zx_futex_t *)word, waited, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    }
}

void __unlockfile(struct musl_file *file)
{
    _Atomic int *word = (_Atomic int *)&file->lock;

    if (atomic_exchange(word, 0) & MUSL_LOCK_WAITERS)
        zx_futex_wake((const zx_futex_t *)word, 1);
}
