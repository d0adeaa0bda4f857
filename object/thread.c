/*
 * thread.c - life and death of threads.
 */
#include "thread.h"

#include <zircon/errors.h>
#include <zircon/exception.h>

#include "channel.h"
#include "deadline.h"
#include "executor.h"
#include "format.h"
#include "futex.h"
#include "heap.h"
#include "kcounter.h"
#include "ktrace.h"
#include "name.h"
#include "process.h"
#include "string.h"

KCOUNTER(threads_created, "thread.created");

zx_status_t thread_create(struct process *process, const char *name, struct thread **out)
{
    struct thread *thread;
    zx_status_t status;

    if (process->state >= PROCESS_DYING)
        return ZX_ERR_BAD_STATE;
    thread = heap_zalloc(sizeof *thread);
    if (!thread)
        return ZX_ERR_NO_MEMORY;
    status = hal_context_init(&thread->context);
    if (status != ZX_OK) {
        heap_free(thread);
        return status;
    }
    object_init(&thread->object, &thread_ops, 0);
    thread->context.id = thread->object.koid;
    object_ref(&process->object);
    thread->process = process;
    thread->aspace = process->aspace;
    thread->priority = PRIORITY_DEFAULT;
    thread->affinity = (1ull << kernel()->boot->num_cpus) - 1;
    if (process->suspend_count)
        thread_suspend(thread);
    name_set(thread->name, sizeof thread->name, name, ZX_MAX_NAME_LEN);
    object_ref(&thread->object); /* the process's list */
    TAILQ_INSERT_TAIL(&process->threads, thread, process_link);
    kcounter_add(&threads_created, 1);
    KTRACE_NAME(KTRACE_TAG_THREAD_NAME, thread->object.koid, process->object.koid, thread->name);
    KTRACE(KTRACE_TAG_THREAD_CREATE, thread->object.koid, process->object.koid, 0, 0);
    *out = thread;
    return ZX_OK;
}

zx_status_t thread_start(struct thread *thread, zx_vaddr_t pc, zx_vaddr_t sp, uint64_t arg1,
                         uint64_t arg2)
{
    struct hal_regs *regs = &thread->context.regs;

    if (thread->state != THREAD_NEW)
        return ZX_ERR_BAD_STATE;
    regs->rip = pc;
    regs->rsp = sp;
    regs->rdi = arg1;
    regs->rsi = arg2;
    thread->state = THREAD_RUNNABLE;
    thread->flags |= THREAD_STARTING;
    KTRACE(KTRACE_TAG_THREAD_START, thread->object.koid, 0, 0, 0);
    object_update_signals(&thread->object, 0, ZX_THREAD_RUNNING);
    executor_ready(thread);
    return ZX_OK;
}

/* DYING -> DEAD. Drops the process list's reference, so `thread` may be gone afterwards. */
static void thread_dead(struct thread *thread)
{
    struct process *process = thread->process;

    KTRACE(KTRACE_TAG_THREAD_EXIT, thread->object.koid, 0, 0, 0);
    channel_thread_exit(thread);
    futex_thread_exit(thread);
    executor_remove(thread);
    heap_free(thread->deadline);
    thread->deadline = NULL;
    thread->state = THREAD_DEAD;
    hal_context_destroy(&thread->context);
    object_update_signals(&thread->object, ZX_THREAD_RUNNING | ZX_THREAD_SUSPENDED,
                          ZX_THREAD_TERMINATED);
    exception_channel_close(&thread->exception_channel);
    process_thread_dead(process, thread);
}

void thread_exit(struct thread *thread)
{
    assert(!thread->wait.kind);
    thread->state = THREAD_DYING;
    thread_dead(thread);
}

void thread_kill(struct thread *thread)
{
    if (thread->state >= THREAD_DYING)
        return;
    thread_flag(thread, THREAD_KILLED);
    if (thread->deadline) /* it shall not wait for its next period to die */
        executor_set_scheduling(thread, thread->priority, NULL);
    if (thread->state == THREAD_NEW)
        thread_exit(thread);
    else
        wait_end(thread, ZX_ERR_INTERNAL_INTR_KILLED);
}

/* ---- Suspension ---------------------------------------------------------------------------- */

/* A killed thread only leaves: it does not run any more. */
static int64_t suspended_finish(struct thread *thread, zx_status_t status)
{
    if (status == ZX_OK)
        object_update_signals(&thread->object, ZX_THREAD_SUSPENDED, ZX_THREAD_RUNNING);
    return status;
}

static const struct wait_kind wait_kind_suspended = {
    .name = "suspended",
    .info_state = ZX_THREAD_STATE_SUSPENDED,
    .finish = suspended_finish,
    .not_interruptible = true,
    .restarts = true,
};

void thread_suspend(struct thread *thread)
{
    if (thread->suspend_count++)
        return;
    thread_flag(thread, THREAD_SUSPEND);
    if (thread->wait.kind && !thread->wait.kind->not_interruptible)
        wait_end(thread, ZX_ERR_INTERNAL_INTR_RETRY);
}

void thread_resume(struct thread *thread)
{
    assert(thread->suspend_count > 0);
    if (--thread->suspend_count)
        return;
    thread->flags &= ~THREAD_SUSPEND;
    if (thread->wait.kind == &wait_kind_suspended)
        wait_end(thread, ZX_OK);
}

