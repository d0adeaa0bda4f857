/*
 * process.c - life and death of processes.
 */
#include "process.h"

#include <zircon/errors.h>

#include "aspace.h"
#include "executor.h"
#include "format.h"
#include "futex.h"
#include "heap.h"
#include "job.h"
#include "kcounter.h"
#include "ktrace.h"
#include "name.h"
#include "string.h"
#include "teardown.h"
#include "thread.h"

KCOUNTER(processes_created, "process.created");

zx_status_t process_create(struct job *job, const char *name, struct process **out)
{
    struct process *process;
    zx_status_t status;

    if (job->state != JOB_ALIVE)
        return ZX_ERR_BAD_STATE;
    process = heap_zalloc(sizeof *process);
    if (!process)
        return ZX_ERR_NO_MEMORY;
    status = aspace_create(&process->aspace);
    if (status != ZX_OK) {
        heap_free(process);
        return status;
    }
    object_init(&process->object, &process_ops, 0);
    handle_table_init(&process->handles);
    TAILQ_INIT(&process->threads);
    name_set(process->name, sizeof process->name, name, ZX_MAX_NAME_LEN);
    job_add_process(job, process);
    kcounter_add(&processes_created, 1);
    KTRACE_NAME(KTRACE_TAG_PROC_NAME, process->object.koid, 0, process->name);
    KTRACE(KTRACE_TAG_PROC_CREATE, process->object.koid, 0, 0, 0);
    *out = process;
    return ZX_OK;
}

/* These are the numbers of shared/hypercall.h, which is no business of objects otherwise. */
enum { MARKER_START = 3, MARKER_EXIT = 4 };

static void mark(const struct process *process, uint32_t id)
{
    if (kernel()->process_markers)
        hal_marker(id, process->object.koid, process->name);
}

zx_status_t process_start(struct process *process, struct thread *thread, zx_vaddr_t pc,
                          zx_vaddr_t sp, struct handle_ref arg, uint64_t arg2)
{
    zx_handle_t value = ZX_HANDLE_INVALID;
    zx_status_t status = ZX_OK;

    if (process->state != PROCESS_INITIAL || thread->state != THREAD_NEW)
        status = ZX_ERR_BAD_STATE;
    else if (arg.object)
        status = handle_install(process, arg, &value);
    if (status != ZX_OK) {
        handle_ref_close(arg);
        return status;
    }
    process->state = PROCESS_RUNNING;
    KTRACE(KTRACE_TAG_PROC_START, thread->object.koid, process->object.koid, 0, 0);
    thread->flags |= THREAD_PROCESS_STARTING | THREAD_BEGINNING;
    return thread_start(thread, pc, sp, value, arg2);
}

/*
 * Its page is mapped here: the instruction would fault, which takes a trap more, and a snapshot at
 * the marker would have that still before it. Whatever is wrong with the address, the fault tells;
 * a pager's page is waited for by the thread, as it would have been.
 */
void process_begins(const struct process *process, zx_vaddr_t first)
{
    aspace_fault(process->aspace, first, HAL_FAULT_EXECUTE);
    mark(process, MARKER_START);
}

/* The order is the rules' (section 6, 97); `process` stays valid, the caller holds a reference. */
static void process_dead(struct process *process)
{
    exception_channel_close(&process->exception_channel);
    exception_channel_close(&process->debugger_channel);
    if (kernel()->in_steps && !teardown_handles(process))
        teardown_process(process);
    else
        process_gone(process);
}

void process_gone(struct process *process)
{
    struct job *job = process->job;
    struct kernel *k = kernel();

    process->state = PROCESS_DEAD;
    KTRACE(KTRACE_TAG_PROC_EXIT, process->object.koid, 0, 0, 0);
    handle_table_destroy(&process->handles);
    futex_process_exit(process);
    aspace_destroy(process->aspace);
    process->aspace = NULL;
    object_update_signals(&process->object, 0, ZX_PROCESS_TERMINATED);
    mark(process, MARKER_EXIT);
    if (!k->exit_code_final)
        k->exit_code = process->return_code;
    job_process_dead(job, process);
    if (process->critical_to && (!process->critical_nonzero || process->return_code)) {
        if (process->critical_to == k->root_job)
            k->exit_code_final = true;
        job_kill(process->critical_to, ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    }
}

void process_kill(struct process *process, int64_t code)
{
    struct thread *thread, *next;

    if (process->state >= PROCESS_DYING)
        return;
    process->state = PROCESS_DYING;
    process->return_code = code;
    object_ref(&process->object);
    if (TAILQ_EMPTY(&process->threads)) {
        process_dead(process);
    } else {
        /* Threads that never ran die here and now; the last of them takes the process along. */
        TAILQ_FOREACH_SAFE(thread, &process->threads, process_link, next)
            thread_kill(thread);
    }
    object_release(&process->object);
}

void process_suspend(struct process *process)
{
    struct thread *thread;

    if (process->suspend_count++)
        return;
    TAILQ_FOREACH(thread, &process->threads, process_link)
        thread_suspend(thread);
}

void process_resume(struct process *process)
{
    struct thread *thread;

    assert(process->suspend_count > 0);
    if (--process->suspend_count)
        return;
    TAILQ_FOREACH(thread, &process->threads, process_link)
        thread_resume(thread);
}

void process_thread_dead(struct process *process, struct thread *thread)
{
    bool started = process->state != PROCESS_INITIAL;

    object_ref(&process->object);
    TAILQ_REMOVE(&process->threads, thread, process_link);
    object_release(&thread->object);
    if (TAILQ_EMPTY(&process->threads) && started && process->state != PROCESS_DEAD) {
        process->state = PROCESS_DYING;
        process_dead(process);
    }
    object_release(&process->object);
}

/* ---- Object -------------------------------------------------------------------------------- */

/* A process that was never started can do nothing without a handle to it. */
static void process_on_zero_handles(struct object *object)
{
    struct process *process = container_of(object, struct process, object);

    if (process->state == PROCESS_INITIAL)
        process_kill(process, 0);
}

static void process_destroy(struct object *object)
{
    struct process *process = container_of(object, struct process, object);

    assert(process->state == PROCESS_DEAD && !process->aspace);
    object_release(&process->job->object);
    heap_free(process);
}

static zx_koid_t process_related(const struct object *object)
{
    return container_of(object, struct process, object)->job->object.koid;
}

static char *process_name(struct object *object)
{
    return container_of(object, struct process, object)->name;
}

const struct object_ops process_ops = {
    .type = ZX_OBJ_TYPE_PROCESS,
    .name = "process",
    .default_rights = ZX_DEFAULT_PROCESS_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .on_zero_handles = process_on_zero_handles,
    .destroy = process_destroy,
    .related_koid = process_related,
    .name_of = process_name,
};
