/*
 * Jobs: the tree, killing, critical processes.
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

TEST(JobCritical, AncestorsCanDependOnIt)
{
    zx_handle_t outer = make_job(zx_job_default()), inner = make_job(outer);
    struct prepared_child critical = child_prepare(inner, child_exits, 0);
    struct child other = child_start(outer, child_sleeps, 0);

    ASSERT_OK(zx_job_set_critical(outer, 0, critical.child.process));
    child_run(&critical);
    EXPECT_EQ(child_wait(&critical.child), 0);
    EXPECT_EQ(child_wait(&other), ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    EXPECT_OK(zx_object_wait_one(outer, ZX_JOB_TERMINATED, soon(), NULL));
    EXPECT_EQ(job_info(inner).return_code, ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    child_close(&critical.child);
    child_close(&other);
    CLOSE(inner);
    CLOSE(outer);
}

/* A kill is an end like any other. */
TEST(JobCritical, KilledProcess)
{
    zx_handle_t job = make_job(zx_job_default());
    struct child child = child_start(job, child_sleeps, 0);

    ASSERT_OK(zx_job_set_critical(job, ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO, child.process));
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    EXPECT_EQ(job_info(job).return_code, ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    child_close(&child);
    CLOSE(job);
}

TEST(Job, ProcessesKeepItAlive)
{
    zx_handle_t job = make_job(zx_job_default()), again;
    zx_koid_t koid = basic_info(job).koid;
    struct child child = child_start(job, child_sleeps, 0);

    CLOSE(job);
    EXPECT_EQ(basic_info(child.process).related_koid, koid);
    ASSERT_OK(zx_object_get_child(zx_job_default(), koid, ZX_RIGHT_SAME_RIGHTS, &again));
    EXPECT_EQ(job_info(again).exited, false);
    EXPECT_OK(zx_task_kill(again));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    CLOSE(again);
    child_close(&child);
}

TEST(Job, KillLeavesOthersAlone)
{
    zx_handle_t parent = make_job(zx_job_default()), killed = make_job(parent),
                spared = make_job(parent);
    struct child above = child_start(parent, child_sleeps, 0),
                 beside = child_start(spared, child_sleeps, 0),
                 inside = child_start(killed, child_sleeps, 0);

    EXPECT_OK(zx_task_kill(killed));
    EXPECT_EQ(child_wait(&inside), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_OK(zx_object_wait_one(killed, ZX_JOB_TERMINATED, soon(), NULL));
    EXPECT_EQ(job_info(parent).exited, false);
    EXPECT_EQ(job_info(spared).exited, false);
    EXPECT_EQ(signals_of(above.process), 0);
    EXPECT_EQ(signals_of(beside.process), 0);
    EXPECT_EQ(count_of(parent, ZX_INFO_JOB_CHILDREN), 1); /* the dead one has left */
    child_close(&above);
    child_close(&beside);
    child_close(&inside);
    CLOSE(spared);
    CLOSE(killed);
    CLOSE(parent);
}

TEST(Job, KillTakesTheUnstarted)
{
    zx_handle_t job = make_job(zx_job_default()), process, vmar;

    ASSERT_OK(zx_process_create(job, "p", 1, 0, &process, &vmar));
    EXPECT_OK(zx_task_kill(job));
    EXPECT_OK(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, soon(), NULL));
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    CLOSE(vmar);
    CLOSE(process);
    CLOSE(job);
}

static CHILD void kills_what_it_gets(zx_handle_t channel, const struct child_calls *calls)
{
    zx_handle_t task;

    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    calls->channel_read(channel, 0, NULL, &task, 0, 1, NULL, NULL);
    calls->process_exit(calls->task_kill(task));
}

/* Whoever kills the job it lives in does not come back from the call. */
TEST(Job, KillFromInside)
{
    zx_handle_t job = make_job(zx_job_default()), copy;
    struct child child = child_start(job, kills_what_it_gets, 0);

    ASSERT_OK(zx_handle_duplicate(job, ZX_RIGHT_SAME_RIGHTS, &copy));
    ASSERT_OK(zx_channel_write(child.channel, 0, NULL, 0, &copy, 1));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    child_close(&child);
    CLOSE(job);
}

/* It is not dead before everything in it is. */
TEST(Job, TerminatedComesLast)
{
    zx_handle_t job = make_job(zx_job_default()), inner = make_job(job);
    struct child child = child_start(inner, child_spins, 0);

    EXPECT_OK(zx_task_kill(job));
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    EXPECT_EQ(signals_of(child.process), ZX_PROCESS_TERMINATED);
    EXPECT_EQ(signals_of(inner) & ZX_JOB_TERMINATED, ZX_JOB_TERMINATED);
    EXPECT_EQ(signals_of(job), ZX_JOB_TERMINATED | ZX_JOB_NO_JOBS | ZX_JOB_NO_PROCESSES);
    child_close(&child);
    CLOSE(inner);
    CLOSE(job);
}

TEST(Job, DeathClosesItsExceptionChannel)
{
    zx_handle_t job = make_job(zx_job_default()), channel;

    ASSERT_OK(zx_task_create_exception_channel(job, 0, &channel));
    EXPECT_EQ(signals_of(channel) & ZX_CHANNEL_PEER_CLOSED, 0);
    EXPECT_OK(zx_task_kill(job));
    EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_PEER_CLOSED, soon(), NULL));
    EXPECT_STATUS(zx_task_create_exception_channel(job, 0, &channel), ZX_ERR_BAD_STATE);
    CLOSE(channel);
    CLOSE(job);
}

TEST(Job, Name)
{
    zx_handle_t job = make_job(zx_job_default());
    char name[ZX_MAX_NAME_LEN];

    memset(name, 0x55, sizeof(name));
    EXPECT_OK(zx_object_get_property(job, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(name[0], 0);
    EXPECT_OK(zx_object_set_property(job, ZX_PROP_NAME, "a job", 5));
    EXPECT_OK(zx_object_get_property(job, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(strcmp(name, "a job"), 0);
    CLOSE(job);
}

/* Waiting for it to become empty, as whoever started something in it does. */
TEST(Job, WaitUntilEmpty)
{
    zx_handle_t job = make_job(zx_job_default());
    struct child a = child_start(job, child_sleeps, 0), b = child_start(job, child_sleeps, 0);

    EXPECT_STATUS(zx_object_wait_one(job, ZX_JOB_NO_PROCESSES, 0, NULL), ZX_ERR_TIMED_OUT);
    EXPECT_OK(zx_task_kill(a.process));
    child_wait(&a);
    EXPECT_STATUS(zx_object_wait_one(job, ZX_JOB_NO_PROCESSES, 0, NULL), ZX_ERR_TIMED_OUT);
    EXPECT_OK(zx_task_kill(b.process));
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_NO_PROCESSES, soon(), NULL));
    EXPECT_EQ(job_info(job).exited, false);
    child_close(&a);
    child_close(&b);
    CLOSE(job);
}
