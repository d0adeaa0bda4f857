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

/* When the timer must go off: the earliest deadline, or `also` if that comes first. */
static zx_time_t next_event(const struct cpu *cpu, zx_time_t also)
{
    zx_time_t next = timerq_next(&cpu->timers);

    return also < next ? also : next;
}

static void arm_timer(struct cpu *cpu, zx_time_t also)
{
    zx_time_t next = next_event(cpu, also);

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
 * A system call, called inside hal_context_run. Most leave nothing to do but to return to user
 * mode, and then that happens at once (true); otherwise the loop below takes over.
 */
static bool system_call(struct hal_context *context)
{
    struct thread *thread = container_of(context, struct thread, context);
    struct cpu *cpu = this_cpu();

    syscall_dispatch(thread);
    return !thread->wait.kind && !thread->flags && !cpu->resched &&
           next_event(cpu, slice_end(cpu, thread)) == cpu->armed;
}

/* Runs `thread` until it blocks, dies or gives way. */
static void run_thread(struct cpu *cpu, struct thread *thread)
{
    struct hal_trap trap;

    while (!cpu->resched && thread_settle(thread)) {
        arm_timer(cpu, slice_end(cpu, thread));
        hal_context_run(&thread->context, &trap);
        switch (trap.kind) {
        case HAL_TRAP_SYSCALL: /* system_call has been called */
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
    hal_set_syscall_handler(system_call);
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
