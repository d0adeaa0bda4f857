/*
 * What zx_object_get_info says of jobs.
 */
#include "child.h"
#include "info_topic.h"

#define MEMBERS 3

static zx_handle_t make_job(zx_handle_t parent)
{
    zx_handle_t job;

    ASSERT_OK(zx_job_create(parent, 0, &job));
    return job;
}

/* A job with three jobs and three processes in it. */
static struct {
    zx_handle_t jobs[MEMBERS], processes[MEMBERS], vmars[MEMBERS];
} family;

static zx_handle_t open_family(void)
{
    zx_handle_t job = make_job(zx_job_default());

    for (int i = 0; i < MEMBERS; i++) {
        family.jobs[i] = make_job(job);
        ASSERT_OK(zx_process_create(job, "p", 1, 0, &family.processes[i], &family.vmars[i]));
    }
    return job;
}

static void close_family(zx_handle_t job)
{
    for (int i = 0; i < MEMBERS; i++) {
        CLOSE(family.vmars[i]);
        CLOSE(family.processes[i]);
        CLOSE(family.jobs[i]);
    }
    CLOSE(job);
}

/* ---- The rules of all topics --------------------------------------------------------------- */

static const struct info_topic job_topic = {
    .topic = ZX_INFO_JOB,
    .record_size = sizeof(zx_info_job_t),
    .right = ZX_RIGHT_INSPECT,
    .open = open_family,
    .close = close_family,
};
static const struct info_topic children_topic = {
    .topic = ZX_INFO_JOB_CHILDREN,
    .record_size = sizeof(zx_koid_t),
    .many = true,
    .right = ZX_RIGHT_ENUMERATE,
    .open = open_family,
    .close = close_family,
};
static const struct info_topic processes_topic = {
    .topic = ZX_INFO_JOB_PROCESSES,
    .record_size = sizeof(zx_koid_t),
    .many = true,
    .right = ZX_RIGHT_ENUMERATE,
    .open = open_family,
    .close = close_family,
};

INFO_TOPIC_TESTS(JobGetInfo, Job, job_topic)
INFO_TOPIC_TESTS(JobGetInfo, Children, children_topic)
INFO_TOPIC_TESTS(JobGetInfo, Processes, processes_topic)

/* ---- ZX_INFO_JOB --------------------------------------------------------------------------- */

static zx_info_job_t job_info(zx_handle_t job)
{
    zx_info_job_t info;

    ASSERT_OK(zx_object_get_info(job, ZX_INFO_JOB, &info, sizeof(info), NULL, NULL));
    return info;
}

TEST(JobGetInfo, JobThroughItsLife)
{
    zx_handle_t job = make_job(zx_job_default());
    zx_info_job_t info = job_info(job);

    EXPECT_EQ(info.exited, false);
    EXPECT_EQ(info.return_code, 0);
    EXPECT_EQ(info.kill_on_oom, false);
    EXPECT_EQ(info.debugger_attached, false);
    EXPECT_OK(zx_task_kill(job));
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    info = job_info(job);
    EXPECT_EQ(info.exited, true);
    EXPECT_EQ(info.return_code, ZX_TASK_RETCODE_SYSCALL_KILL);
    CLOSE(job);
}

/* Whoever lives in it gives it no return code. */
TEST(JobGetInfo, JobOutlivesItsProcesses)
{
    zx_handle_t job = make_job(zx_job_default());
    struct child child = child_start(job, child_exits, 5);

    EXPECT_EQ(child_wait(&child), 5);
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_NO_PROCESSES, soon(), NULL));
    EXPECT_EQ(job_info(job).exited, false);
    EXPECT_EQ(job_info(job).return_code, 0);
    child_close(&child);
    CLOSE(job);
}

TEST(JobGetInfo, JobKillOnOom)
{
    zx_handle_t job = make_job(zx_job_default());
    uint64_t value = 1;

    EXPECT_OK(zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &value, sizeof(value)));
    EXPECT_EQ(job_info(job).kill_on_oom, true);
    value = 2;
    EXPECT_STATUS(zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &value, sizeof(value)),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(job_info(job).kill_on_oom, true);
    value = 0;
    EXPECT_OK(zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &value, sizeof(value)));
    EXPECT_EQ(job_info(job).kill_on_oom, false);
    CLOSE(job);
}

TEST(JobGetInfo, JobDebuggerAttached)
{
    zx_handle_t job = make_job(zx_job_default()), debugger;

    ASSERT_OK(zx_task_create_exception_channel(job, ZX_EXCEPTION_CHANNEL_DEBUGGER, &debugger));
    EXPECT_EQ(job_info(job).debugger_attached, true);
    EXPECT_EQ(job_info(zx_job_default()).debugger_attached, false);
    CLOSE(debugger);
    EXPECT_EQ(job_info(job).debugger_attached, false);
    CLOSE(job);
}

