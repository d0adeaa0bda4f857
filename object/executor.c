/*
 * executor.c - the run queues of a CPU. The loop that empties them is guest/loop.c.
 */
#include "executor.h"

#include "deadline.h"
#include "format.h"
#include "heap.h"
#include "string.h"
#include "thread.h"

void executor_init(struct cpu *cpu, struct kernel *kernel)
{
    memset(cpu, 0, sizeof *cpu);
    cpu->kernel = kernel;
    for (int i = 0; i < PRIORITIES; i++)
        TAILQ_INIT(&cpu->ready[i]);
    STAILQ_INIT(&cpu->reap);
    timerq_init(&cpu->deadlines);
    timerq_init(&cpu->timers);
    hal_set_cpu_data(cpu);
}

/* ---- Queues -------------------------------------------------------------------------------- */

/* Shall `thread` run now, although `current` could go on? */
static bool goes_before(const struct thread *thread, const struct thread *current)
{
    if (!thread->deadline)
        return !current->deadline && thread->priority > current->priority;
    return !current->deadline || deadline_due(thread->deadline) < deadline_due(current->deadline);
}

static void enqueue(struct cpu *cpu, struct thread *thread, bool first)
{
    struct run_queue *queue = &cpu->ready[thread->priority];

    thread->queued = true;
    if (thread->deadline) {
        deadline_enqueue(cpu, thread->deadline);
        return;
    }
    if (first) {
        TAILQ_INSERT_HEAD(queue, thread, run_link);
    } else {
        TAILQ_INSERT_TAIL(queue, thread, run_link);
        thread->slice = TIME_SLICE;
    }
    cpu->ready_mask |= 1u << thread->priority;
}

void executor_ready(struct thread *thread)
{
    struct cpu *cpu = this_cpu();

    assert(thread->state == THREAD_RUNNABLE && !thread->queued);
    enqueue(cpu, thread, false);
    if (!cpu->current)
        return;
    if (goes_before(thread, cpu->current) && !(thread->deadline && thread->deadline->spent)) {
        cpu->preempted = true;
        executor_reschedule(cpu);
    } else if (cpu->slice_end < cpu->armed && cpu->ready_mask >> cpu->current->priority) {
        hal_context_stop(); /* the end of its turn matters now: the timer is to be armed */
    }
}

void executor_remove(struct thread *thread)
{
    struct cpu *cpu = this_cpu();

    if (!thread->queued)
        return;
    thread->queued = false;
    if (thread->deadline) {
        deadline_dequeue(cpu, thread->deadline);
        return;
    }
    TAILQ_REMOVE(&cpu->ready[thread->priority], thread, run_link);
    if (TAILQ_EMPTY(&cpu->ready[thread->priority]))
        cpu->ready_mask &= ~(1u << thread->priority);
}

struct thread *executor_take(struct cpu *cpu)
{
    struct thread *thread = deadline_first(cpu);

    if (!thread) {
        if (!cpu->ready_mask)
            return NULL;
        thread = TAILQ_FIRST(&cpu->ready[31 - __builtin_clz(cpu->ready_mask)]);
    }
    executor_remove(thread);
    return thread;
}

void executor_arm(struct cpu *cpu, struct timer_entry *entry, zx_time_t deadline)
{
    timerq_arm(&cpu->timers, entry, deadline);
    if (deadline < cpu->armed)
        hal_context_stop(); /* and the thread loop arms the HAL's */
}

/* ---- Turns --------------------------------------------------------------------------------- */

void executor_begin_turn(struct cpu *cpu, struct thread *thread, zx_time_t now)
{
    cpu->resched = cpu->preempted = false;
    cpu->slice_end = now + (thread->deadline ? thread->deadline->budget : thread->slice);
}

void executor_end_turn(struct cpu *cpu, struct thread *thread, zx_duration_t used)
{
    if (thread->deadline)
        thread->deadline->budget -= used;
    else
        thread->slice -= used;
    if (thread->state == THREAD_RUNNABLE && !thread->queued)
        enqueue(cpu, thread, cpu->preempted && thread->slice > 0);
}

void executor_yield(struct thread *thread)
{
    thread->slice = 0;
    executor_reschedule(this_cpu());
}

void executor_set_scheduling(struct thread *thread, uint8_t priority, struct deadline *deadline)
{
    struct cpu *cpu = this_cpu();
    bool queued = thread->queued;

    executor_remove(thread);
    heap_free(thread->deadline);
    thread->priority = priority;
    thread->deadline = deadline;
    if (deadline)
        deadline->thread = thread;
    if (queued)
        executor_ready(thread);
    else if (thread == cpu->current)
        executor_reschedule(cpu);
}
