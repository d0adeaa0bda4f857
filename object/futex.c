/*
 * futex.c - futexes.
 */
#include "futex.h"

#include <zircon/errors.h>

#include "format.h"
#include "heap.h"
#include "process.h"
#include "string.h"
#include "thread.h"

#define FIRST_BUCKETS 16u /* a power of two, like every later number */

LIST_HEAD(futex_bucket, futex);

struct futex_table {
    struct futex_bucket *buckets;
    uint32_t num_buckets;
    uint32_t count;
};

/* ---- The table ----------------------------------------------------------------------------- */

static struct futex_bucket *bucket_of(const struct futex_table *table, zx_vaddr_t address)
{
    uint64_t hash = (address >> 2) * 0x9e3779b97f4a7c15ull;

    return &table->buckets[(hash >> 32) & (table->num_buckets - 1)];
}

static zx_status_t make_table(struct process *process)
{
    struct futex_table *table = heap_alloc(sizeof *table);
    struct futex_bucket *buckets = heap_zalloc(FIRST_BUCKETS * sizeof *buckets);

    if (!table || !buckets) {
        heap_free(table);
        heap_free(buckets);
        return ZX_ERR_NO_MEMORY;
    }
    *table = (struct futex_table){.buckets = buckets, .num_buckets = FIRST_BUCKETS};
    process->futexes = table;
    return ZX_OK;
}

/* Without memory for more buckets the chains just get longer. */
static void grow_table(struct futex_table *table)
{
    struct futex_table bigger = {.num_buckets = table->num_buckets * 2, .count = table->count};
    struct futex *futex;

    bigger.buckets = heap_zalloc(bigger.num_buckets * sizeof *bigger.buckets);
    if (!bigger.buckets)
        return;
    for (uint32_t i = 0; i < table->num_buckets; i++) {
        while ((futex = LIST_FIRST(&table->buckets[i]))) {
            LIST_REMOVE(futex, link);
            LIST_INSERT_HEAD(bucket_of(&bigger, futex->address), futex, link);
        }
    }
    heap_free(table->buckets);
    *table = bigger;
}

struct futex *futex_find(const struct process *process, zx_vaddr_t address)
{
    struct futex *futex;

    if (!process->futexes)
        return NULL;
    LIST_FOREACH (futex, bucket_of(process->futexes, address), link) {
        if (futex->address == address)
            return futex;
    }
    return NULL;
}

/* Finds the futex or makes one without waiters; the caller adds one at once. */
static zx_status_t find_or_make(struct process *process, zx_vaddr_t address, struct futex **out)
{
    struct futex *futex = futex_find(process, address);
    struct futex_table *table;

    *out = futex;
    if (futex)
        return ZX_OK;
    if (!process->futexes && make_table(process) != ZX_OK)
        return ZX_ERR_NO_MEMORY;
    table = process->futexes;
    futex = heap_alloc(sizeof *futex);
    if (!futex)
        return ZX_ERR_NO_MEMORY;
    *futex = (struct futex){.table = table, .address = address};
    TAILQ_INIT(&futex->waiters);
    if (table->count >= table->num_buckets)
        grow_table(table);
    LIST_INSERT_HEAD(bucket_of(table, address), futex, link);
    table->count++;
    *out = futex;
    return ZX_OK;
}

static void free_if_unused(struct futex *futex)
{
    if (futex->num_waiters)
        return;
    futex_set_owner(futex, NULL);
    LIST_REMOVE(futex, link);
    futex->table->count--;
    heap_free(futex);
}

/* ---- Owners -------------------------------------------------------------------------------- */

void futex_set_owner(struct futex *futex, struct thread *owner)
{
    if (futex->owner) {
        *futex->prev_owned = futex->next_owned;
        if (futex->next_owned)
            futex->next_owned->prev_owned = futex->prev_owned;
    }
    futex->owner = owner;
    if (!owner)
        return;
    futex->next_owned = owner->owned_futexes;
    futex->prev_owned = &owner->owned_futexes;
    if (futex->next_owned)
        futex->next_owned->prev_owned = &futex->next_owned;
    owner->owned_futexes = futex;
}

void futex_thread_exit(struct thread *thread)
{
    while (thread->owned_futexes)
        futex_set_owner(thread->owned_futexes, NULL);
}

/* ---- Waiters ------------------------------------------------------------------------------- */

static void add_waiter(struct futex *futex, struct thread *thread)
{
    thread->wait.u.futex.futex = futex;
    TAILQ_INSERT_TAIL(&futex->waiters, thread, wait.u.futex.link);
    futex->num_waiters++;
}

static void remove_waiter(struct futex *futex, struct thread *thread)
{
    TAILQ_REMOVE(&futex->waiters, thread, wait.u.futex.link);
    futex->num_waiters--;
}

zx_status_t futex_start_waiting(struct thread *thread, zx_vaddr_t address, struct thread *owner)
{
    struct futex *futex;
    zx_status_t status = find_or_make(thread->process, address, &futex);

    if (status != ZX_OK)
        return status;
    add_waiter(futex, thread);
    futex_set_owner(futex, owner);
    return ZX_OK;
}

void futex_stop_waiting(struct thread *thread)
{
    struct futex *futex = thread->wait.u.futex.futex;

    thread->wait.u.futex.futex = NULL;
    remove_waiter(futex, thread);
    free_if_unused(futex);
}

void futex_wake(struct futex *futex, uint32_t count, bool single_owner)
{
    uint32_t n = count < futex->num_waiters ? count : futex->num_waiters;
    bool others = n < futex->num_waiters;

    /* Each wait_end takes a waiter off, and the last one frees the futex. */
    futex_set_owner(futex, NULL);
    while (n-- > 0) {
        struct thread *thread = TAILQ_FIRST(&futex->waiters);

        if (n == 0 && single_owner && others)
            futex_set_owner(futex, thread);
        wait_end(thread, ZX_OK);
    }
}

zx_status_t futex_wake_and_requeue(struct futex *from, uint32_t wake_count, bool single_owner,
                                   uint32_t move_count, zx_vaddr_t address, struct thread *owner,
                                   struct process *process)
{
    uint32_t staying = 0, n;
    struct futex *to;
    struct thread *thread;
    zx_status_t status;

    if (from && from->num_waiters > wake_count)
        staying = from->num_waiters - wake_count;
    n = move_count < staying ? move_count : staying;
    if (n) {
        status = find_or_make(process, address, &to);
        if (status != ZX_OK)
            return status;
    } else {
        to = futex_find(process, address);
    }
    if (from)
        futex_wake(from, wake_count, single_owner);
    for (uint32_t i = 0; i < n; i++) {
        thread = TAILQ_FIRST(&from->waiters);
        remove_waiter(from, thread);
        add_waiter(to, thread);
    }
    if (n)
        free_if_unused(from);
    if (to)
        futex_set_owner(to, owner);
    return ZX_OK;
}

void futex_process_exit(struct process *process)
{
    struct futex_table *table = process->futexes;

    if (!table)
        return;
    assert(table->count == 0);
    heap_free(table->buckets);
    heap_free(table);
    process->futexes = NULL;
}
