/*
 * executor.c - the run queues of a CPU. The loop that empties them is guest/loop.c.
 */
#include "executor.h"

#include "format.h"
#include "string.h"
#include "thread.h"

void executor_init(struct cpu *cpu, struct kernel *kernel)
{
    memset(cpu, 0, sizeof *cpu);
    cpu->kernel = kernel;
    for (int i = 0; i < PRIORITIES; i++)
        TAILQ_INIT(&cpu->ready[i]);
    STAILQ_INIT(&cpu->reap);
    timerq_init(&cpu->timers);
    hal_set_cpu_data(cpu);
}

void executor_ready(struct thread *thread)
{
    struct cpu *cpu = this_cpu();

    assert(thread->state == THREAD_RUNNABLE && !thread->queued);
    TAILQ_INSERT_TAIL(&cpu->ready[thread->priority], thread, run_link);
    cpu->ready_mask |= 1u << thread->priority;
    thread->queued = true;
    if (cpu->current && thread->priority > cpu->current->priority)
        cpu->resched = true;
}

void executor_remove(struct thread *thread)
{
    struct cpu *cpu = this_cpu();

    if (!thread->queued)
        return;
    TAILQ_REMOVE(&cpu->ready[thread->priority], thread, run_link);
    if (TAILQ_EMPTY(&cpu->ready[thread->priority]))
        cpu->ready_mask &= ~(1u << thread->priority);
    thread->queued = false;
}

struct thread *executor_take(struct cpu *cpu)
{
    struct thread *thread;

    if (!cpu->ready_mask)
        return NULL;
    thread = TAILQ_FIRST(&cpu->ready[31 - __builtin_clz(cpu->ready_mask)]);
    executor_remove(thread);
    return thread;
}
