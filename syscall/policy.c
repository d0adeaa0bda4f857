/*
 * policy.c - zx_job_set_policy: rules section 6, 57.
 */
#include "policy.h"

#include "job.h"
#include "syscalls.h"

#define MAX_ENTRIES 32u /* more are refused without a look at them */

/* A job can be given policies only while nothing in it has acted on others. */
static zx_status_t get_empty_job(struct thread *self, zx_handle_t handle, struct job **out)
{
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_JOB, ZX_RIGHT_SET_POLICY, out);

    if (status != ZX_OK)
        return status;
    return TAILQ_EMPTY(&(*out)->jobs) && TAILQ_EMPTY(&(*out)->processes) ? ZX_OK : ZX_ERR_BAD_STATE;
}

/* Reads entries of either version. */
static zx_status_t read_entries(struct process *process, uint32_t topic, struct user_ptr from,
                                uint32_t count, zx_policy_basic_v2_t *entries)
{
    zx_policy_basic_v1_t v1[POLICY_CONDITIONS];
    zx_status_t status;

    if (topic == ZX_JOB_POL_BASIC_V2)
        return user_read(process, entries, from, count * sizeof entries[0]);
    status = user_read(process, v1, from, count * sizeof v1[0]);
    for (uint32_t i = 0; status == ZX_OK && i < count; i++)
        entries[i] = (zx_policy_basic_v2_t){v1[i].condition, v1[i].policy, ZX_POL_OVERRIDE_DENY};
    return status;
}

static zx_status_t set_basic(struct thread *self, zx_handle_t handle, uint32_t options,
                             uint32_t topic, struct user_ptr policy, uint32_t count)
{
    zx_policy_basic_v2_t entries[POLICY_CONDITIONS];
    struct job *job;
    zx_status_t status;

    if (options != ZX_JOB_POL_RELATIVE && options != ZX_JOB_POL_ABSOLUTE)
        return ZX_ERR_INVALID_ARGS;
    if (user_null(policy) || count == 0 || count > MAX_ENTRIES)
        return ZX_ERR_INVALID_ARGS;
    if (count > POLICY_CONDITIONS)
        return ZX_ERR_OUT_OF_RANGE;
    status = read_entries(self->process, topic, policy, count, entries);
    if (status == ZX_OK)
        status = get_empty_job(self, handle, &job);
    if (status != ZX_OK)
        return status;
    return job_policy_set_basic(&job->policy, options == ZX_JOB_POL_ABSOLUTE, entries, count);
}

static zx_status_t set_slack(struct thread *self, zx_handle_t handle, uint32_t options,
                             struct user_ptr policy, uint32_t count)
{
    zx_policy_timer_slack_t slack;
    struct job *job;
    zx_status_t status;

    if (options != ZX_JOB_POL_RELATIVE || user_null(policy) || count != 1)
        return ZX_ERR_INVALID_ARGS;
    status = user_read(self->process, &slack, policy, sizeof slack);
    if (status == ZX_OK)
        status = get_empty_job(self, handle, &job);
    return status == ZX_OK ? job_policy_set_slack(&job->policy, &slack) : status;
}

int64_t sys_job_set_policy(struct thread *self, zx_handle_t handle, uint32_t options,
                           uint32_t topic, struct user_ptr policy, uint32_t policy_size)
{
    switch (topic) {
    case ZX_JOB_POL_BASIC_V1:
    case ZX_JOB_POL_BASIC_V2:
        return set_basic(self, handle, options, topic, policy, policy_size);
    case ZX_JOB_POL_TIMER_SLACK:
        return set_slack(self, handle, options, policy, policy_size);
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}
