/*
 * executor.h - the CPU: who runs, until when, and what happens meanwhile.
 *
 * One struct cpu per processor, reached through the HAL's per-CPU pointer. Ready threads stand in
 * one queue a priority; a bit map finds the highest in O(1). Blocked threads are in no queue here.
 * User code is preempted by the timer only when another thread of at least its priority is ready.
 */
#ifndef ZVMM_OBJECT_EXECUTOR_H
#define ZVMM_OBJECT_EXECUTOR_H

#include <hal.h>

#include "object.h"
#include "timerq.h"

struct debuglog;
struct event;
struct job;
struct process;
struct resource;
struct thread;

#define PRIORITIES 32
#define PRIORITY_DEFAULT 16
#define TIME_SLICE ((zx_duration_t)10000000) /* ns */

TAILQ_HEAD(run_queue, thread);

/* What exists once for the whole kernel. */
struct kernel {
    const struct hal_boot *boot;
    zx_koid_t next_koid;
    struct job *root_job;           /* referenced */
    struct resource *root_resource; /* referenced */
    struct debuglog *log;           /* the kernel's log buffer; NULL early at start */
    struct event *system_events[4]; /* by ZX_SYSTEM_EVENT_* - 1; NULL until asked for; event.c */
    int64_t exit_code;              /* what the machine ends with: that of the last process ... */
    bool exit_code_final;           /* ... or of the critical process that ended the root job */
    bool verbose;                   /* log lines also go to the console */
    zx_duration_t utc_offset;       /* UTC - monotonic */
    TAILQ_HEAD(, thread) console_readers; /* blocked in debug_read */
};

struct cpu_stats {
    uint64_t syscalls, page_faults, interrupts, switches, idles;
};

struct cpu {
    struct kernel *kernel;
    struct thread *current; /* NULL while idle */
    struct run_queue ready[PRIORITIES];
    uint32_t ready_mask; /* bit n: ready[n] is not empty */
    bool resched;        /* the current thread shall give way before it returns to user mode */
    struct timerq timers;
    zx_time_t armed; /* the deadline the HAL knows of (guest/loop.c) */
    STAILQ_HEAD(, object) reap; /* see object.h, Lifetime */
    uint32_t reaping; /* > 0: the list is being drained further up the stack, or held */
    zx_time_t slice_start;
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

/* Makes `cpu` this CPU's structure. */
void executor_init(struct cpu *cpu, struct kernel *kernel);
/* Puts a thread at the end of its priority's queue. Precondition: RUNNABLE, not queued. */
void executor_ready(struct thread *thread);
/* Takes it out again, if it is in. */
void executor_remove(struct thread *thread);
/* Takes the first thread of the highest priority; NULL if none is ready. */
struct thread *executor_take(struct cpu *cpu);

/* Kernel log line: shown on the console when level is at least WARNING or the kernel is verbose.
 * Levels are ZX_LOG_*. Implemented by object/debuglog.c. */
void klog(uint8_t level, const char *pattern, ...) __attribute__((format(printf, 2, 3)));

#endif