/* ---- Children and processes ---------------------------------------------------------------- */

/* How many records; koids[] has room for some. */
static size_t list(zx_handle_t job, zx_object_info_topic_t topic, zx_koid_t koids[static 8])
{
    size_t actual = 0, available = 0;

    memset(koids, 0, 8 * sizeof(koids[0]));
    EXPECT_OK(zx_object_get_info(job, topic, koids, 8 * sizeof(koids[0]), &actual, &available));
    EXPECT_EQ(actual, available);
    return actual;
}

static bool has(const zx_koid_t koids[static 8], zx_handle_t handle)
{
    for (int i = 0; i < 8; i++) {
        if (koids[i] == basic_info(handle).koid)
            return true;
    }
    return false;
}

TEST(JobGetInfo, ChildrenAreListed)
{
    zx_handle_t job = open_family();
    zx_koid_t koids[8];

    EXPECT_EQ(list(job, ZX_INFO_JOB_CHILDREN, koids), MEMBERS);
    for (int i = 0; i < MEMBERS; i++)
        EXPECT_TRUE(has(koids, family.jobs[i]));
    close_family(job);
}

TEST(JobGetInfo, ChildrenWithoutGrandchildren)
{
    zx_handle_t job = make_job(zx_job_default()), child = make_job(job), inner = make_job(child);
    zx_koid_t koids[8];

    EXPECT_EQ(list(job, ZX_INFO_JOB_CHILDREN, koids), 1);
    EXPECT_TRUE(has(koids, child));
    EXPECT_EQ(list(child, ZX_INFO_JOB_CHILDREN, koids), 1);
    EXPECT_TRUE(has(koids, inner));
    EXPECT_EQ(list(inner, ZX_INFO_JOB_CHILDREN, koids), 0);
    CLOSE(inner);
    CLOSE(child);
    CLOSE(job);
}

TEST(JobGetInfo, ChildrenLeaveWithTheirLastHandle)
{
    zx_handle_t job = make_job(zx_job_default()), child = make_job(job), inner = make_job(child);
    zx_koid_t koids[8];

    CLOSE(child); /* the job in it keeps it alive */
    EXPECT_EQ(list(job, ZX_INFO_JOB_CHILDREN, koids), 1);
    CLOSE(inner);
    EXPECT_EQ(list(job, ZX_INFO_JOB_CHILDREN, koids), 0);
    CLOSE(job);
}

TEST(JobGetInfo, ChildrenOfTheDead)
{
    zx_handle_t job = open_family();
    zx_koid_t koids[8];

    EXPECT_OK(zx_task_kill(job));
    EXPECT_OK(zx_object_wait_one(job, ZX_JOB_TERMINATED, soon(), NULL));
    EXPECT_EQ(list(job, ZX_INFO_JOB_CHILDREN, koids), 0);
    EXPECT_EQ(list(job, ZX_INFO_JOB_PROCESSES, koids), 0);
    close_family(job);
}

TEST(JobGetInfo, ProcessesAreListed)
{
    zx_handle_t job = open_family();
    zx_koid_t koids[8];

    EXPECT_EQ(list(job, ZX_INFO_JOB_PROCESSES, koids), MEMBERS);
    for (int i = 0; i < MEMBERS; i++)
        EXPECT_TRUE(has(koids, family.processes[i]));
    close_family(job);
}

TEST(JobGetInfo, ProcessesLeaveWhenTheyEnd)
{
    zx_handle_t job = make_job(zx_job_default());
    struct child a = child_start(job, child_sleeps, 0), b = child_start(job, child_exits, 0);
    zx_koid_t koids[8];

    child_wait(&b);
    /* It leaves after it has said that it is terminated. */
    zx_time_t deadline = soon();
    while (list(job, ZX_INFO_JOB_PROCESSES, koids) > 1 && zx_clock_get_monotonic() < deadline)
        zx_nanosleep(0);
    EXPECT_EQ(list(job, ZX_INFO_JOB_PROCESSES, koids), 1);
    EXPECT_TRUE(has(koids, a.process));
    child_close(&a);
    child_close(&b);
    CLOSE(job);
}

TEST(JobGetInfo, ProcessesAreNotChildren)
{
    zx_handle_t job = make_job(zx_job_default()), process, vmar;
    zx_koid_t koids[8];

    ASSERT_OK(zx_process_create(job, "p", 1, 0, &process, &vmar));
    EXPECT_EQ(list(job, ZX_INFO_JOB_CHILDREN, koids), 0);
    EXPECT_EQ(list(job, ZX_INFO_JOB_PROCESSES, koids), 1);
    CLOSE(vmar);
    CLOSE(process);
    CLOSE(job);
}
