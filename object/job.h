/*
 * job.h - jobs: the tree of what may be controlled together.
 *
 * A job lists its child jobs and processes without holding references (each removes itself when it
 * dies); children reference their parent. Killing goes down without recursion. A job is DEAD once
 * it was killed and both lists are empty.
 */
#ifndef ZVMM_OBJECT_JOB_H
#define ZVMM_OBJECT_JOB_H

#include "exception.h"
#include "object.h"
#include "policy.h"
#include "process.h"

#define JOB_MAX_HEIGHT 32

enum job_state { JOB_ALIVE, JOB_KILLING, JOB_DEAD };

struct job {
    struct object object;
    struct job *parent; /* referenced; NULL: root */
    TAILQ_ENTRY(job) sibling_link;
    TAILQ_HEAD(, job) jobs;
    TAILQ_HEAD(, process) processes;
    enum job_state state;
    uint32_t height; /* root 32 */
    int64_t return_code;
    bool kill_on_oom;
    bool left_parent;         /* no longer in parent->jobs */
    struct job_policy policy; /* begins as the parent's */
    struct exception_channel exception_channel, debugger_channel;
    char name[ZX_MAX_NAME_LEN];
};

extern const struct object_ops job_ops;

/* One reference. parent NULL makes the root job. ZX_ERR_OUT_OF_RANGE (too deep), ZX_ERR_BAD_STATE
 * (parent killed), ZX_ERR_NO_MEMORY. */
zx_status_t job_create(struct job *parent, struct job **out);
void job_kill(struct job *job, int64_t code);
/* A new process joins (references the job) ... */
void job_add_process(struct job *job, struct process *process);
/* ... and leaves when it is dead: the job may be dead now, too. */
void job_process_dead(struct job *job, struct process *process);

/* What the basic policy of the calling process's job says of `condition` (ZX_POL_*). ZX_OK or
 * ZX_ERR_ACCESS_DENIED; the _EXCEPTION actions raise one on the calling thread when it returns to
 * user mode, KILL ends the process. Creating syscalls call it first (rules, section 0). */
zx_status_t job_policy_check(struct process *process, uint32_t condition);

#endif
