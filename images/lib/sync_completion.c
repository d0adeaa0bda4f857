/*
 * sync_completion_t.
 */
#include <lib/sync/completion.h>

#include <stdatomic.h>
#include <zircon/errors.h>
#include <zircon/syscalls.h>

enum { UNSIGNALED, AWAITED, SIGNALED };

static _Atomic zx_futex_t *word_of(const sync_completion_t *completion)
{
    return (_Atomic zx_futex_t *)&completion->futex;
}

zx_status_t sync_completion_wait_deadline(sync_completion_t *completion, zx_time_t deadline)
{
    for (;;) {
        zx_futex_t seen = UNSIGNALED;

        atomic_compare_exchange_strong(word_of(completion), &seen, AWAITED);
        if (seen == SIGNALED)
            return ZX_OK;
        zx_status_t status =
            zx_futex_wait(&completion->futex, AWAITED, ZX_HANDLE_INVALID, deadline);
        /* Woken is woken, though it may have been reset meanwhile. */
        if (status != ZX_ERR_BAD_STATE)
            return status;
    }
}

zx_status_t sync_completion_wait(sync_completion_t *completion, zx_duration_t timeout)
{
    return sync_completion_wait_deadline(completion, zx_deadline_after(timeout));
}

void sync_completion_signal(sync_completion_t *completion)
{
    if (atomic_exchange(word_of(completion), SIGNALED) == AWAITED)
        zx_futex_wake(&completion->futex, UINT32_MAX);
}

void sync_completion_signal_requeue(sync_completion_t *completion, zx_futex_t *futex,
                                    zx_handle_t owner)
{
    if (atomic_exchange(word_of(completion), SIGNALED) == AWAITED)
        zx_futex_requeue(&completion->futex, 0, SIGNALED, futex, UINT32_MAX, owner);
}

void sync_completion_reset(sync_completion_t *completion)
{
    zx_futex_t seen = SIGNALED;

    atomic_compare_exchange_strong(word_of(completion), &seen, UNSIGNALED);
}

bool sync_completion_signaled(const sync_completion_t *completion)
{
    return atomic_load(word_of(completion)) == SIGNALED;
}
