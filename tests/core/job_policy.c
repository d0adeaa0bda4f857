/*
 * Job policies: what the processes below a job may do.
 */
#include "child.h"

static zx_handle_t make_job(zx_handle_t parent)
{
    zx_handle_t job;

    ASSERT_OK(zx_job_create(parent, 0, &job));
    return job;
}

static CHILD void makes_an_event(zx_handle_t channel, const struct child_calls *calls)
{
    zx_handle_t event;

    (void)channel;
    calls->process_exit(calls->event_create(0, &event));
}

static zx_status_t set_policy(zx_handle_t job, uint32_t options, uint32_t condition,
                              uint32_t action)
{
    const zx_policy_basic_v1_t policy = {condition, action};

    return zx_job_set_policy(job, options, ZX_JOB_POL_BASIC_V1, &policy, 1);
}

static int64_t event_under_policy(uint32_t condition, uint32_t action)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, condition, action));
    struct child child = child_start(job, makes_an_event, 0);
    int64_t return_code = child_wait(&child);
    child_close(&child);
    CLOSE(job);
    return return_code;
}

TEST(JobPolicy, Actions)
{
    EXPECT_EQ(event_under_policy(ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW), ZX_OK);
    EXPECT_EQ(event_under_policy(ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY), ZX_ERR_ACCESS_DENIED);
    EXPECT_EQ(event_under_policy(ZX_POL_NEW_EVENT, ZX_POL_ACTION_KILL),
              ZX_TASK_RETCODE_POLICY_KILL);
    EXPECT_EQ(event_under_policy(ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW_EXCEPTION),
              ZX_TASK_RETCODE_EXCEPTION_KILL);
    EXPECT_EQ(event_under_policy(ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY_EXCEPTION),
              ZX_TASK_RETCODE_EXCEPTION_KILL);
    EXPECT_EQ(event_under_policy(ZX_POL_NEW_CHANNEL, ZX_POL_ACTION_DENY), ZX_OK);
    EXPECT_EQ(event_under_policy(ZX_POL_NEW_ANY, ZX_POL_ACTION_DENY), ZX_ERR_ACCESS_DENIED);
}

static CHILD void closes_a_bad_handle(zx_handle_t channel, const struct child_calls *calls)
{
    calls->handle_close(channel);
    calls->process_exit(calls->handle_close(channel));
}

TEST(JobPolicy, BadHandle)
{
    zx_handle_t job = make_job(zx_job_default());

    ASSERT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_BAD_HANDLE, ZX_POL_ACTION_KILL));
    struct child child = child_start(job, closes_a_bad_handle, 0);
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_POLICY_KILL);
    child_close(&child);
    CLOSE(job);
}

