/*
 * deadline.h - scheduling by deadline: a thread runs for `capacity` in every `period`, done by
 * `relative_deadline` after the period's start.
 *
 * Ready threads run in the order of their absolute deadlines (earliest deadline first), before
 * every thread that is scheduled by priority. A thread that has spent its capacity does not run
 * again before its next period, so it takes no more than its share even if nothing else asks for
 * the CPU. A period begins when the thread becomes ready after the last one is over. Times are
 * nanoseconds.
 */
#ifndef ZVMM_OBJECT_DEADLINE_H
#define ZVMM_OBJECT_DEADLINE_H

#include <zircon/profile.h>
#include <zircon/time.h>

#include "timerq.h"

struct cpu;
struct thread;

/* Owned by the thread; allocated, because few have one. */
struct deadline {
    zx_sched_deadline_params_t params;
    struct thread *thread;
    zx_time_t start;      /* of the present period; 0: none yet */
    zx_duration_t budget; /* left of the capacity in it */
    bool spent;           /* queued for its next period, not for the CPU */
    /* While queued: in cpu->deadlines by the absolute deadline, or, if spent, in cpu->timers. */
    struct timer_entry place;
};

/* NULL: no memory. */
struct deadline *deadline_create(const zx_sched_deadline_params_t *params);

/* The present period's absolute deadline. */
static inline zx_time_t deadline_due(const struct deadline *deadline)
{
    zx_time_t due = zx_time_add_duration(deadline->start, deadline->params.relative_deadline);

    return due < ZX_TIME_INFINITE ? due : ZX_TIME_INFINITE - 1; /* a queue takes no infinity */
}

/* Queues its thread for the CPU or, if the budget is spent, for its next period. */
void deadline_enqueue(struct cpu *cpu, struct deadline *deadline);
void deadline_dequeue(struct cpu *cpu, struct deadline *deadline);
/* The thread that is due first, NULL if none is ready. */
struct thread *deadline_first(const struct cpu *cpu);

#endif
