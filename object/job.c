/*
 * job.c - the job tree.
 */
#include "job.h"

#include <zircon/errors.h>
#include <zircon/policy.h>

#include "executor.h"
#include "format.h"
#include "heap.h"
#include "kcounter.h"
#include "string.h"
#include "thread.h"

KCOUNTER(jobs_created, "job.created");

zx_status_t job_create(struct job *parent, struct job **out)
{
    struct job *job;

    if (parent && parent->height == 0)
        return ZX_ERR_OUT_OF_RANGE;
    if (parent && parent->state != JOB_ALIVE)
        return ZX_ERR_BAD_STATE;
    job = heap_zalloc(sizeof *job);
    if (!job)
        return ZX_ERR_NO_MEMORY;
    object_init(&job->object, &job_ops, ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES);
    TAILQ_INIT(&job->jobs);
    TAILQ_INIT(&job->processes);
    kcounter_add(&jobs_created, 1);
    job->height = JOB_MAX_HEIGHT;
    if (parent) {
        object_ref(&parent->object);
        job->parent = parent;
        job->height = parent->height - 1;
        job->policy = parent->policy;
        TAILQ_INSERT_TAIL(&parent->jobs, job, sibling_link);
        object_update_signals(&parent->object, ZX_JOB_NO_JOBS, 0);
    }
    *out = job;
    return ZX_OK;
}

void job_add_process(struct job *job, struct process *process)
{
    object_ref(&job->object);
    process->job = job;
    TAILQ_INSERT_TAIL(&job->processes, process, job_link);
    object_update_signals(&job->object, ZX_JOB_NO_PROCESSES, 0);
}

static void leave_parent(struct job *job)
{
    struct job *parent = job->parent;

    if (!parent || job->left_parent)
        return;
    job->left_parent = true;
    TAILQ_REMOVE(&parent->jobs, job, sibling_link);
    if (TAILQ_EMPTY(&parent->jobs))
        object_update_signals(&parent->object, 0, ZX_JOB_NO_JOBS);
}

/* A killed job whose lists have become empty is dead, and so may be its killed parents. */
static void check_dead(struct job *job)
{
    while (job && job->state == JOB_KILLING && TAILQ_EMPTY(&job->jobs) &&
           TAILQ_EMPTY(&job->processes)) {
        job->state = JOB_DEAD;
        leave_parent(job);
        object_update_signals(&job->object, 0, ZX_JOB_TERMINATED);
        exception_channel_close(&job->exception_channel);
        exception_channel_close(&job->debugger_channel);
        job = job->parent;
    }
}

void job_process_dead(struct job *job, struct process *process)
{
    object_ref(&job->object);
    TAILQ_REMOVE(&job->processes, process, job_link);
    if (TAILQ_EMPTY(&job->processes))
        object_update_signals(&job->object, 0, ZX_JOB_NO_PROCESSES);
    check_dead(job);
    object_release(&job->object);
}

static void kill_processes(struct job *job, int64_t code)
{
    struct process *process, *next;

    /* A process without threads dies here and leaves the list; the others do so later. */
    TAILQ_FOREACH_SAFE(process, &job->processes, job_link, next)
        process_kill(process, code);
}

static struct job *first_alive(struct job *job)
{
    while (job && job->state != JOB_ALIVE)
        job = TAILQ_NEXT(job, sibling_link);
    return job;
}

static struct job *enter(struct job *job, int64_t code)
{
    job->state = JOB_KILLING;
    job->return_code = code;
    return job;
}

/*
 * Walks the tree below `top` depth first, without recursion: down to the first child, sideways to
 * the next one, and up when there is none; child jobs die before their parent's processes. The
 * caller holds the release work list, so a job that leaves its parent meanwhile keeps its pointers.
 */
static void kill_tree(struct job *top, int64_t code)
{
    struct job *job = enter(top, code), *child, *sibling;
    bool descend = true;

    for (;;) {
        child = descend ? first_alive(TAILQ_FIRST(&job->jobs)) : NULL;
        if (child) {
            job = enter(child, code);
            continue;
        }
        sibling = job == top ? NULL : first_alive(TAILQ_NEXT(job, sibling_link));
        kill_processes(job, code);
        check_dead(job);
        if (job == top)
            return;
        descend = sibling != NULL;
        job = sibling ? enter(sibling, code) : job->parent;
    }
}

void job_kill(struct job *job, int64_t code)
{
    if (job->state != JOB_ALIVE)
        return;
    object_hold_releases();
    kill_tree(job, code);
    object_run_releases();
}

/* For the log. */
static const char *const condition_names[POLICY_CONDITIONS] = {
    [ZX_POL_BAD_HANDLE] = "job policy: bad handle",
    [ZX_POL_WRONG_OBJECT] = "job policy: wrong object",
    [ZX_POL_VMAR_WX] = "job policy: writable and executable mapping",
    [ZX_POL_NEW_ANY] = "job policy: new object",
    [ZX_POL_NEW_VMO] = "job policy: new VMO",
    [ZX_POL_NEW_CHANNEL] = "job policy: new channel",
    [ZX_POL_NEW_EVENT] = "job policy: new event",
    [ZX_POL_NEW_EVENTPAIR] = "job policy: new event pair",
    [ZX_POL_NEW_PORT] = "job policy: new port",
    [ZX_POL_NEW_SOCKET] = "job policy: new socket",
    [ZX_POL_NEW_FIFO] = "job policy: new FIFO",
    [ZX_POL_NEW_TIMER] = "job policy: new timer",
    [ZX_POL_NEW_PROCESS] = "job policy: new process",
    [ZX_POL_NEW_PROFILE] = "job policy: new profile",
    [ZX_POL_AMBIENT_MARK_VMO_EXEC] = "job policy: executable VMO without a resource",
};

zx_status_t job_policy_check(struct process *process, uint32_t condition)
{
    switch (job_policy_action(&process->job->policy, condition)) {
    case ZX_POL_ACTION_ALLOW:
        return ZX_OK;
    case ZX_POL_ACTION_ALLOW_EXCEPTION:
        thread_policy_exception(this_cpu()->current, condition_names[condition]);
        return ZX_OK;
    case ZX_POL_ACTION_DENY_EXCEPTION:
        thread_policy_exception(this_cpu()->current, condition_names[condition]);
        return ZX_ERR_ACCESS_DENIED;
    case ZX_POL_ACTION_KILL:
        process_kill(process, ZX_TASK_RETCODE_POLICY_KILL);
        return ZX_ERR_ACCESS_DENIED;
    default:
        return ZX_ERR_ACCESS_DENIED;
    }
}

/* ---- Object -------------------------------------------------------------------------------- */

static void job_destroy(struct object *object)
{
    struct job *job = container_of(object, struct job, object);

    leave_parent(job);
    exception_channel_close(&job->exception_channel);
    exception_channel_close(&job->debugger_channel);
    if (job->parent)
        object_release(&job->parent->object);
    heap_free(job);
}

static zx_koid_t job_related(const struct object *object)
{
    const struct job *job = container_of(object, struct job, object);

    return job->parent ? job->parent->object.koid : ZX_KOID_INVALID;
}

static char *job_name(struct object *object)
{
    return container_of(object, struct job, object)->name;
}

const struct object_ops job_ops = {
    .type = ZX_OBJ_TYPE_JOB,
    .name = "job",
    .default_rights = ZX_DEFAULT_JOB_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = job_destroy,
    .related_koid = job_related,
    .name_of = job_name,
};
