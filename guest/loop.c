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
#include "pressure.h"
#include "process.h"
#include "thread.h"

#define NOT_ARMED ((zx_time_t)-1) /* cpu->armed: the HAL must be told again */

/* When the current thread must give way: its budget is spent, or others want their turn. */
static zx_time_t slice_end(const struct cpu *cpu, const struct thread *thread)
{
    if (thread->deadline || cpu->ready_mask >> thread->priority)
        return cpu->slice_end;
    return ZX_TIME_INFINITE;
}

/* For the earliest deadline, or `also` if that comes first. */
static void arm_timer(struct cpu *cpu, zx_time_t also)
{
    zx_time_t next = timerq_next(&cpu->timers);

    if (also < next)
        next = also;
    if (next != cpu->armed) {
        cpu->armed = next;
        hal_timer_arm(next);
    }
}

/* Deadlines, console input, the user's wish to end: whatever an interrupt may have been for. */
static void poll_events(struct cpu *cpu)
{
    uint32_t events = hal_events();
    zx_time_t now = hal_now();

    if (now >= cpu->armed)
        cpu->armed = NOT_ARMED;
    timerq_expire(&cpu->timers, now);
    if (events & HAL_EVENT_CONSOLE)
        console_input_ready();
    if (events & HAL_EVENT_STOP)
        job_kill(kernel()->root_job, ZX_TASK_RETCODE_SYSCALL_KILL);
}

static void interrupt(struct cpu *cpu, struct thread *thread)
{
    cpu->stats.interrupts++;
    poll_events(cpu);
    if (hal_now() >= slice_end(cpu, thread))
        cpu->resched = true;
}

/*
 * Runs `thread` until it blocks, dies or gives way. Most system calls do not come here: they are
 * answered inside hal_context_run, unless something they did called hal_context_stop.
 */
static void run_thread(struct cpu *cpu, struct thread *thread)
{
    struct hal_trap trap;

    while (!cpu->resched && thread_settle(thread)) {
        if (cpu->resched)
            break; /* its wait is over, and finishing it has woken a thread that goes first */
        arm_timer(cpu, slice_end(cpu, thread));
        hal_context_run(&thread->context, &trap);
        switch (trap.kind) {
        case HAL_TRAP_SYSCALL:
            syscall_finish(thread, trap.result);
            break;
        case HAL_TRAP_INTERRUPT:
            interrupt(cpu, thread);
            break;
        case HAL_TRAP_PAGE_FAULT:
        case HAL_TRAP_EXCEPTION:
            thread_fault(thread, &trap);
            break;
        }
    }
}

static void switch_to(struct cpu *cpu, struct thread *thread)
{
    zx_duration_t used;

    object_ref(&thread->object);
    cpu->current = thread;
    cpu->stats.switches++;
    thread->running_since = hal_now();
    executor_begin_turn(cpu, thread, thread->running_since);
    hal_page_table_activate(thread->process->aspace->table);
    run_thread(cpu, thread);
    used = hal_now() - thread->running_since;
    thread->runtime += used;
    cpu->current = NULL;
    executor_end_turn(cpu, thread, used);
    object_release(&thread->object);
}

/* Nothing can run any more: the root job is dead or holds no process. */
static bool is_finished(const struct kernel *k)
{
    const struct job *root = k->root_job;

    return root->state == JOB_DEAD || (TAILQ_EMPTY(&root->processes) && TAILQ_EMPTY(&root->jobs));
}

static void idle(struct cpu *cpu)
{
    zx_time_t start = hal_now();

    arm_timer(cpu, ZX_TIME_INFINITE);
    cpu->stats.idles++;
    hal_idle();
    cpu->idle_time += hal_now() - start;
    poll_events(cpu);
}

_Noreturn void kernel_loop(const struct options *options)
{
    struct cpu *cpu = this_cpu();
    struct kernel *k = kernel();

    cpu->armed = NOT_ARMED;
    hal_set_syscall_handler(syscall_handle);
    if (options->markers)
        hal_marker(ZV_MARKER_FIRST_USER, 0);
    for (;;) {
        struct thread *thread;

        pressure_check(k);
        thread = executor_take(cpu);
        if (thread)
            switch_to(cpu, thread);
        else if (is_finished(k))
            hal_exit(k->exit_code);
        else
            idle(cpu);
    }
}
