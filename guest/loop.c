/*
 * loop.c - the top of every thread, and the idle loop.
 *
 * This is the thesis' top future: take a ready thread; let it settle (finish the wait that ended);
 * run user code until it traps; handle the trap; again. It has one kernel stack, and nothing of a
 * thread is left on it when another one is taken.
 */
#include <hypercall.h>
#include <zircon/errors.h>
#include <zircon/log.h>

#include "aspace.h"
#include "debug.h"
#include "guest.h"
#include "job.h"
#include "process.h"
#include "thread.h"

#define NOT_ARMED ((zx_time_t)-1)

struct loop {
    struct cpu *cpu;
    zx_time_t armed; /* the deadline the HAL knows of; NOT_ARMED: it must be told again */
};

/* When the current thread must give way to another one of its priority or above. */
static zx_time_t slice_end(const struct cpu *cpu, const struct thread *thread)
{
    return cpu->ready_mask >> thread->priority ? cpu->slice_start + TIME_SLICE : ZX_TIME_INFINITE;
}

static void arm_timer(struct loop *loop, zx_time_t also)
{
    zx_time_t next = timerq_next(&loop->cpu->timers);

    if (also < next)
        next = also;
    if (next != loop->armed) {
        loop->armed = next;
        hal_timer_arm(next);
    }
}

/* Deadlines, console input, the user's wish to end: whatever an interrupt may have been for. */
static void poll_events(struct loop *loop)
{
    uint32_t events = hal_events();
    zx_time_t now = hal_now();

    if (now >= loop->armed)
        loop->armed = NOT_ARMED;
    timerq_expire(&loop->cpu->timers, now);
    if (events & HAL_EVENT_CONSOLE)
        console_input_ready();
    if (events & HAL_EVENT_STOP)
        job_kill(kernel()->root_job, ZX_TASK_RETCODE_SYSCALL_KILL);
}

static void interrupt(struct loop *loop, struct thread *thread)
{
    loop->cpu->stats.interrupts++;
    poll_events(loop);
    if (hal_now() >= slice_end(loop->cpu, thread))
        loop->cpu->resched = true;
}

/* Runs `thread` until it blocks, dies or gives way. */
static void run_thread(struct loop *loop, struct thread *thread)
{
    struct cpu *cpu = loop->cpu;
    struct hal_trap trap;

    while (!cpu->resched && thread_settle(thread)) {
        arm_timer(loop, slice_end(cpu, thread));
        hal_context_run(&thread->context, &trap);
        switch (trap.kind) {
        case HAL_TRAP_SYSCALL:
            syscall_dispatch(thread);
            break;
        case HAL_TRAP_INTERRUPT:
            interrupt(loop, thread);
            break;
        case HAL_TRAP_PAGE_FAULT:
        case HAL_TRAP_EXCEPTION:
            thread_fault(thread, &trap);
            break;
        }
    }
}

static void switch_to(struct loop *loop, struct thread *thread)
{
    struct cpu *cpu = loop->cpu;

    object_ref(&thread->object);
    cpu->current = thread;
    cpu->resched = false;
    cpu->stats.switches++;
    cpu->slice_start = thread->running_since = hal_now();
    hal_page_table_activate(thread->process->aspace->table);
    run_thread(loop, thread);
    thread->runtime += hal_now() - thread->running_since;
    cpu->current = NULL;
    if (thread->state == THREAD_RUNNABLE && !thread->queued)
        executor_ready(thread);
    object_release(&thread->object);
}

/* Nothing can run any more: the root job is dead or holds no process. */
static bool is_finished(const struct kernel *k)
{
    const struct job *root = k->root_job;

    return root->state == JOB_DEAD || (TAILQ_EMPTY(&root->processes) && TAILQ_EMPTY(&root->jobs));
}

static void idle(struct loop *loop)
{
    struct cpu *cpu = loop->cpu;
    zx_time_t start = hal_now();

    arm_timer(loop, ZX_TIME_INFINITE);
    cpu->stats.idles++;
    hal_idle();
    cpu->idle_time += hal_now() - start;
    poll_events(loop);
}

_Noreturn void kernel_loop(const struct options *options)
{
    struct loop loop = {.cpu = this_cpu(), .armed = NOT_ARMED};
    struct kernel *k = kernel();

    if (options->markers)
        hal_marker(ZV_MARKER_FIRST_USER, 0);
    for (;;) {
        struct thread *thread = executor_take(loop.cpu);

        if (thread)
            switch_to(&loop, thread);
        else if (is_finished(k))
            hal_exit(k->exit_code);
        else
            idle(&loop);
    }
}
