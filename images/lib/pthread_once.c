/*
 * Running something once: the word is NEW, RUNNING, WAITED (running, and somebody sleeps) or DONE.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>
#include <zircon/syscalls.h>

enum { NEW, RUNNING, WAITED, DONE };

int pthread_once(pthread_once_t *once, void (*function)(void))
{
    _Atomic int *word = (_Atomic int *)once;
    int seen = NEW;

    if (atomic_compare_exchange_strong(word, &seen, RUNNING)) {
        function();
        if (atomic_exchange(word, DONE) == WAITED)
            zx_futex_wake((zx_futex_t *)once, UINT32_MAX);
        return 0;
    }
    while (seen != DONE) {
        if (seen == WAITED || atomic_compare_exchange_strong(word, &seen, WAITED))
            zx_futex_wait((zx_futex_t *)once, WAITED, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
        seen = atomic_load(word);
    }
    return 0;
}

void call_once(once_flag *once, void (*function)(void))
{
    pthread_once(once, function);
}
