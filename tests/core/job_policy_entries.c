/*
 * Job policies: both versions of the basic ones, timer slack, what the processes below see.
 */
#include "child.h"

#define ABSOLUTE     ZX_JOB_POL_ABSOLUTE
#define RELATIVE     ZX_JOB_POL_RELATIVE
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static zx_handle_t make_job(zx_handle_t parent)
{
    zx_handle_t job;

    ASSERT_OK(zx_job_create(parent, 0, &job));
    return job;
}

static zx_status_t set_v1(zx_handle_t job, uint32_t options, uint32_t condition, uint32_t action)
{
    const zx_policy_basic_v1_t policy = {condition, action};

    return zx_job_set_policy(job, options, ZX_JOB_POL_BASIC_V1, &policy, 1);
}

static zx_status_t set_v2(zx_handle_t job, uint32_t options, uint32_t condition, uint32_t action,
                          uint32_t flags)
{
    const zx_policy_basic_v2_t policy = {condition, action, flags};

    return zx_job_set_policy(job, options, ZX_JOB_POL_BASIC_V2, &policy, 1);
}

/* Makes one object of each kind that a child's calls can make; one bit for each that it could not.
 */
static CHILD void makes_objects(zx_handle_t channel, const struct child_calls *calls)
{
    zx_handle_t a, b;
    int64_t denied = 0;

    (void)channel;
    if (calls->event_create(0, &a) == ZX_ERR_ACCESS_DENIED)
        denied |= 1;
    if (calls->vmo_create(1, 0, &a) == ZX_ERR_ACCESS_DENIED)
        denied |= 2;
    if (calls->channel_create(0, &a, &b) == ZX_ERR_ACCESS_DENIED)
        denied |= 4;
    calls->process_exit(denied);
}

#define NO_EVENTS   1
#define NO_VMOS     2
#define NO_CHANNELS 4

static int64_t denied_in(zx_handle_t job)
{
    struct child child = child_start(job, makes_objects, 0);
    int64_t denied = child_wait(&child);

    child_close(&child);
    return denied;
}

/* ---- Basic policies ------------------------------------------------------------------------ */

TEST(JobPolicyBasic, NothingIsDeniedAtFirst)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_EQ(denied_in(job), 0);
    CLOSE(job);
}

TEST(JobPolicyBasic, SeveralAtOnce)
{
    const zx_policy_basic_v1_t policies[] = {{ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY},
                                             {ZX_POL_NEW_VMO, ZX_POL_ACTION_ALLOW},
                                             {ZX_POL_NEW_CHANNEL, ZX_POL_ACTION_DENY}};
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_OK(zx_job_set_policy(job, ABSOLUTE, ZX_JOB_POL_BASIC_V1, policies, COUNT(policies)));
    EXPECT_EQ(denied_in(job), NO_EVENTS | NO_CHANNELS);
    CLOSE(job);
}

TEST(JobPolicyBasic, NewAnyStandsForAll)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_NEW_ANY, ZX_POL_ACTION_DENY));
    EXPECT_EQ(denied_in(job), NO_EVENTS | NO_VMOS | NO_CHANNELS);
    CLOSE(job);
}

/* What was said before of one kind stays, if the rest is relative. */
TEST(JobPolicyBasic, NewAnyBesideOthers)
{
    const zx_policy_basic_v1_t policies[] = {{ZX_POL_NEW_VMO, ZX_POL_ACTION_ALLOW},
                                             {ZX_POL_NEW_ANY, ZX_POL_ACTION_DENY}};
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, ZX_JOB_POL_BASIC_V1, policies, COUNT(policies)),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_OK(zx_job_set_policy(job, RELATIVE, ZX_JOB_POL_BASIC_V1, policies, COUNT(policies)));
    EXPECT_EQ(denied_in(job), NO_EVENTS | NO_CHANNELS);
    CLOSE(job);
}

