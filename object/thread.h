/*
 * thread.h - threads, and the loop that runs them.
 *
 * States: NEW -> (process_start, thread_start) RUNNABLE <-> BLOCKED ... -> DEAD. RUNNABLE covers
 * running and waiting for the CPU; BLOCKED means wait.kind is set. What else shall happen to a
 * thread before it next runs user code is a set of flags, looked at in one place (thread_settle). A
 * handle or a reference keeps the struct; the process's list holds a reference until the thread is
 * dead.
 *
 * Suspension is counted and takes effect at the boundary to user code: a blocked thread's wait ends
 * with INTERNAL_INTR_RETRY first, one that is stopped in an exception stays there until both are
 * over. SUSPENDED is signalled once the thread has stopped.
 */
#ifndef ZVMM_OBJECT_THREAD_H
#define ZVMM_OBJECT_THREAD_H

#include <hal.h>

#include "exception.h"
#include "object.h"
#include "wait.h"

struct aspace;
struct deadline;
struct process;

enum thread_state {
    THREAD_NEW,
    THREAD_RUNNABLE, /* in a run queue, or current */
    THREAD_BLOCKED,  /* wait.kind is set and not ended */
    THREAD_DYING,
    THREAD_DEAD,
};

/* What is to be done before user code runs again; most urgent first. */
enum thread_flag {
    THREAD_KILLED = 1u << 0,           /* shall not run user code any more */
    THREAD_EXITING = 1u << 1,          /* the same by its own wish */
    THREAD_LEAVING = 1u << 2,          /* ... and a debugger has been told */
    THREAD_PROCESS_STARTING = 1u << 3, /* a job's debugger is to be told */
    THREAD_STARTING = 1u << 4,         /* its process's debugger is to be told */
    THREAD_POLICY = 1u << 5,           /* policy_reason is an exception to be raised */
    THREAD_SUSPEND = 1u << 6,          /* suspend_count is not 0 */
    THREAD_BEGINNING = 1u << 7,        /* its process has not executed anything so far */
};

/* First what a wake-up and a switch touch: see thread_prefetch. */
struct thread {
    struct object object;
    struct process *process; /* referenced */
    struct aspace *aspace;   /* the process's, while that lives */
    TAILQ_ENTRY(thread) run_link;
    enum thread_state state;
    uint32_t flags; /* THREAD_* */
    uint32_t suspend_count;
    uint8_t priority;            /* 0 lowest to 31 */
    bool queued;                 /* in a run queue */
    zx_duration_t slice;         /* what is left of its turn */
    struct deadline *deadline;   /* NULL: scheduled by priority */
    zx_duration_t runtime;       /* ns of user and kernel time, up to the last switch */
    zx_time_t running_since;     /* valid while current */
    struct exception *exception; /* while one is being handled; referenced */
    struct hal_context context;
    struct futex *owned_futexes; /* futexes this thread owns (object/futex.c) */
    struct wait wait;            /* up to u.one.observer in one line, which a waker reads first */
    TAILQ_ENTRY(thread) process_link;
    uint64_t affinity;         /* CPUs it asks for; one CPU serves them all */
    const char *policy_reason; /* with THREAD_POLICY */
    struct exception_channel exception_channel;
    char name[ZX_MAX_NAME_LEN];
};

extern const struct object_ops thread_ops;

/* A NEW thread in `process`; ZX_ERR_BAD_STATE if that is dying, ZX_ERR_NO_MEMORY. One reference. */
zx_status_t thread_create(struct process *process, const char *name, struct thread **out);

/* Sets THREAD_* flags of a thread that has started. */
static inline void thread_flag(struct thread *thread, uint32_t flags)
{
    thread->flags |= flags;
    hal_context_stop(); /* it may be the current one */
}

/* NEW -> RUNNABLE with the given registers. ZX_ERR_BAD_STATE if not NEW. */
zx_status_t thread_start(struct thread *thread, zx_vaddr_t pc, zx_vaddr_t sp, uint64_t arg1,
                         uint64_t arg2);

/* Marks the thread killed and ends its wait; it dies when it is next scheduled (at once if NEW). */
void thread_kill(struct thread *thread);

/* Ends the thread; it must not run again. */
void thread_exit(struct thread *thread);

/* Suspends (counted) and resumes; see rules 130. */
void thread_suspend(struct thread *thread);
void thread_resume(struct thread *thread);

/* It has ended or is about to: no use suspending it. */
static inline bool thread_is_dying(const struct thread *thread)
{
    return thread->state >= THREAD_DYING || thread->flags & (THREAD_KILLED | THREAD_EXITING);
}

/* Suspended or in an exception: its registers may be read and changed. */
bool thread_is_stopped(const struct thread *thread);

static inline void prefetch_lines(const void *first, const void *end)
{
#pragma GCC unroll 8
    for (const char *line = first; line < (const char *)end; line += 64)
        __builtin_prefetch(line, 1);
}

/*
 * Fetches what a switch to it will touch, all at once: a thread that has slept for long is in no
 * near cache, and one line after another would be waited for. Nothing more: the fewer lines a
 * sleeper takes, the more of them are in some cache. From the heap a thread begins 16 bytes before
 * a line, so `process` and what follows is in five lines, `wait` up to `since` in two.
 */
static inline void thread_prefetch(const struct thread *thread)
{
    prefetch_lines(&thread->process, &thread->context.id);
    prefetch_lines(&thread->wait, &thread->wait.call);
}

/*
 * The same for the top of its stack. A waker of its process can do that already; in another address
 * space it is a hint that misses, and the switch gives it again. Wherever it points, nothing faults.
 */
static inline void thread_prefetch_stack(const struct thread *thread)
{
    const char *top = (const char *)thread->context.regs.rsp;

    __builtin_prefetch(top, 1);
    __builtin_prefetch(top + 64, 1);
}

/*
 * Everything that stands between a scheduled thread and its user code: dies if killed, finishes a
 * wait that has ended, stops if suspended. Returns whether it may run user code now; if not, it is
 * blocked or dead; if dead, the caller has a reference to drop, so that it can still look at the
 * thread. Precondition: current, its address space active.
 */
bool thread_settle(struct thread *thread);

/* CPU time used so far, ns, up to now for the running thread. */
zx_duration_t thread_runtime(const struct thread *thread);

/* For zx_object_get_info(ZX_INFO_THREAD). */
uint32_t thread_info_state(const struct thread *thread);

/* How a trap from user mode that is no syscall or interrupt is handled (object/fault.c). */
void thread_fault(struct thread *thread, const struct hal_trap *trap);

/* Raises ZX_EXCP_POLICY_ERROR before the thread returns to user mode. `reason`, for the log, is a
 * constant string; the first one counts. */
void thread_policy_exception(struct thread *thread, const char *reason);

#endif
