/*
 * policy.h - what the processes of a job may do: basic policies and timer slack.
 *
 * A basic policy is an action (ZX_POL_ACTION_*) for each condition (ZX_POL_*). A new job starts
 * with its parent's. An entry that was set by V1, or by V2 with OVERRIDE_DENY, is locked: neither
 * this job nor its descendants can change it.
 */
#ifndef ZVMM_OBJECT_POLICY_H
#define ZVMM_OBJECT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include <zircon/policy.h>

#define POLICY_CONDITIONS 15 /* ZX_POL_BAD_HANDLE ... ZX_POL_AMBIENT_MARK_VMO_EXEC */

struct job_policy {
    uint8_t basic[POLICY_CONDITIONS]; /* action | POLICY_LOCKED */
    zx_policy_timer_slack_t slack;
};
#define POLICY_LOCKED 0x80u

/* ZX_POL_ACTION_*. */
static inline uint32_t job_policy_action(const struct job_policy *policy, uint32_t condition)
{
    return policy->basic[condition] & ~POLICY_LOCKED;
}

/*
 * Sets all entries or none. `absolute`: ZX_ERR_ALREADY_EXISTS if one is locked with another action;
 * otherwise such entries are skipped. ZX_ERR_INVALID_ARGS: no such condition or flag;
 * ZX_ERR_NOT_SUPPORTED: no such action.
 */
zx_status_t job_policy_set_basic(struct job_policy *policy, bool absolute,
                                 const zx_policy_basic_v2_t *entries, uint32_t count);

/* The slack becomes at least the given one. ZX_ERR_INVALID_ARGS: negative, or no such mode. */
zx_status_t job_policy_set_slack(struct job_policy *policy, const zx_policy_timer_slack_t *slack);

#endif
