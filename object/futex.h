/*
 * futex.h - futexes: waiting for an address.
 *
 * A futex exists while a thread waits on its address: the first waiter makes it, the last to leave
 * frees it, and with it goes the owner. The table is the process's own, so the address is the key.
 * An owner is a thread of the process that user code says holds the lock; the kernel keeps it only
 * to answer zx_futex_get_owner and drops it when the thread exits.
 */
#ifndef ZVMM_OBJECT_FUTEX_H
#define ZVMM_OBJECT_FUTEX_H

#include "object.h"

struct process;
struct thread;

TAILQ_HEAD(futex_waiters, thread);

struct futex {
    LIST_ENTRY(futex) link; /* in its bucket */
    struct futex_table *table;
    zx_vaddr_t address;
    struct futex_waiters waiters; /* first in, first out; never empty between calls */
    uint32_t num_waiters;
    struct thread *owner;                   /* not referenced: it gives the futex up when it dies */
    struct futex *next_owned, **prev_owned; /* in owner->owned_futexes */
};

/* The futex at `address`; NULL: nobody waits there. */
struct futex *futex_find(const struct process *process, zx_vaddr_t address);

/*
 * Registers the calling thread as the last waiter at `address`, in wait.u.futex, and makes `owner`
 * (may be NULL) the futex's owner. ZX_ERR_NO_MEMORY.
 */
zx_status_t futex_start_waiting(struct thread *thread, zx_vaddr_t address, struct thread *owner);
/* Takes a waiter off its futex, whichever that is by now. */
void futex_stop_waiting(struct thread *thread);

void futex_set_owner(struct futex *futex, struct thread *owner);

/*
 * Wakes up to `count` waiters in the order of their coming. The futex loses its owner, or, with
 * `single_owner`, belongs to the last one woken if others go on waiting. `futex` may be gone
 * afterwards.
 */
void futex_wake(struct futex *futex, uint32_t count, bool single_owner);

/*
 * futex_wake on `from` (NULL: nobody waits there), then moves up to `move_count` of those that go
 * on waiting to the futex at `address`, which, if anybody waits there, belongs to `owner` from now
 * on. ZX_ERR_NO_MEMORY: nothing has happened. `from` may be gone afterwards.
 */
zx_status_t futex_wake_and_requeue(struct futex *from, uint32_t wake_count, bool single_owner,
                                   uint32_t move_count, zx_vaddr_t address, struct thread *owner,
                                   struct process *process);

/* The dying thread owns nothing any more. Precondition: it does not wait. */
void futex_thread_exit(struct thread *thread);
/* Frees the table. Precondition: no thread of the process is left. */
void futex_process_exit(struct process *process);

#endif