TEST(JobPolicyBasic, AllOrNothing)
{
    zx_policy_basic_v1_t policies[] = {{ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY},
                                       {ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY},
                                       {99, ZX_POL_ACTION_DENY}};
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, ZX_JOB_POL_BASIC_V1, policies, 3),
                  ZX_ERR_INVALID_ARGS);
    policies[2] = (zx_policy_basic_v1_t){ZX_POL_NEW_CHANNEL, 5};
    EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, ZX_JOB_POL_BASIC_V1, policies, 3),
                  ZX_ERR_NOT_SUPPORTED);
    policies[2] = (zx_policy_basic_v1_t){ZX_POL_NEW_VMO, ZX_POL_ACTION_ALLOW};
    EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, ZX_JOB_POL_BASIC_V1, policies, 3),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_EQ(denied_in(job), 0);
    CLOSE(job);
}

/* Within one job as between jobs. */
TEST(JobPolicyBasic, ExplicitEntriesStay)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY));
    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY)); /* says the same */
    EXPECT_STATUS(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_STATUS(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_KILL),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_OK(set_v1(job, RELATIVE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW));
    EXPECT_EQ(denied_in(job), NO_EVENTS);
    CLOSE(job);
}

TEST(JobPolicyBasic, ExplicitlyAllowedStaysAllowed)
{
    zx_handle_t job = make_job(zx_job_default()), inner;

    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW));
    inner = make_job(job);
    EXPECT_STATUS(set_v1(inner, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_OK(set_v1(inner, ABSOLUTE, ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY));
    EXPECT_EQ(denied_in(inner), NO_VMOS);
    CLOSE(inner);
    CLOSE(job);
}

TEST(JobPolicyBasic, ParentsAreCopiedAtCreation)
{
    zx_handle_t job = make_job(zx_job_default()), early = make_job(job), late;

    EXPECT_STATUS(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY), ZX_ERR_BAD_STATE);
    CLOSE(early);
    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY));
    late = make_job(job);
    EXPECT_EQ(denied_in(late), NO_EVENTS);
    CLOSE(late);
    CLOSE(job);
}

TEST(JobPolicyBasic, NotWithAProcessInIt)
{
    zx_handle_t job = make_job(zx_job_default());
    struct child child = child_start(job, child_sleeps, 0);

    EXPECT_STATUS(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY), ZX_ERR_BAD_STATE);
    /* Before any entry is looked at. */
    EXPECT_STATUS(set_v1(job, ABSOLUTE, 99, 99), ZX_ERR_BAD_STATE);
    child_close(&child);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_NO_PROCESSES, soon(), NULL));
    EXPECT_OK(set_v1(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY));
    CLOSE(job);
}

TEST(JobPolicyBasic, BadArguments)
{
    zx_handle_t job = make_job(zx_job_default());
    zx_policy_basic_v2_t many[40];

    for (size_t i = 0; i < COUNT(many); i++)
        many[i] =
            (zx_policy_basic_v2_t){ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY};
    for (uint32_t topic = ZX_JOB_POL_BASIC_V1;; topic = ZX_JOB_POL_BASIC_V2) {
        EXPECT_STATUS(zx_job_set_policy(job, 2, topic, many, 1), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, topic, NULL, 1), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, topic, UNMAPPED, 1), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, topic, KERNEL_ADDRESS, 1),
                      ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, topic, many, 0), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, topic, many, 16), ZX_ERR_OUT_OF_RANGE);
        EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, topic, many, 33), ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_job_set_policy(job, ABSOLUTE, topic, many, UINT32_MAX),
                      ZX_ERR_INVALID_ARGS);
        EXPECT_STATUS(zx_job_set_policy(closed_handle(), ABSOLUTE, topic, many, 1),
                      ZX_ERR_BAD_HANDLE);
        EXPECT_STATUS(zx_job_set_policy(zx_process_self(), ABSOLUTE, topic, many, 1),
                      ZX_ERR_WRONG_TYPE);
        if (topic == ZX_JOB_POL_BASIC_V2)
            break;
    }
    EXPECT_OK(zx_job_set_policy(job, ABSOLUTE, ZX_JOB_POL_BASIC_V2, many, 15)); /* 15 times so */
    CLOSE(job);
}

/* ---- Version 2: what descendants may change ------------------------------------------------- */

TEST(JobPolicyOverride, Allowed)
{
    zx_handle_t job = make_job(zx_job_default()), inner;

    EXPECT_OK(set_v2(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_ALLOW));
    inner = make_job(job);
    EXPECT_EQ(denied_in(inner), NO_EVENTS);
    CLOSE(inner);
    inner = make_job(job);
    EXPECT_OK(
        set_v2(inner, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW, ZX_POL_OVERRIDE_ALLOW));
    EXPECT_EQ(denied_in(inner), 0);
    CLOSE(inner);
    CLOSE(job);
}

