/*
 * wait.c - begin and end of a wait; see wait.h for the pattern.
 */
#include "wait.h"

#include <zircon/errors.h>
#include <zircon/exception.h>

#include "executor.h"
#include "format.h"
#include "kcounter.h"
#include "thread.h"

KCOUNTER(waits_begun, "wait.begun");
KCOUNTER(waits_timed_out, "wait.timed_out");

static void deadline_passed(struct timer_entry *entry, zx_time_t now)
{
    (void)now;
    kcounter_add(&waits_timed_out, 1);
    wait_end(container_of(entry, struct thread, wait.timer), ZX_ERR_TIMED_OUT);
}

void wait_begin(struct thread *thread, const struct wait_kind *kind, zx_time_t deadline)
{
    struct wait *wait = &thread->wait;
    struct cpu *cpu = this_cpu();

    assert(thread == cpu->current && !wait->kind);
    wait->kind = kind;
    wait->ended = wait->timed = false;
    wait->since = hal_now();
    kcounter_add(&waits_begun, 1);
    thread->state = THREAD_BLOCKED;
    hal_context_stop();
    if ((thread->flags & THREAD_KILLED) || (thread->suspend_count && !kind->not_interruptible)) {
        /* What would have ended the wait has happened already. */
        wait_end(thread, thread->flags & THREAD_KILLED ? ZX_ERR_INTERNAL_INTR_KILLED
                                                       : ZX_ERR_INTERNAL_INTR_RETRY);
        return;
    }
    if (deadline <= wait->since) {
        wait_end(thread, ZX_ERR_TIMED_OUT);
    } else if (deadline != ZX_TIME_INFINITE) {
        wait->timed = true;
        wait->timer.fire = deadline_passed;
        timerq_arm(&cpu->timers, &wait->timer, deadline);
    }
}

bool wait_end(struct thread *thread, zx_status_t status)
{
    struct wait *wait = &thread->wait;

    if (!wait->kind || wait->ended)
        return false;
    thread_prefetch(thread);
    thread_prefetch_stack(thread);
    wait->ended = true;
    wait->result = status;
    if (wait->timed)
        timerq_cancel(&this_cpu()->timers, &wait->timer);
    if (wait->kind->unlink)
        wait->kind->unlink(thread);
    thread->state = THREAD_RUNNABLE;
    executor_ready(thread);
    return true;
}

static int64_t sleep_finish(struct thread *thread, zx_status_t status)
{
    (void)thread;
    return status == ZX_ERR_TIMED_OUT ? ZX_OK : status;
}

const struct wait_kind wait_kind_sleep = {
    .name = "nanosleep",
    .info_state = ZX_THREAD_STATE_BLOCKED_SLEEPING,
    .finish = sleep_finish,
};