/* It is at the boundary to user code. */
static void stop_suspended(struct thread *thread)
{
    object_update_signals(&thread->object, ZX_THREAD_RUNNING, ZX_THREAD_SUSPENDED);
    wait_begin(thread, &wait_kind_suspended, ZX_TIME_INFINITE);
}

bool thread_is_stopped(const struct thread *thread)
{
    const struct wait_kind *kind = thread->wait.kind;

    return kind && !thread->wait.ended &&
           (kind == &wait_kind_suspended || kind == &wait_kind_exception);
}

/* ---- Between the scheduler and user code ---------------------------------------------------- */

static void finish_wait(struct thread *thread)
{
    const struct wait_kind *kind = thread->wait.kind;
    int64_t result;

    thread->wait.kind = NULL;
    thread->wait.no_pages = true;
    result = kind->finish ? kind->finish(thread, thread->wait.result) : thread->wait.result;
    thread->wait.no_pages = false;
    if (!kind->restarts && !thread->wait.kind)
        thread->context.regs.rax = (uint64_t)result;
}

/*
 * Ends a thread that may not run any more. A debugger hears of it first; whether the thread waits
 * for its answer is decided by wait_begin: a killed one does not. One that never ran is not
 * announced, as its start was not.
 */
static void leave(struct thread *thread)
{
    bool ran = !(thread->flags & THREAD_STARTING);

    if (!(thread->flags & THREAD_LEAVING)) {
        thread->flags |= THREAD_LEAVING;
        if (ran)
            exception_announce(thread, ZX_EXCP_THREAD_EXITING);
    } else {
        object_ref(&thread->object); /* for the loop, which drops it: see thread_settle */
        thread_exit(thread);
    }
}

/* Does the most urgent of the things that the thread's flags ask for; afterwards it may wait. */
static void attend(struct thread *thread)
{
    uint32_t flags = thread->flags;

    if (flags & (THREAD_KILLED | THREAD_EXITING)) {
        leave(thread);
    } else if (flags & THREAD_PROCESS_STARTING) {
        thread->flags &= ~THREAD_PROCESS_STARTING;
        exception_announce(thread, ZX_EXCP_PROCESS_STARTING);
    } else if (flags & THREAD_STARTING) {
        thread->flags &= ~THREAD_STARTING;
        exception_announce(thread, ZX_EXCP_THREAD_STARTING);
    } else if (flags & THREAD_POLICY) {
        struct exception_cause cause = {.type = ZX_EXCP_POLICY_ERROR, .why = thread->policy_reason};

        thread->flags &= ~THREAD_POLICY;
        exception_raise(thread, &cause);
    } else if (flags & THREAD_SUSPEND) {
        stop_suspended(thread);
    } else { /* THREAD_BEGINNING */
        thread->flags &= ~THREAD_BEGINNING;
        process_begins(thread->process, thread->context.regs.rip);
    }
}

bool thread_settle(struct thread *thread)
{
    while (thread->wait.kind || thread->flags) {
        if (!thread->wait.kind) {
            attend(thread);
            if (thread->state == THREAD_DEAD)
                return false;
        } else if (thread->wait.ended && !thread->queued) {
            finish_wait(thread);
        } else {
            return false;
        }
    }
    return true;
}

zx_duration_t thread_runtime(const struct thread *thread)
{
    bool running = this_cpu()->current == thread;

    return thread->runtime + (running ? hal_now() - thread->running_since : 0);
}

uint32_t thread_info_state(const struct thread *thread)
{
    if (thread->state != THREAD_DEAD && thread_is_dying(thread))
        return ZX_THREAD_STATE_DYING;
    switch (thread->state) {
    case THREAD_NEW:
        return ZX_THREAD_STATE_NEW;
    case THREAD_RUNNABLE:
        return ZX_THREAD_STATE_RUNNING;
    case THREAD_BLOCKED:
        return thread->wait.kind->info_state;
    case THREAD_DYING:
        return ZX_THREAD_STATE_DYING;
    case THREAD_DEAD:
        break;
    }
    return ZX_THREAD_STATE_DEAD;
}

/* ---- Object -------------------------------------------------------------------------------- */

/* Nobody can start it any more. */
static void thread_on_zero_handles(struct object *object)
{
    struct thread *thread = container_of(object, struct thread, object);

    if (thread->state == THREAD_NEW)
        thread_kill(thread);
}

static void thread_destroy(struct object *object)
{
    struct thread *thread = container_of(object, struct thread, object);

    assert(thread->state == THREAD_DEAD && !thread->exception);
    object_release(&thread->process->object);
    heap_free(thread);
}

static zx_koid_t thread_related(const struct object *object)
{
    return container_of(object, struct thread, object)->process->object.koid;
}

static char *thread_name(struct object *object)
{
    return container_of(object, struct thread, object)->name;
}

const struct object_ops thread_ops = {
    .type = ZX_OBJ_TYPE_THREAD,
    .name = "thread",
    .default_rights = ZX_DEFAULT_THREAD_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .on_zero_handles = thread_on_zero_handles,
    .destroy = thread_destroy,
    .related_koid = thread_related,
    .name_of = thread_name,
};