TEST(JobPolicyOverride, Denied)
{
    zx_handle_t job = make_job(zx_job_default()), inner;

    EXPECT_OK(set_v2(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY));
    inner = make_job(job);
    EXPECT_STATUS(
        set_v2(inner, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW, ZX_POL_OVERRIDE_ALLOW),
        ZX_ERR_ALREADY_EXISTS);
    EXPECT_OK(
        set_v2(inner, RELATIVE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW, ZX_POL_OVERRIDE_ALLOW));
    EXPECT_EQ(denied_in(inner), NO_EVENTS);
    CLOSE(inner);
    CLOSE(job);
}

/* Saying the same with the other flag does not unlock it. */
TEST(JobPolicyOverride, CannotBeUnlocked)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_OK(set_v2(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY));
    set_v2(job, RELATIVE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_ALLOW);
    EXPECT_STATUS(
        set_v2(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW, ZX_POL_OVERRIDE_ALLOW),
        ZX_ERR_ALREADY_EXISTS);
    CLOSE(job);
}

TEST(JobPolicyOverride, CanBeLockedLater)
{
    zx_handle_t job = make_job(zx_job_default()), inner;

    EXPECT_OK(set_v2(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_ALLOW));
    inner = make_job(job);
    EXPECT_OK(set_v2(inner, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY));
    EXPECT_STATUS(set_v1(inner, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW),
                  ZX_ERR_ALREADY_EXISTS);
    CLOSE(inner);
    CLOSE(job);
}

TEST(JobPolicyOverride, BadFlag)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_STATUS(set_v2(job, ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, 2),
                  ZX_ERR_INVALID_ARGS);
    CLOSE(job);
}

/* ---- Timer slack --------------------------------------------------------------------------- */

static zx_status_t set_slack(zx_handle_t job, uint32_t options, zx_duration_t slack, uint32_t mode)
{
    const zx_policy_timer_slack_t policy = {.min_slack = slack, .default_mode = mode};

    return zx_job_set_policy(job, options, ZX_JOB_POL_TIMER_SLACK, &policy, 1);
}

TEST(JobPolicySlack, Set)
{
    zx_handle_t job = make_job(zx_job_default());

    for (uint32_t mode = ZX_TIMER_SLACK_CENTER; mode <= ZX_TIMER_SLACK_LATE; mode++)
        EXPECT_OK(set_slack(job, RELATIVE, MS(mode), mode));
    EXPECT_OK(set_slack(job, RELATIVE, 0, ZX_TIMER_SLACK_EARLY));
    EXPECT_OK(set_slack(job, RELATIVE, INT64_MAX, ZX_TIMER_SLACK_LATE));
    CLOSE(job);
}

TEST(JobPolicySlack, BadArguments)
{
    const zx_policy_timer_slack_t policies[2] = {{.min_slack = 1}, {.min_slack = 1}};
    zx_handle_t job = make_job(zx_job_default()), weak = without_rights(job, ZX_RIGHT_SET_POLICY);

    EXPECT_STATUS(set_slack(job, ABSOLUTE, MS(1), ZX_TIMER_SLACK_LATE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_slack(job, RELATIVE, -1, ZX_TIMER_SLACK_LATE), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_slack(job, RELATIVE, MS(1), 3), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, RELATIVE, ZX_JOB_POL_TIMER_SLACK, policies, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, RELATIVE, ZX_JOB_POL_TIMER_SLACK, policies, 2),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, RELATIVE, ZX_JOB_POL_TIMER_SLACK, NULL, 1),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, RELATIVE, ZX_JOB_POL_TIMER_SLACK, UNMAPPED, 1),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_slack(weak, RELATIVE, MS(1), ZX_TIMER_SLACK_LATE), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(job);
}

TEST(JobPolicySlack, NotWithChildren)
{
    zx_handle_t job = make_job(zx_job_default()), inner = make_job(job);

    EXPECT_STATUS(set_slack(job, RELATIVE, MS(1), ZX_TIMER_SLACK_LATE), ZX_ERR_BAD_STATE);
    CLOSE(inner);
    CLOSE(job);
}
