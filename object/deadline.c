/*
 * deadline.c - scheduling by deadline.
 */
#include "deadline.h"

#include "executor.h"
#include "heap.h"
#include "thread.h"

static void begin_period(struct deadline *deadline, zx_time_t now)
{
    deadline->start = now;
    deadline->budget = deadline->params.capacity;
}

static void period_begins(struct timer_entry *entry, zx_time_t now)
{
    struct deadline *deadline = container_of(entry, struct deadline, place);

    (void)now;
    deadline->thread->queued = false;
    begin_period(deadline, entry->deadline);
    executor_ready(deadline->thread);
}

struct deadline *deadline_create(const zx_sched_deadline_params_t *params)
{
    struct deadline *deadline = heap_zalloc(sizeof *deadline);

    if (!deadline)
        return NULL;
    deadline->params = *params;
    deadline->place.fire = period_begins;
    return deadline;
}

void deadline_enqueue(struct cpu *cpu, struct deadline *deadline)
{
    zx_time_t next = zx_time_add_duration(deadline->start, deadline->params.period);
    zx_time_t now = hal_now();

    if (now >= next || deadline->start == 0)
        begin_period(deadline, now);
    deadline->spent = deadline->budget <= 0;
    if (deadline->spent)
        executor_arm(cpu, &deadline->place, next);
    else
        timerq_arm(&cpu->deadlines, &deadline->place, deadline_due(deadline));
}

void deadline_dequeue(struct cpu *cpu, struct deadline *deadline)
{
    timerq_cancel(deadline->spent ? &cpu->timers : &cpu->deadlines, &deadline->place);
}

struct thread *deadline_first(const struct cpu *cpu)
{
    struct timer_entry *first = cpu->deadlines.first;

    return first ? container_of(first, struct deadline, place)->thread : NULL;
}
