/*
 * policy.c - job policies.
 */
#include "policy.h"

#include <zircon/errors.h>
#include <zircon/ipc.h>

static zx_status_t set_one(struct job_policy *policy, bool absolute, uint32_t condition,
                           const zx_policy_basic_v2_t *entry)
{
    uint8_t *present = &policy->basic[condition];

    if (!(*present & POLICY_LOCKED)) {
        *present = (uint8_t)entry->action;
        if (entry->flags == ZX_POL_OVERRIDE_DENY)
            *present |= POLICY_LOCKED;
        return ZX_OK;
    }
    /* Said again it is no conflict, but it stays locked. */
    if (job_policy_action(policy, condition) == entry->action)
        return ZX_OK;
    return absolute ? ZX_ERR_ALREADY_EXISTS : ZX_OK;
}

static zx_status_t set_all_new(struct job_policy *policy, bool absolute,
                               const zx_policy_basic_v2_t *entry)
{
    zx_status_t status = ZX_OK;

    for (uint32_t c = ZX_POL_NEW_ANY; c <= ZX_POL_NEW_PROFILE && status == ZX_OK; c++)
        status = set_one(policy, absolute, c, entry);
    return status;
}

zx_status_t job_policy_set_basic(struct job_policy *policy, bool absolute,
                                 const zx_policy_basic_v2_t *entries, uint32_t count)
{
    struct job_policy result = *policy;
    zx_status_t status = ZX_OK;

    for (uint32_t i = 0; i < count && status == ZX_OK; i++) {
        const zx_policy_basic_v2_t *entry = &entries[i];

        if (entry->condition >= POLICY_CONDITIONS || entry->flags > ZX_POL_OVERRIDE_DENY)
            return ZX_ERR_INVALID_ARGS;
        if (entry->action > ZX_POL_ACTION_KILL)
            return ZX_ERR_NOT_SUPPORTED;
        status = entry->condition == ZX_POL_NEW_ANY
                     ? set_all_new(&result, absolute, entry)
                     : set_one(&result, absolute, entry->condition, entry);
    }
    if (status == ZX_OK)
        *policy = result;
    return status;
}

zx_status_t job_policy_set_slack(struct job_policy *policy, const zx_policy_timer_slack_t *slack)
{
    if (slack->min_slack < 0 || slack->default_mode > ZX_TIMER_SLACK_LATE)
        return ZX_ERR_INVALID_ARGS;
    if (slack->min_slack > policy->slack.min_slack)
        policy->slack.min_slack = slack->min_slack;
    policy->slack.default_mode = slack->default_mode;
    return ZX_OK;
}