TEST(JobPolicy, IsInherited)
{
    zx_handle_t job = make_job(zx_job_default()), inner;

    ASSERT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY));
    inner = make_job(job);
    struct child child = child_start(inner, makes_an_event, 0);
    EXPECT_EQ(child_wait(&child), ZX_ERR_ACCESS_DENIED);
    child_close(&child);
    CLOSE(inner);
    inner = make_job(job);
    EXPECT_STATUS(set_policy(inner, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_OK(set_policy(inner, ZX_JOB_POL_RELATIVE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW));
    child = child_start(inner, makes_an_event, 0);
    EXPECT_EQ(child_wait(&child), ZX_ERR_ACCESS_DENIED); /* skipped, not overridden */
    child_close(&child);
    CLOSE(inner);
    CLOSE(job);
}

TEST(JobPolicy, BadArguments)
{
    zx_handle_t job = make_job(zx_job_default()), inner;
    zx_policy_basic_v1_t policy = {ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY};

    EXPECT_STATUS(zx_job_set_policy(job, 99, ZX_JOB_POL_BASIC_V1, &policy, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, 99, &policy, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, NULL, 1),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, &policy, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_policy(job, ZX_JOB_POL_ABSOLUTE, 99, ZX_POL_ACTION_DENY),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, 99), ZX_ERR_NOT_SUPPORTED);
    zx_handle_t weak = without_rights(job, ZX_RIGHT_SET_POLICY);
    EXPECT_STATUS(set_policy(weak, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    inner = make_job(job);
    EXPECT_STATUS(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY),
                  ZX_ERR_BAD_STATE); /* it has a child */
    CLOSE(inner);
    CLOSE(job);
}

/* ---- What is governed ---------------------------------------------------------------------- */

/* Tries all calls that a condition governs; exits with the set of conditions that denied one. */
static CHILD void makes_everything(zx_handle_t channel, const struct child_calls *calls)
{
    zx_handle_t out[2];
    uint64_t denied = 0;

    (void)channel;
#define TRY(condition, call)                                                                       \
    if (calls->call == ZX_ERR_ACCESS_DENIED)                                                       \
    denied |= 1u << (condition)
    TRY(ZX_POL_NEW_VMO, vmo_create(4096, 0, out));
    TRY(ZX_POL_NEW_CHANNEL, channel_create(0, out, out + 1));
    TRY(ZX_POL_NEW_EVENT, event_create(0, out));
    TRY(ZX_POL_NEW_EVENTPAIR, eventpair_create(0, out, out + 1));
    TRY(ZX_POL_NEW_PORT, port_create(0, out));
    TRY(ZX_POL_NEW_SOCKET, socket_create(0, out, out + 1));
    TRY(ZX_POL_NEW_FIFO, fifo_create(4, 4, 0, out, out + 1));
    TRY(ZX_POL_NEW_TIMER, timer_create(0, ZX_CLOCK_MONOTONIC, out));
#undef TRY
    calls->process_exit((int64_t)denied);
}

#define TRIED                                                                                      \
    (1u << ZX_POL_NEW_VMO | 1u << ZX_POL_NEW_CHANNEL | 1u << ZX_POL_NEW_EVENT |                    \
     1u << ZX_POL_NEW_EVENTPAIR | 1u << ZX_POL_NEW_PORT | 1u << ZX_POL_NEW_SOCKET |                \
     1u << ZX_POL_NEW_FIFO | 1u << ZX_POL_NEW_TIMER)

/* What is denied to a process in that job. */
static int64_t denied_in(zx_handle_t job)
{
    struct child child = child_start(job, makes_everything, 0);
    int64_t denied = child_wait(&child);

    child_close(&child);
    return denied;
}

TEST(JobPolicy, EachConditionIsOneKindOfObject)
{
    for (uint32_t condition = ZX_POL_NEW_VMO; condition <= ZX_POL_NEW_TIMER; condition++) {
        zx_handle_t job = make_job(zx_job_default());
        EXPECT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, condition, ZX_POL_ACTION_DENY));
        EXPECT_EQ(denied_in(job), 1u << condition);
        CLOSE(job);
    }
}

TEST(JobPolicy, NewAnyIsAllOfThem)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_ANY, ZX_POL_ACTION_DENY));
    EXPECT_EQ(denied_in(job), TRIED);
    CLOSE(job);
}

TEST(JobPolicy, EverythingIsAllowedAtFirst)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_EQ(denied_in(job), 0);
    CLOSE(job);
}

/* The kill ends a process, not its job. */
TEST(JobPolicy, KillSparesTheOthers)
{
    zx_handle_t job = make_job(zx_job_default());

    ASSERT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_KILL));
    struct child other = child_start(job, child_sleeps, 0);
    struct child child = child_start(job, makes_an_event, 0);
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_POLICY_KILL);
    EXPECT_EQ(signals_of(other.process), 0);
    child_close(&child);
    child_close(&other);
    CLOSE(job);
}

TEST(JobPolicy, BadHandleDeniedIsStillABadHandle)
{
    zx_handle_t job = make_job(zx_job_default());

    ASSERT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_BAD_HANDLE, ZX_POL_ACTION_DENY));
    struct child child = child_start(job, closes_a_bad_handle, 0);
    EXPECT_EQ(child_wait(&child), ZX_ERR_BAD_HANDLE);
    child_close(&child);
    CLOSE(job);
}

/* ---- Conflicts ----------------------------------------------------------------------------- */

TEST(JobPolicy, TheSameAgainIsNoConflict)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_FIFO, ZX_POL_ACTION_DENY));
    EXPECT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_FIFO, ZX_POL_ACTION_DENY));
    EXPECT_STATUS(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_FIFO, ZX_POL_ACTION_KILL),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_EQ(denied_in(job), 1u << ZX_POL_NEW_FIFO);
    CLOSE(job);
}

/* One bad entry, and none of them counts. */
TEST(JobPolicy, AllOrNothing)
{
    zx_handle_t job = make_job(zx_job_default());
    const zx_policy_basic_v1_t conflict[] = {{ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY},
                                             {ZX_POL_NEW_PORT, ZX_POL_ACTION_ALLOW}};
    const zx_policy_basic_v1_t unknown[] = {{ZX_POL_NEW_VMO, ZX_POL_ACTION_DENY},
                                            {ZX_POL_NEW_EVENT, 99}};

    ASSERT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_PORT, ZX_POL_ACTION_DENY));
    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, conflict, 2),
                  ZX_ERR_ALREADY_EXISTS);
    EXPECT_EQ(denied_in(job), 1u << ZX_POL_NEW_PORT);
    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, unknown, 2),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_EQ(denied_in(job), 1u << ZX_POL_NEW_PORT);
    /* With RELATIVE the conflict alone is left out. */
    EXPECT_OK(zx_job_set_policy(job, ZX_JOB_POL_RELATIVE, ZX_JOB_POL_BASIC_V1, conflict, 2));
    EXPECT_EQ(denied_in(job), 1u << ZX_POL_NEW_PORT | 1u << ZX_POL_NEW_VMO);
    CLOSE(job);
}

