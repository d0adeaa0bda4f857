/*
 * Jobs: the tree, policies, killing, critical processes.
 */
#include "child.h"

static zx_handle_t make_job(zx_handle_t parent)
{
    zx_handle_t job;

    ASSERT_OK(zx_job_create(parent, 0, &job));
    return job;
}

static zx_info_job_t job_info(zx_handle_t job)
{
    zx_info_job_t info;

    ASSERT_OK(zx_object_get_info(job, ZX_INFO_JOB, &info, sizeof(info), NULL, NULL));
    return info;
}

static size_t count_of(zx_handle_t job, zx_object_info_topic_t topic)
{
    size_t actual, available = 77;

    EXPECT_OK(zx_object_get_info(job, topic, NULL, 0, &actual, &available));
    return available;
}

TEST(Job, Create)
{
    zx_handle_t job = make_job(zx_job_default());

    EXPECT_EQ(basic_info(job).type, ZX_OBJ_TYPE_JOB);
    EXPECT_EQ(basic_info(job).rights, ZX_DEFAULT_JOB_RIGHTS);
    EXPECT_EQ(basic_info(job).related_koid, basic_info(zx_job_default()).koid);
    EXPECT_EQ(signals_of(job), ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES);
    EXPECT_EQ(job_info(job).exited, false);
    CLOSE(job);
}

TEST(Job, CreateBadArguments)
{
    zx_handle_t job, weak;

    EXPECT_STATUS(zx_job_create(zx_job_default(), 1, &job), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_create(closed_handle(), 0, &job), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_job_create(zx_process_self(), 0, &job), ZX_ERR_WRONG_TYPE);
    weak = without_rights(zx_job_default(), ZX_RIGHT_MANAGE_JOB | ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_job_create(weak, 0, &job), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(zx_job_default(), ZX_RIGHT_MANAGE_JOB);
    ASSERT_OK(zx_job_create(weak, 0, &job)); /* WRITE will do */
    CLOSE(job);
    CLOSE(weak);
}

TEST(Job, DepthIsLimited)
{
    zx_handle_t jobs[40];
    zx_status_t status = ZX_OK;
    int depth = 0;

    for (zx_handle_t parent = zx_job_default(); depth < 40; depth++) {
        status = zx_job_create(parent, 0, &jobs[depth]);
        if (status != ZX_OK)
            break;
        parent = jobs[depth];
    }
    EXPECT_STATUS(status, ZX_ERR_OUT_OF_RANGE);
    EXPECT_EQ(depth, 32);
    while (depth-- > 0)
        CLOSE(jobs[depth]);
}

TEST(Job, SignalsFollowTheChildren)
{
    zx_handle_t job = make_job(zx_job_default()), inner = make_job(job), process, vmar;

    EXPECT_EQ(signals_of(job), ZX_JOB_NO_PROCESSES);
    ASSERT_OK(zx_process_create(job, "p", 1, 0, &process, &vmar));
    EXPECT_EQ(signals_of(job), 0);
    EXPECT_EQ(count_of(job, ZX_INFO_JOB_CHILDREN), 1);
    EXPECT_EQ(count_of(job, ZX_INFO_JOB_PROCESSES), 1);
    CLOSE(inner);
    EXPECT_EQ(signals_of(job), ZX_JOB_NO_JOBS);
    CLOSE(vmar);
    CLOSE(process); /* it was never started */
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_NO_PROCESSES, soon(), NULL));
    EXPECT_EQ(signals_of(job), ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES);
    CLOSE(job);
}

TEST(Job, OnlyDirectChildrenAreListed)
{
    zx_handle_t job = make_job(zx_job_default()), inner = make_job(job),
                innermost = make_job(inner);
    zx_koid_t koid = 0;
    size_t actual;

    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB_CHILDREN, &koid, sizeof(koid), &actual, NULL));
    EXPECT_EQ(actual, 1);
    EXPECT_EQ(koid, basic_info(inner).koid);
    CLOSE(innermost);
    CLOSE(inner);
    CLOSE(job);
}

