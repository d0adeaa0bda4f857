/*
 * What zx_object_get_info says of threads.
 */
#include "child.h"
#include "info_topic.h"
#include "raw_thread.h"

/* ---- The rules of all topics --------------------------------------------------------------- */

static CHILD void executes_ud2(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    (void)calls;
    for (;;)
        __asm__ volatile("ud2");
}

/* A process whose thread stays in an exception until its end. */
static struct {
    struct child child;
    zx_handle_t exceptions;
} faulted;

static zx_handle_t open_faulted(void)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, executes_ud2, 0);

    faulted.child = prepared.child;
    ASSERT_OK(zx_task_create_exception_channel(faulted.child.process, 0, &faulted.exceptions));
    child_run(&prepared);
    ASSERT_OK(zx_object_wait_one(faulted.exceptions, ZX_CHANNEL_READABLE, soon(), NULL));
    return faulted.child.thread;
}

static void close_faulted(zx_handle_t thread)
{
    (void)thread;
    EXPECT_OK(zx_task_kill(faulted.child.process));
    EXPECT_EQ(child_wait(&faulted.child), ZX_TASK_RETCODE_SYSCALL_KILL);
    CLOSE(faulted.exceptions);
    child_close(&faulted.child);
}

static const struct info_topic thread_topic = {
    .topic = ZX_INFO_THREAD,
    .record_size = sizeof(zx_info_thread_t),
    .right = ZX_RIGHT_INSPECT,
    .open = info_of_this_thread,
    .close = info_keep,
};
static const struct info_topic stats_topic = {
    .topic = ZX_INFO_THREAD_STATS,
    .record_size = sizeof(zx_info_thread_stats_t),
    .right = ZX_RIGHT_INSPECT,
    .open = info_of_this_thread,
    .close = info_keep,
};
static const struct info_topic report_topic = {
    .topic = ZX_INFO_THREAD_EXCEPTION_REPORT,
    .record_size = sizeof(zx_exception_report_t),
    .right = ZX_RIGHT_INSPECT,
    .open = open_faulted,
    .close = close_faulted,
};

INFO_TOPIC_TESTS(ThreadGetInfo, Thread, thread_topic)
INFO_TOPIC_TESTS(ThreadGetInfo, Stats, stats_topic)
INFO_TOPIC_TESTS(ThreadGetInfo, ExceptionReport, report_topic)

/* ---- ZX_INFO_THREAD ------------------------------------------------------------------------ */

static zx_info_thread_t thread_info(zx_handle_t thread)
{
    zx_info_thread_t info;

    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL));
    return info;
}

static void exits(uintptr_t unused1, uintptr_t unused2)
{
    (void)unused1;
    (void)unused2;
    zx_thread_exit();
}

TEST(ThreadGetInfo, StateNewRunningDead)
{
    struct raw_thread t = raw_make();

    EXPECT_EQ(thread_info(t.handle).state, ZX_THREAD_STATE_NEW);
    ASSERT_OK(raw_start(&t, exits, 0, 0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_EQ(thread_info(t.handle).state, ZX_THREAD_STATE_DEAD);
    EXPECT_EQ(thread_info(zx_thread_self()).state, ZX_THREAD_STATE_RUNNING);
    raw_join(&t);
}

static void waits_for_signal(uintptr_t event, uintptr_t unused)
{
    (void)unused;
    zx_object_wait_one((zx_handle_t)event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL);
    zx_thread_exit();
}

TEST(ThreadGetInfo, StateSuspended)
{
    zx_handle_t event, token;

    ASSERT_OK(zx_event_create(0, &event));
    struct raw_thread t = raw_run(waits_for_signal, event, 0);
    token = raw_suspend(&t);
    EXPECT_EQ(thread_info(t.handle).state, ZX_THREAD_STATE_SUSPENDED);
    raw_resume(&t, token);
    EXPECT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    raw_join(&t);
    CLOSE(event);
}

TEST(ThreadGetInfo, StateInWaitOne)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    struct raw_thread t = raw_run(waits_for_signal, event, 0);
    EXPECT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    EXPECT_EQ(ZX_THREAD_STATE_BASIC(thread_info(t.handle).state), ZX_THREAD_STATE_BLOCKED);
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    raw_join(&t);
    CLOSE(event);
}

static void waits_for_many(uintptr_t event, uintptr_t unused)
{
    zx_wait_item_t items[2] = {{(zx_handle_t)event, ZX_EVENT_SIGNALED, 0},
                               {(zx_handle_t)event, ZX_USER_SIGNAL_0, 0}};

    (void)unused;
    zx_object_wait_many(items, 2, ZX_TIME_INFINITE);
    zx_thread_exit();
}

TEST(ThreadGetInfo, StateInWaitMany)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    struct raw_thread t = raw_run(waits_for_many, event, 0);
    EXPECT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_WAIT_MANY));
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    raw_join(&t);
    CLOSE(event);
}

static void waits_for_packet(uintptr_t port, uintptr_t unused)
{
    zx_port_packet_t packet;

    (void)unused;
    zx_port_wait((zx_handle_t)port, ZX_TIME_INFINITE, &packet);
    zx_thread_exit();
}

TEST(ThreadGetInfo, StateInPortWait)
{
    const zx_port_packet_t packet = {.key = 1};
    zx_handle_t port;

    ASSERT_OK(zx_port_create(0, &port));
    struct raw_thread t = raw_run(waits_for_packet, port, 0);
    EXPECT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_PORT));
    EXPECT_OK(zx_port_queue(port, &packet));
    raw_join(&t);
    CLOSE(port);
}