static zx_status_t set_policy_v2(zx_handle_t job, uint32_t condition, uint32_t action,
                                 uint32_t flags)
{
    const zx_policy_basic_v2_t policy = {condition, action, flags};

    return zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V2, &policy, 1);
}

TEST(JobPolicy, DescendantsMayOverride)
{
    zx_handle_t job = make_job(zx_job_default()), inner, innermost;

    ASSERT_OK(set_policy_v2(job, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_ALLOW));
    EXPECT_EQ(denied_in(job), 1u << ZX_POL_NEW_EVENT);
    inner = make_job(job);
    EXPECT_OK(set_policy_v2(inner, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW, ZX_POL_OVERRIDE_DENY));
    EXPECT_EQ(denied_in(inner), 0);
    innermost = make_job(inner); /* and now it is final */
    EXPECT_STATUS(
        set_policy_v2(innermost, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY),
        ZX_ERR_ALREADY_EXISTS);
    CLOSE(innermost);
    CLOSE(inner);
    CLOSE(job);
}

TEST(JobPolicy, DescendantsMayNotOverride)
{
    zx_handle_t job = make_job(zx_job_default()), inner;

    ASSERT_OK(set_policy_v2(job, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY, ZX_POL_OVERRIDE_DENY));
    inner = make_job(job);
    EXPECT_STATUS(
        set_policy_v2(inner, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW, ZX_POL_OVERRIDE_ALLOW),
        ZX_ERR_ALREADY_EXISTS);
    EXPECT_EQ(denied_in(inner), 1u << ZX_POL_NEW_EVENT);
    CLOSE(inner);
    CLOSE(job);
}

/* ---- Arguments ----------------------------------------------------------------------------- */

TEST(JobPolicy, TooManyEntries)
{
    zx_handle_t job = make_job(zx_job_default());
    zx_policy_basic_v1_t entries[33];

    for (int i = 0; i < 33; i++)
        entries[i] = (zx_policy_basic_v1_t){ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY};
    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, entries, 33),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, entries, 16),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, entries, 15));
    CLOSE(job);
}

TEST(JobPolicy, NotOnceAProcessIsThere)
{
    zx_handle_t job = make_job(zx_job_default()), process, vmar;

    ASSERT_OK(zx_process_create(job, "p", 1, 0, &process, &vmar));
    EXPECT_STATUS(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(set_policy(job, ZX_JOB_POL_ABSOLUTE, 99, 99), ZX_ERR_BAD_STATE);
    CLOSE(vmar);
    CLOSE(process);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_NO_PROCESSES, soon(), NULL));
    EXPECT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY));
    CLOSE(job);
}

static zx_status_t set_slack(zx_handle_t job, uint32_t options, zx_duration_t slack, uint32_t mode,
                             uint32_t count)
{
    const zx_policy_timer_slack_t policy[2] = {{.min_slack = slack, .default_mode = mode},
                                               {.min_slack = slack, .default_mode = mode}};

    return zx_job_set_policy(job, options, ZX_JOB_POL_TIMER_SLACK, policy, count);
}

TEST(JobPolicy, TimerSlack)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_OK(set_slack(job, ZX_JOB_POL_RELATIVE, MS(1), ZX_TIMER_SLACK_LATE, 1));
    EXPECT_OK(set_slack(job, ZX_JOB_POL_RELATIVE, 0, ZX_TIMER_SLACK_CENTER, 1));
    EXPECT_STATUS(set_slack(job, ZX_JOB_POL_ABSOLUTE, MS(1), ZX_TIMER_SLACK_LATE, 1),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_slack(job, ZX_JOB_POL_RELATIVE, MS(1), ZX_TIMER_SLACK_LATE, 2),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_slack(job, ZX_JOB_POL_RELATIVE, MS(1), ZX_TIMER_SLACK_LATE, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_slack(job, ZX_JOB_POL_RELATIVE, -1, ZX_TIMER_SLACK_LATE, 1),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(set_slack(job, ZX_JOB_POL_RELATIVE, MS(1), 3, 1), ZX_ERR_INVALID_ARGS);
    CLOSE(job);
}
