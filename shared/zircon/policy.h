/*
 * Job policy: what the processes below a job may do (Zircon ABI, March 2020), and critical
 * processes.
 */
#ifndef ZIRCON_POLICY_H
#define ZIRCON_POLICY_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

/* Option of zx_job_set_policy: what happens where the parent's policy already decides. */
#define ZX_JOB_POL_RELATIVE 0u /* entries that conflict with an ancestor's policy are skipped */
#define ZX_JOB_POL_ABSOLUTE 1u /* such entries make the call fail */

/* Topics, with the type of the array passed. */
#define ZX_JOB_POL_BASIC_V1    0x0u       /* zx_policy_basic_v1_t[n] */
#define ZX_JOB_POL_BASIC_V2    0x1000000u /* zx_policy_basic_v2_t[n] */
#define ZX_JOB_POL_TIMER_SLACK 0x1u       /* zx_policy_timer_slack_t */

/* Conditions. */
#define ZX_POL_BAD_HANDLE            0u
#define ZX_POL_WRONG_OBJECT          1u
#define ZX_POL_VMAR_WX               2u
#define ZX_POL_NEW_ANY               3u /* stands for all the NEW_ conditions */
#define ZX_POL_NEW_VMO               4u
#define ZX_POL_NEW_CHANNEL           5u
#define ZX_POL_NEW_EVENT             6u
#define ZX_POL_NEW_EVENTPAIR         7u
#define ZX_POL_NEW_PORT              8u
#define ZX_POL_NEW_SOCKET            9u
#define ZX_POL_NEW_FIFO              10u
#define ZX_POL_NEW_TIMER             11u
#define ZX_POL_NEW_PROCESS           12u
#define ZX_POL_NEW_PROFILE           13u
#define ZX_POL_AMBIENT_MARK_VMO_EXEC 14u

/* Actions. The _EXCEPTION ones raise ZX_EXCP_POLICY_ERROR on the calling thread as well. */
#define ZX_POL_ACTION_ALLOW           0u
#define ZX_POL_ACTION_DENY            1u
#define ZX_POL_ACTION_ALLOW_EXCEPTION 2u
#define ZX_POL_ACTION_DENY_EXCEPTION  3u
#define ZX_POL_ACTION_KILL            4u

/* policy_basic_v2.flags: may the jobs below set this condition otherwise? */
#define ZX_POL_OVERRIDE_ALLOW 0u
#define ZX_POL_OVERRIDE_DENY  1u

typedef struct zx_policy_basic_v1 {
    uint32_t condition; /* ZX_POL_ */
    uint32_t policy;    /* ZX_POL_ACTION_ */
} zx_policy_basic_v1_t;
ZX_ABI_SIZE(zx_policy_basic_v1_t, 8);
ZX_ABI_OFFSET(zx_policy_basic_v1_t, policy, 4);

typedef struct zx_policy_basic_v2 {
    uint32_t condition; /* ZX_POL_ */
    uint32_t action;    /* ZX_POL_ACTION_ */
    uint32_t flags;     /* ZX_POL_OVERRIDE_ */
} zx_policy_basic_v2_t;
ZX_ABI_SIZE(zx_policy_basic_v2_t, 12);
ZX_ABI_OFFSET(zx_policy_basic_v2_t, flags, 8);

typedef struct zx_policy_timer_slack {
    zx_duration_t min_slack;
    uint32_t default_mode; /* ZX_TIMER_SLACK_ */
    uint8_t padding1[4];
} zx_policy_timer_slack_t;
ZX_ABI_SIZE(zx_policy_timer_slack_t, 16);
ZX_ABI_OFFSET(zx_policy_timer_slack_t, default_mode, 8);

/* Option of zx_job_set_critical. */
/* Only if the process ends with a return code other than 0. */
#define ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO 0x1u

#endif