static void calls(uintptr_t channel, uintptr_t unused)
{
    uint32_t out[2] = {0, 1}, in[2], bytes, handles;
    const zx_channel_call_args_t args = {
        .wr_bytes = out, .rd_bytes = in, .wr_num_bytes = sizeof(out), .rd_num_bytes = sizeof(in)};

    (void)unused;
    zx_channel_call((zx_handle_t)channel, 0, ZX_TIME_INFINITE, &args, &bytes, &handles);
    zx_thread_exit();
}

TEST(ThreadGetInfo, StateInChannelCall)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    struct raw_thread t = raw_run(calls, a, 0);
    EXPECT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    CLOSE(b);
    raw_join(&t);
    CLOSE(a);
}

static void waits_for_futex(uintptr_t futex, uintptr_t unused)
{
    (void)unused;
    zx_futex_wait((const zx_futex_t *)futex, 0, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    zx_thread_exit();
}

TEST(ThreadGetInfo, StateInFutexWait)
{
    static zx_futex_t futex;
    struct raw_thread t = raw_run(waits_for_futex, (uintptr_t)&futex, 0);

    EXPECT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_FUTEX));
    EXPECT_OK(zx_futex_wake(&futex, 1));
    raw_join(&t);
}

TEST(ThreadGetInfo, StateAsleep)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_sleeps, 0);

    EXPECT_TRUE(wait_until_blocked(child.thread, ZX_THREAD_STATE_BLOCKED_SLEEPING));
    child_close(&child);
}

TEST(ThreadGetInfo, StateInAnException)
{
    zx_info_thread_t info = thread_info(open_faulted());

    EXPECT_EQ(info.state, ZX_THREAD_STATE_BLOCKED_EXCEPTION);
    EXPECT_EQ(info.wait_exception_channel_type, ZX_EXCEPTION_CHANNEL_TYPE_PROCESS);
    close_faulted(faulted.child.thread);
    EXPECT_EQ(thread_info(zx_thread_self()).wait_exception_channel_type,
              ZX_EXCEPTION_CHANNEL_TYPE_NONE);
}

TEST(ThreadGetInfo, AffinityOfAThreadWithoutOne)
{
    zx_info_thread_t info = thread_info(zx_thread_self());

    /* Every CPU there is may be used. */
    for (uint32_t cpu = 0; cpu < zx_system_get_num_cpus(); cpu++)
        EXPECT_TRUE(info.cpu_affinity_mask.mask[cpu / 64] >> cpu % 64 & 1);
}

/* ---- ZX_INFO_THREAD_STATS ------------------------------------------------------------------ */

static zx_info_thread_stats_t thread_stats(zx_handle_t thread)
{
    zx_info_thread_stats_t stats;

    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_STATS, &stats, sizeof(stats), NULL, NULL));
    return stats;
}

TEST(ThreadGetInfo, StatsBeforeTheFirstTime)
{
    struct raw_thread t = raw_make();

    EXPECT_EQ(thread_stats(t.handle).total_runtime, 0);
    EXPECT_EQ(thread_stats(t.handle).last_scheduled_cpu, ZX_INFO_INVALID_CPU);
    ASSERT_OK(raw_start(&t, exits, 0, 0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_TRUE(thread_stats(t.handle).total_runtime > 0);
    EXPECT_TRUE(thread_stats(t.handle).last_scheduled_cpu < zx_system_get_num_cpus());
    raw_join(&t);
}

TEST(ThreadGetInfo, StatsGrowOnlyWhileItRuns)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    struct raw_thread t = raw_run(waits_for_signal, event, 0);
    ASSERT_TRUE(wait_until_blocked(t.handle, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    zx_duration_t asleep = thread_stats(t.handle).total_runtime;
    zx_duration_t before = thread_stats(zx_thread_self()).total_runtime;
    zx_time_t start = zx_clock_get_monotonic();
    while (zx_clock_get_monotonic() < start + MS(2))
        ;
    EXPECT_TRUE(thread_stats(zx_thread_self()).total_runtime > before);
    EXPECT_EQ(thread_stats(t.handle).total_runtime, asleep);
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    raw_join(&t);
    CLOSE(event);
}

/* ---- ZX_INFO_THREAD_EXCEPTION_REPORT ------------------------------------------------------- */

TEST(ThreadGetInfo, ExceptionReportOfTheHealthy)
{
    struct raw_thread t = raw_make();
    zx_exception_report_t report;

    EXPECT_STATUS(zx_object_get_info(zx_thread_self(), ZX_INFO_THREAD_EXCEPTION_REPORT, &report,
                                     sizeof(report), NULL, NULL),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_object_get_info(t.handle, ZX_INFO_THREAD_EXCEPTION_REPORT, &report,
                                     sizeof(report), NULL, NULL),
                  ZX_ERR_BAD_STATE);
    ASSERT_OK(raw_start(&t, exits, 0, 0));
    raw_join(&t);
}

TEST(ThreadGetInfo, ExceptionReportOfTheFaulted)
{
    zx_handle_t thread = open_faulted();
    zx_exception_report_t report;

    ASSERT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report, sizeof(report),
                                 NULL, NULL));
    EXPECT_EQ(report.header.type, ZX_EXCP_UNDEFINED_INSTRUCTION);
    EXPECT_EQ(report.header.size, sizeof(report));
    close_faulted(thread);
}
