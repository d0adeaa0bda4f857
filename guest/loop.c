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
#include "ktrace.h"
#include "pressure.h"
#include "process.h"
#include "teardown.h"
#include "thread.h"

/* When the current thread must give way: its budget is spent, or others want their turn. */
static zx_time_t slice_end(const struct cpu *cpu, const struct thread *thread)
{
    if (thread->deadline || cpu->ready_mask >> thread->priority || teardown_pending(cpu->kernel))
        return cpu->slice_end;
    return ZX_TIME_INFINITE;
}

static void arm_timer(struct cpu *cpu, zx_time_t deadline)
{
    if (deadline != cpu->armed) {
        cpu->armed = deadline;
        hal_timer_arm(deadline);
    }
}

/* For the earliest deadline, or the end of the turn. One that is armed for earlier stays: threads
 * that wake each other change it all the time, and an interrupt too many is cheaper. */
static void arm_timer_for(struct cpu *cpu, const struct thread *thread)
{
    zx_time_t next = timerq_next(&cpu->timers), end = slice_end(cpu, thread);

    if (end < next)
        next = end;
    if (next < cpu->armed)
        arm_timer(cpu, next);
}

/* Deadlines, console input, the user's wish to end: whatever an interrupt may have been for. */
static void poll_events(struct cpu *cpu)
{
    uint32_t events = hal_events();
    zx_time_t now = hal_now();

    if (now >= cpu->armed)
        cpu->armed = ZX_TIME_INFINITE;
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
        arm_timer_for(cpu, thread);
        hal_context_run(&thread->context, &trap);
        switch (trap.kind) {
        case HAL_TRAP_SYSCALL:
            syscall_finish(thread, trap.result);
            break;
        case HAL_TRAP_INTERRUPT:
            KTRACE(KTRACE_TAG_IRQ_ENTER, trap.vector << 8, 0, 0, 0);
            interrupt(cpu, thread);
            break;
        case HAL_TRAP_PAGE_FAULT:
        case HAL_TRAP_EXCEPTION:
            thread_fault(thread, &trap);
            break;
        }
    }
}

/* `now` and the result: the time. Reading the clock is a part of what a switch costs. */
static zx_time_t switch_to(struct cpu *cpu, struct thread *thread, zx_time_t now)
{
    zx_duration_t used;

    KTRACE(KTRACE_TAG_CONTEXT_SWITCH, thread->object.koid, thread->priority << 24, 0, 0);
    cpu->current = thread;
    cpu->stats.switches++;
    thread->running_since = now;
    executor_begin_turn(cpu, thread, now);
    hal_page_table_activate(thread->process->aspace->table);
    thread_prefetch_stack(thread);
    run_thread(cpu, thread);
    now = hal_now();
    used = now - thread->running_since;
    thread->runtime += used;
    cpu->current = NULL;
    executor_end_turn(cpu, thread, used);
    if (thread->state == THREAD_DEAD)
        object_release(&thread->object);
    return now;
}

/* Nothing can run any more: the root job is dead or holds no process. */
static bool is_finished(const struct kernel *k)
{
    const struct job *root = k->root_job;

    return root->state == JOB_DEAD || (TAILQ_EMPTY(&root->processes) && TAILQ_EMPTY(&root->jobs));
}

static zx_time_t idle(struct cpu *cpu)
{
    zx_time_t start = hal_now(), now;

    arm_timer(cpu, timerq_next(&cpu->timers));
    cpu->stats.idles++;
    hal_idle();
    now = hal_now();
    cpu->idle_time += now - start;
    poll_events(cpu);
    return now;
}

_Noreturn void kernel_loop(const struct options *options)
{
    struct cpu *cpu = this_cpu();
    struct kernel *k = kernel();
    zx_time_t now = hal_now();

    cpu->armed = ZX_TIME_INFINITE;
    hal_set_syscall_handler(syscall_handle);
    if (options->markers)
        hal_marker(ZV_MARKER_FIRST_USER, 0, NULL);
    for (;;) {
        struct thread *thread;

        pressure_check(k);
        if (teardown_pending(k))
            teardown_step(k);
        thread = executor_take(cpu);
        if (thread)
            now = switch_to(cpu, thread, now);
        else if (is_finished(k))
            hal_exit(k->exit_code);
        else if (teardown_pending(k))
            poll_events(cpu);
        else
            now = idle(cpu);
    }
}
