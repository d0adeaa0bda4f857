/*
 * executor.h - the CPU: who runs, until when, and what happens meanwhile.
 *
 * One struct cpu per processor, reached through the HAL's per-CPU pointer. Blocked threads are in
 * no queue here. Ready threads stand in
 *   - the queue of those that are scheduled by deadline, the earliest first (object/deadline.h);
 *   - below it one queue a priority, of which a bit map finds the highest in O(1).
 *
 * Among equal priorities a turn is TIME_SLICE of CPU time. Who is preempted by a higher priority
 * keeps the first place in the queue and the rest of the turn; who has used the turn up, yields or
 * was blocked goes to the end and gets a whole one there. User code is preempted by the timer only
 * when its turn is over and another thread of its priority is ready, or when its budget is spent.
 */
#ifndef ZVMM_OBJECT_EXECUTOR_H
#define ZVMM_OBJECT_EXECUTOR_H

#include <hal.h>

#include "object.h"
#include "timerq.h"

struct channel_message;
struct debuglog;
struct event;
struct job;
struct process;
struct resource;
struct thread;

#define PRIORITIES       32
#define PRIORITY_DEFAULT 16
#define TIME_SLICE       ((zx_duration_t)10000000) /* ns */

TAILQ_HEAD(run_queue, thread);

/* What exists once for the whole kernel. */
struct kernel {
    const struct hal_boot *boot;
    zx_koid_t next_koid;
    struct job *root_job;           /* referenced */
    struct resource *root_resource; /* referenced */
    struct debuglog *log;           /* the kernel's log buffer; NULL early at start */
    struct event *system_events[4]; /* by ZX_SYSTEM_EVENT_* - 1; NULL until asked for */
    uint32_t pressure;              /* which of them is signaled; 0: none was asked for */
    int64_t exit_code;              /* what the machine ends with: that of the last process ... */
    bool exit_code_final;           /* ... or of the critical process that ended the root job */
    bool verbose;                   /* log lines also go to the console */
    bool process_markers;           /* the VMM is told of processes that start and end */
    zx_duration_t utc_offset;       /* UTC - monotonic */
    TAILQ_HEAD(, thread) console_readers; /* blocked in debug_read */
    bool in_steps;                        /* there is a thread loop that calls teardown_step */
    TAILQ_HEAD(, process) dying;          /* object/teardown.h: whose handles are being closed */
    STAILQ_HEAD(, channel_message) dead_messages; /* ... and what closed channels held */
};

struct cpu_stats {
    uint64_t syscalls, page_faults, interrupts, switches, idles;
};

struct cpu {
    struct kernel *kernel;
    struct thread *current; /* NULL while idle */
    struct run_queue ready[PRIORITIES];
    uint32_t ready_mask;     /* bit n: ready[n] is not empty */
    struct timerq deadlines; /* ready threads that are scheduled by deadline */
    bool resched;            /* executor_reschedule() */
    bool preempted;          /* ... because one that goes before it has become ready */
    struct timerq timers;
    zx_time_t armed;            /* when the HAL's timer goes off: never later than it must */
    STAILQ_HEAD(, object) reap; /* see object.h, Lifetime */
    uint32_t reaping;           /* > 0: the list is being drained further up the stack, or held */
    zx_time_t slice_end;        /* when the current thread's turn or budget is over */
    zx_duration_t idle_time;
    struct cpu_stats stats;
};

static inline struct cpu *this_cpu(void)
{
    return hal_cpu_data();
}

static inline struct kernel *kernel(void)
{
    return this_cpu()->kernel;
}

/* The current thread shall give way before it returns to user mode. */
static inline void executor_reschedule(struct cpu *cpu)
{
    cpu->resched = true;
    hal_context_stop();
}

/* Makes `cpu` this CPU's structure. */
void executor_init(struct cpu *cpu, struct kernel *kernel);
/* Puts a thread at the end of its queue. Precondition: RUNNABLE, not queued. */
void executor_ready(struct thread *thread);
/* Takes it out again, if it is in. */
void executor_remove(struct thread *thread);
/* Takes the thread that shall run next; NULL if none is ready. */
struct thread *executor_take(struct cpu *cpu);

/* Arms a timer of cpu->timers. */
void executor_arm(struct cpu *cpu, struct timer_entry *entry, zx_time_t deadline);

/* The thread is about to run from `now` on: sets cpu->slice_end. */
void executor_begin_turn(struct cpu *cpu, struct thread *thread, zx_time_t now);
/* It has run for `used`; if it could go on it takes its place in the queue again. */
void executor_end_turn(struct cpu *cpu, struct thread *thread, zx_duration_t used);
/* The current thread gives up the rest of its turn, if another one is ready. */
void executor_yield(struct thread *thread);

/*
 * Sets how a thread is scheduled: by `deadline`, which it owns from now on, or, with NULL, by
 * `priority`. It takes its place accordingly, and so does the current thread.
 */
struct deadline;
void executor_set_scheduling(struct thread *thread, uint8_t priority, struct deadline *deadline);

/* Kernel log line: shown on the console when level is at least WARNING or the kernel is verbose.
 * Levels are ZX_LOG_*. Implemented by object/debuglog.c. */
void klog(uint8_t level, const char *pattern, ...) __attribute__((format(printf, 2, 3)));

#endif
