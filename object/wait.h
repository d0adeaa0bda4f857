/*
 * wait.h - how a thread blocks: one record, one end. wait.pml is a model of it.
 *
 * A blocked thread has no kernel stack. What it waits for is data in its wait record, and every
 * blocking call is three short functions and a row (struct wait_kind):
 *
 *   try     the syscall checks its arguments and answers at once if it can;
 *   block   it fills thread->wait.u, links it to what is waited on and, as its last statement,
 *           calls wait_begin; the syscall's return value no longer matters;
 *   finish  when the thread is scheduled again, in its own address space, kind->finish turns the
 *           result into the call's return value and copies results out. It may begin another wait.
 *
 * wait_end is the only way out: wake, deadline, kill, suspend and object death all call it, the
 * first caller wins, and in the same critical section the record is taken off every queue. Deadlines
 * are absolute. The observed result is stored by the waker (snapshot at wake); finish never looks at
 * the object again.
 */
#ifndef ZVMM_OBJECT_WAIT_H
#define ZVMM_OBJECT_WAIT_H

#include <zircon/port.h>

#include "object.h"
#include "timerq.h"
#include "usercopy.h"

struct thread;
struct port;
struct futex;
struct interrupt;
struct page_source;
struct channel;
struct channel_message;

struct wait_kind {
    const char *name;    /* the syscall's, or a word for other reasons to stop */
    uint32_t info_state; /* ZX_THREAD_STATE_BLOCKED_* for zx_object_get_info */
    /* Takes the record off every queue and drops its references, except those finish needs.
     * wait.result holds the status already. */
    void (*unlink)(struct thread *thread);
    /* Returns the syscall's result; absent: the status itself. Runs after every wait, also that of
     * a killed thread, so it may own what the waker granted. */
    int64_t (*finish)(struct thread *thread, zx_status_t status);
    /* One phrase for people: "port 1042". */
    void (*describe)(const struct thread *thread, char *text, size_t size);
    bool not_interruptible; /* a suspend leaves it alone (exceptions, the suspension itself) */
    bool restarts;          /* no result: the thread executes its syscall or instruction again */
};

/* One object of zx_object_wait_many. */
struct wait_item {
    struct observer observer;
    struct thread *thread;
    zx_signals_t pending; /* snapshot at wake */
};

struct wait {
    const struct wait_kind *kind; /* NULL: not waiting */
    zx_status_t result;           /* valid when ended */
    bool ended;                   /* the thread is in a run queue, finish is still to come */
    bool timed;                   /* it has a deadline: `timer` is used */
    bool no_pages; /* the thread is where it cannot start over: pages that must be asked for cannot
                      be had */
    union {
        struct { /* object_wait_one */
            struct observer observer;
            zx_signals_t observed;
            struct user_ptr out;
        } one;
        struct { /* object_wait_many */
            struct wait_item *items;
            struct user_ptr user_items;
            uint32_t count;
        } many;
        struct { /* port_wait */
            struct port *port;
            TAILQ_ENTRY(thread) link;
            zx_port_packet_t packet; /* granted by the waker */
            struct user_ptr out;
        } port;
        struct { /* futex_wait */
            struct futex *futex;
            TAILQ_ENTRY(thread) link;
        } futex;
        struct { /* channel_call_noretry and _finish: where the reply goes; see `call` */
            struct user_ptr bytes, handles, actual_bytes, actual_handles;
            uint32_t num_bytes, num_handles;
        } call;
        struct { /* interrupt_wait */
            struct interrupt *interrupt;
            zx_time_t timestamp; /* granted by the trigger */
            struct user_ptr out;
        } interrupt;
        struct { /* debug_read */
            TAILQ_ENTRY(thread) link;
            struct user_ptr buffer, actual;
            size_t size;
        } console;
    } u;
    zx_time_t since; /* when the wait began */
    /* The channel call this thread has made. Not in the union: a call that a suspend interrupts
     * stays registered until channel_call_finish. object/channel.c. */
    struct {
        enum { CALL_NONE, CALL_WAITING, CALL_INTERRUPTED, CALL_ENDED } state;
        zx_status_t result;            /* ENDED */
        struct channel *channel;       /* WAITING, INTERRUPTED: the calling end, referenced */
        struct channel_message *reply; /* ENDED with ZX_OK: granted by the writer */
        TAILQ_ENTRY(thread) link;      /* WAITING, INTERRUPTED: in channel->calls */
        uint32_t txid;
    } call;
    /* The page this thread waits for. Not in the union: if it cannot be had, whatever needed it is
     * executed again, asks for it again and is told `error` then. object/pager.c. */
    struct {
        TAILQ_ENTRY(thread) link; /* while waiting, in the source's queue */
        struct page_source *source;
        zx_koid_t vmo;
        uint64_t index;
        zx_status_t error;
    } page;
    struct timer_entry timer; /* the deadline; last, for most waits have none and leave its lines */
};

/*
 * Parks the calling thread. Precondition: it is the current thread and does not wait. `deadline`
 * <= now is allowed: it ends with ZX_ERR_TIMED_OUT at once. The last statement of a syscall.
 */
void wait_begin(struct thread *thread, const struct wait_kind *kind, zx_time_t deadline);

/* Ends the wait with `status`, if it has not ended yet, and makes the thread ready. Returns whether
 * this call was the one that did. */
bool wait_end(struct thread *thread, zx_status_t status);

/* A wait that is nothing but time: nanosleep. */
extern const struct wait_kind wait_kind_sleep;

#endif