TEST(Job, KillTakesTheWholeTree)
{
    zx_handle_t job = make_job(zx_job_default()), inner = make_job(job), other;
    struct child a = child_start(job, child_sleeps, 0), b = child_start(inner, child_spins, 0);

    EXPECT_OK(zx_task_kill(job));
    EXPECT_EQ(child_wait(&a), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_EQ(child_wait(&b), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    EXPECT_OK(zx_object_wait_one(inner, ZX_JOB_TERMINATED, soon(), NULL));
    EXPECT_EQ(job_info(job).exited, true);
    EXPECT_EQ(job_info(job).return_code, ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_STATUS(zx_job_create(job, 0, &other), ZX_ERR_BAD_STATE);
    zx_handle_t process, vmar;
    EXPECT_STATUS(zx_process_create(job, "p", 1, 0, &process, &vmar), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_task_kill(job)); /* again */
    child_close(&a);
    child_close(&b);
    CLOSE(inner);
    CLOSE(job);
}

TEST(Job, KillEmpty)
{
    zx_handle_t job = make_job(zx_job_default()), weak = without_rights(job, ZX_RIGHT_DESTROY);

    EXPECT_STATUS(zx_task_kill(weak), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_task_kill(job));
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    CLOSE(weak);
    CLOSE(job);
}

TEST(JobCritical, ProcessTakesItsJobAlong)
{
    zx_handle_t job = make_job(zx_job_default());
    struct child critical = child_start(job, child_exits, 0), other;
    struct prepared_child prepared;

    child_wait(&critical);
    child_close(&critical);
    prepared = child_prepare(job, child_exits, 0);
    other = child_start(job, child_sleeps, 0);
    ASSERT_OK(zx_job_set_critical(job, 0, prepared.child.process));
    EXPECT_STATUS(zx_job_set_critical(job, 0, prepared.child.process), ZX_ERR_ALREADY_BOUND);
    child_run(&prepared);
    EXPECT_EQ(child_wait(&prepared.child), 0);
    EXPECT_EQ(child_wait(&other), ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    EXPECT_EQ(job_info(job).return_code, ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    child_close(&prepared.child);
    child_close(&other);
    CLOSE(job);
}

TEST(JobCritical, OnlyIfItFails)
{
    zx_handle_t job = make_job(zx_job_default());
    struct prepared_child good = child_prepare(job, child_exits, 0);
    struct prepared_child bad = child_prepare(job, child_exits, 3);

    ASSERT_OK(
        zx_job_set_critical(job, ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO, good.child.process));
    ASSERT_OK(zx_job_set_critical(job, ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO, bad.child.process));
    child_run(&good);
    EXPECT_EQ(child_wait(&good.child), 0);
    EXPECT_EQ(job_info(job).exited, false);
    child_run(&bad);
    EXPECT_EQ(child_wait(&bad.child), 3);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    child_close(&good.child);
    child_close(&bad.child);
    CLOSE(job);
}

TEST(JobCritical, BadArguments)
{
    zx_handle_t job = make_job(zx_job_default()), other = make_job(zx_job_default());
    zx_handle_t process, vmar;

    ASSERT_OK(zx_process_create(job, "p", 1, 0, &process, &vmar));
    EXPECT_STATUS(zx_job_set_critical(job, 2, process), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_job_set_critical(other, 0, process), ZX_ERR_INVALID_ARGS);
    zx_handle_t weak = without_rights(job, ZX_RIGHT_DESTROY);
    EXPECT_STATUS(zx_job_set_critical(weak, 0, process), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(vmar);
    CLOSE(process);
    CLOSE(other);
    CLOSE(job);
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

static void require_policies(void)
{
    zx_handle_t job = make_job(zx_job_default());
    zx_status_t status =
        set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW);

    CLOSE(job);
    if (status == ZX_ERR_NOT_SUPPORTED)
        SKIP("this kernel has no job policies");
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
    require_policies();
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

    require_policies();
    ASSERT_OK(set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_POL_BAD_HANDLE, ZX_POL_ACTION_KILL));
    struct child child = child_start(job, closes_a_bad_handle, 0);
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_POLICY_KILL);
    child_close(&child);
    CLOSE(job);
}

TEST(JobPolicy, IsInherited)
{
    zx_handle_t job = make_job(zx_job_default()), inner;

    require_policies();
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

    require_policies();
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
