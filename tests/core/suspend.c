/*
 * Suspend tokens.
 */
#include "child.h"
#include "raw_thread.h"

#include <stdatomic.h>

#define STATE(signals) ((signals) & (ZX_THREAD_RUNNING | ZX_THREAD_SUSPENDED))

/* Counts up until told to stop; place: two words, the counter and the request to stop. */
static void counts(uintptr_t place, uintptr_t unused)
{
    _Atomic uint64_t *words = (_Atomic uint64_t *)place;

    (void)unused;
    while (!words[1])
        words[0]++;
    zx_thread_exit();
}

static _Atomic uint64_t words[2];

static struct raw_thread counting_thread(void)
{
    words[0] = words[1] = 0;
    return raw_run(counts, (uintptr_t)words, 0);
}

static void expect_standing(void)
{
    uint64_t before = words[0];

    zx_nanosleep(zx_deadline_after(MS(15)));
    EXPECT_EQ(words[0], before);
}

static void expect_counting(void)
{
    uint64_t before = words[0];
    zx_time_t end = soon();

    while (words[0] == before && zx_clock_get_monotonic() < end)
        zx_nanosleep(zx_deadline_after(MS(1)));
    EXPECT_TRUE(words[0] != before);
}

TEST(SuspendToken, Object)
{
    struct raw_thread t = counting_thread();
    zx_handle_t token = raw_suspend(&t);

    EXPECT_EQ(basic_info(token).type, ZX_OBJ_TYPE_SUSPEND_TOKEN);
    EXPECT_EQ(basic_info(token).rights, ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS);
    EXPECT_STATUS(zx_object_wait_one(token, ZX_USER_SIGNAL_0, 0, NULL), ZX_ERR_ACCESS_DENIED);
    raw_resume(&t, token);
    words[1] = 1;
    raw_join(&t);
}

TEST(SuspendToken, BadArguments)
{
    struct raw_thread t = counting_thread();
    zx_handle_t token, event, weak = without_rights(t.handle, ZX_RIGHT_WRITE);

    EXPECT_STATUS(zx_task_suspend_token(closed_handle(), &token), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_task_suspend_token(weak, &token), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_task_suspend_token(zx_job_default(), &token), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_task_suspend(zx_job_default(), &token), ZX_ERR_WRONG_TYPE);
    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_task_suspend_token(event, &token), ZX_ERR_ACCESS_DENIED);
    /* A token that cannot be handed over suspends nothing. */
    EXPECT_STATUS(zx_task_suspend_token(t.handle, UNMAPPED), ZX_ERR_INVALID_ARGS);
    expect_counting();
    EXPECT_EQ(STATE(signals_of(t.handle)), ZX_THREAD_RUNNING);
    CLOSE(event);
    CLOSE(weak);
    words[1] = 1;
    raw_join(&t);
}

TEST(SuspendToken, NotOneself)
{
    zx_handle_t token;

    EXPECT_STATUS(zx_task_suspend_token(zx_thread_self(), &token), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_task_suspend_token(zx_process_self(), &token), ZX_ERR_NOT_SUPPORTED);
}

TEST(SuspendToken, StopsAndResumes)
{
    struct raw_thread t = counting_thread();
    zx_handle_t token;

    for (int i = 0; i < 3; i++) {
        expect_counting();
        token = raw_suspend(&t);
        EXPECT_EQ(raw_state(&t), ZX_THREAD_STATE_SUSPENDED);
        EXPECT_EQ(STATE(signals_of(t.handle)), ZX_THREAD_SUSPENDED);
        expect_standing();
        raw_resume(&t, token);
        EXPECT_EQ(STATE(signals_of(t.handle)), ZX_THREAD_RUNNING);
    }
    words[1] = 1;
    raw_join(&t);
}

TEST(SuspendToken, TheOldNameWorksTheSame)
{
    struct raw_thread t = counting_thread();
    zx_handle_t token;

    ASSERT_OK(zx_task_suspend(t.handle, &token));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_SUSPENDED, soon(), NULL));
    raw_resume(&t, token);
    words[1] = 1;
    raw_join(&t);
}

TEST(SuspendToken, IsCounted)
{
    struct raw_thread t = counting_thread();
    zx_handle_t first = raw_suspend(&t), second = raw_suspend(&t);

    CLOSE(first);
    expect_standing();
    EXPECT_EQ(raw_state(&t), ZX_THREAD_STATE_SUSPENDED);
    raw_resume(&t, second);
    expect_counting();
    words[1] = 1;
    raw_join(&t);
}

/* On its way in a message it still counts as open. */
TEST(SuspendToken, InAMessage)
{
    struct raw_thread t = counting_thread();
    zx_handle_t a, b, token = raw_suspend(&t);

    ASSERT_OK(zx_channel_create(0, &a, &b));
    ASSERT_OK(zx_channel_write(a, 0, NULL, 0, &token, 1));
    expect_standing();
    CLOSE(b); /* the message is lost, and the token with it */
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_RUNNING, soon(), NULL));
    CLOSE(a);
    words[1] = 1;
    raw_join(&t);
}

TEST(SuspendToken, UsesNoTime)
{
    struct raw_thread t = counting_thread();
    zx_handle_t token = raw_suspend(&t);
    zx_info_thread_stats_t before, after;

    EXPECT_OK(
        zx_object_get_info(t.handle, ZX_INFO_THREAD_STATS, &before, sizeof(before), NULL, NULL));
    zx_nanosleep(zx_deadline_after(MS(10)));
    EXPECT_OK(
        zx_object_get_info(t.handle, ZX_INFO_THREAD_STATS, &after, sizeof(after), NULL, NULL));
    EXPECT_EQ(after.total_runtime, before.total_runtime);
    raw_resume(&t, token);
    words[1] = 1;
    raw_join(&t);
}

/* ---- Threads that are not running ---------------------------------------------------------- */

TEST(SuspendToken, StartedWhileSuspended)
{
    struct raw_thread t = raw_make();
    zx_handle_t token;

    words[0] = words[1] = 0;
    ASSERT_OK(zx_task_suspend_token(t.handle, &token));
    EXPECT_EQ(STATE(signals_of(t.handle)), 0);
    EXPECT_EQ(raw_state(&t), ZX_THREAD_STATE_NEW);
    ASSERT_OK(raw_start(&t, counts, (uintptr_t)words, 0));
    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_SUSPENDED, soon(), NULL));
    EXPECT_EQ(words[0], 0);
    raw_resume(&t, token);
    expect_counting();
    words[1] = 1;
    raw_join(&t);
}

TEST(SuspendToken, ResumedBeforeItStarts)
{
    struct raw_thread t = raw_make();
    zx_handle_t token;

    words[0] = words[1] = 0;
    ASSERT_OK(zx_task_suspend_token(t.handle, &token));
    CLOSE(token);
    ASSERT_OK(raw_start(&t, counts, (uintptr_t)words, 0));
    expect_counting();
    words[1] = 1;
    raw_join(&t);
}

TEST(SuspendToken, NeverStarted)
{
    struct raw_thread t = raw_make();
    zx_handle_t token;

    ASSERT_OK(zx_task_suspend_token(t.handle, &token));
    CLOSE(t.handle);
    CLOSE(token);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), t.stack, RAW_STACK_SIZE));
}

static void exits(uintptr_t argument1, uintptr_t argument2)
{
    (void)argument1;
    (void)argument2;
    zx_thread_exit();
}

TEST(SuspendToken, NotTheDead)
{
    struct raw_thread t = raw_run(exits, 0, 0);
    struct child child = child_start(ZX_HANDLE_INVALID, child_exits, 0);
    zx_handle_t token;

    EXPECT_OK(zx_object_wait_one(t.handle, ZX_THREAD_TERMINATED, soon(), NULL));
    EXPECT_STATUS(zx_task_suspend_token(t.handle, &token), ZX_ERR_BAD_STATE);
    raw_join(&t);
    child_wait(&child);
    EXPECT_STATUS(zx_task_suspend_token(child.process, &token), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_task_suspend_token(child.thread, &token), ZX_ERR_BAD_STATE);
    child_close(&child);
}

TEST(SuspendToken, KillOfTheSuspended)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_spins, 0);
    zx_handle_t token;

    ASSERT_OK(zx_task_suspend_token(child.thread, &token));
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, soon(), NULL));
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_EQ(signals_of(child.thread), ZX_THREAD_TERMINATED);
    CLOSE(token); /* long after */
    child_close(&child);
}

/* ---- Blocked threads ----------------------------------------------------------------------- */

/* A call that blocks, made by a thread of its own, and what it returned. */
struct blocked {
    struct raw_thread thread;
    zx_handle_t object;
    zx_time_t deadline;
    _Atomic zx_status_t result;
    zx_port_packet_t packet;
    zx_futex_t futex;
};

#define PENDING 1

static void expect_interrupted(struct blocked *b, uint32_t state)
{
    zx_handle_t token;

    ASSERT_TRUE(wait_until_blocked(b->thread.handle, state));
    token = raw_suspend(&b->thread);
    EXPECT_EQ(raw_state(&b->thread), ZX_THREAD_STATE_SUSPENDED);
    raw_resume(&b->thread, token);
    /* Back in the call. */
    EXPECT_TRUE(wait_until_blocked(b->thread.handle, state));
    EXPECT_EQ(b->result, PENDING);
}

static void sleeps(uintptr_t argument, uintptr_t unused)
{
    struct blocked *b = (struct blocked *)argument;

    (void)unused;
    b->result = zx_nanosleep(b->deadline);
    zx_thread_exit();
}

TEST(SuspendBlocked, Sleep)
{
    struct blocked b = {.result = PENDING, .deadline = zx_deadline_after(SECONDS(2))};

    b.thread = raw_run(sleeps, (uintptr_t)&b, 0);
    expect_interrupted(&b, ZX_THREAD_STATE_BLOCKED_SLEEPING);
    raw_join(&b.thread);
    EXPECT_OK(b.result);
    EXPECT_TRUE(zx_clock_get_monotonic() >= b.deadline);
}

/* The deadline passes meanwhile. */
TEST(SuspendBlocked, SleepPastItsDeadline)
{
    struct blocked b = {.result = PENDING, .deadline = zx_deadline_after(SECONDS(1))};
    zx_handle_t token;

    b.thread = raw_run(sleeps, (uintptr_t)&b, 0);
    ASSERT_TRUE(wait_until_blocked(b.thread.handle, ZX_THREAD_STATE_BLOCKED_SLEEPING));
    token = raw_suspend(&b.thread);
    zx_nanosleep(b.deadline + MS(10));
    EXPECT_EQ(b.result, PENDING);
    CLOSE(token);
    raw_join(&b.thread);
    EXPECT_OK(b.result);
}

static void waits_for_one(uintptr_t argument, uintptr_t unused)
{
    struct blocked *b = (struct blocked *)argument;

    (void)unused;
    b->result = zx_object_wait_one(b->object, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE, NULL);
    zx_thread_exit();
}

TEST(SuspendBlocked, ObjectWaitOne)
{
    struct blocked b = {.result = PENDING};

    ASSERT_OK(zx_event_create(0, &b.object));
    b.thread = raw_run(waits_for_one, (uintptr_t)&b, 0);
    expect_interrupted(&b, ZX_THREAD_STATE_BLOCKED_WAIT_ONE);
    ASSERT_OK(zx_object_signal(b.object, 0, ZX_USER_SIGNAL_0));
    raw_join(&b.thread);
    EXPECT_OK(b.result);
    CLOSE(b.object);
}

static void waits_for_many(uintptr_t argument, uintptr_t unused)
{
    struct blocked *b = (struct blocked *)argument;
    zx_wait_item_t items[2] = {{b->object, ZX_USER_SIGNAL_0, 0}, {b->object, ZX_USER_SIGNAL_1, 0}};

    (void)unused;
    b->result = zx_object_wait_many(items, 2, ZX_TIME_INFINITE);
    zx_thread_exit();
}

TEST(SuspendBlocked, ObjectWaitMany)
{
    struct blocked b = {.result = PENDING};

    ASSERT_OK(zx_event_create(0, &b.object));
    b.thread = raw_run(waits_for_many, (uintptr_t)&b, 0);
    expect_interrupted(&b, ZX_THREAD_STATE_BLOCKED_WAIT_MANY);
    ASSERT_OK(zx_object_signal(b.object, 0, ZX_USER_SIGNAL_1));
    raw_join(&b.thread);
    EXPECT_OK(b.result);
    CLOSE(b.object);
}

static void waits_for_packet(uintptr_t argument, uintptr_t unused)
{
    struct blocked *b = (struct blocked *)argument;

    (void)unused;
    b->result = zx_port_wait(b->object, ZX_TIME_INFINITE, &b->packet);
    zx_thread_exit();
}

TEST(SuspendBlocked, PortWait)
{
    struct blocked b = {.result = PENDING};
    zx_port_packet_t packet = {.key = 77};

    ASSERT_OK(zx_port_create(0, &b.object));
    b.thread = raw_run(waits_for_packet, (uintptr_t)&b, 0);
    expect_interrupted(&b, ZX_THREAD_STATE_BLOCKED_PORT);
    ASSERT_OK(zx_port_queue(b.object, &packet));
    raw_join(&b.thread);
    EXPECT_OK(b.result);
    EXPECT_EQ(b.packet.key, 77);
    CLOSE(b.object);
}

static void waits_on_futex(uintptr_t argument, uintptr_t unused)
{
    struct blocked *b = (struct blocked *)argument;

    (void)unused;
    b->result = zx_futex_wait(&b->futex, 0, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    zx_thread_exit();
}

TEST(SuspendBlocked, Futex)
{
    struct blocked b = {.result = PENDING};

    b.thread = raw_run(waits_on_futex, (uintptr_t)&b, 0);
    expect_interrupted(&b, ZX_THREAD_STATE_BLOCKED_FUTEX);
    ASSERT_OK(zx_futex_wake(&b.futex, 1));
    raw_join(&b.thread);
    EXPECT_OK(b.result);
}

/* A wake while it is suspended is lost, but the value has changed. */
TEST(SuspendBlocked, FutexChangesMeanwhile)
{
    struct blocked b = {.result = PENDING};
    zx_handle_t token;

    b.thread = raw_run(waits_on_futex, (uintptr_t)&b, 0);
    ASSERT_TRUE(wait_until_blocked(b.thread.handle, ZX_THREAD_STATE_BLOCKED_FUTEX));
    token = raw_suspend(&b.thread);
    b.futex = (zx_futex_t)1;
    ASSERT_OK(zx_futex_wake(&b.futex, 1));
    CLOSE(token);
    raw_join(&b.thread);
    EXPECT_STATUS(b.result, ZX_ERR_BAD_STATE);
}

static void calls(uintptr_t argument, uintptr_t unused)
{
    struct blocked *b = (struct blocked *)argument;
    uint32_t message[2] = {0, 5}, reply[2] = {0, 0}, bytes = 0, handles = 0;
    zx_channel_call_args_t args = {
        .wr_bytes = message,
        .wr_num_bytes = sizeof(message),
        .rd_bytes = reply,
        .rd_num_bytes = sizeof(reply),
    };

    (void)unused;
    b->result = zx_channel_call(b->object, 0, ZX_TIME_INFINITE, &args, &bytes, &handles);
    b->packet.key = reply[1];
    zx_thread_exit();
}

static void answer(zx_handle_t channel)
{
    uint32_t message[2], size;

    ASSERT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, soon(), NULL));
    ASSERT_OK(zx_channel_read(channel, 0, message, NULL, sizeof(message), 0, &size, NULL));
    EXPECT_EQ(message[1], 5);
    message[1] = 6;
    ASSERT_OK(zx_channel_write(channel, 0, message, sizeof(message), NULL, 0));
}

TEST(SuspendBlocked, ChannelCall)
{
    struct blocked b = {.result = PENDING};
    zx_handle_t server;

    ASSERT_OK(zx_channel_create(0, &b.object, &server));
    b.thread = raw_run(calls, (uintptr_t)&b, 0);
    expect_interrupted(&b, ZX_THREAD_STATE_BLOCKED_CHANNEL);
    answer(server); /* one request, although the call was interrupted */
    raw_join(&b.thread);
    EXPECT_OK(b.result);
    EXPECT_EQ(b.packet.key, 6);
    EXPECT_EQ(signals_of(server) & ZX_CHANNEL_READABLE, 0);
    CLOSE(server);
    CLOSE(b.object);
}

TEST(SuspendBlocked, ChannelCallIsAnsweredMeanwhile)
{
    struct blocked b = {.result = PENDING};
    zx_handle_t server, token;

    ASSERT_OK(zx_channel_create(0, &b.object, &server));
    b.thread = raw_run(calls, (uintptr_t)&b, 0);
    ASSERT_TRUE(wait_until_blocked(b.thread.handle, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    token = raw_suspend(&b.thread);
    answer(server);
    EXPECT_EQ(signals_of(b.object) & ZX_CHANNEL_READABLE, 0); /* the answer is the caller's */
    EXPECT_EQ(b.result, PENDING);
    CLOSE(token);
    raw_join(&b.thread);
    EXPECT_OK(b.result);
    EXPECT_EQ(b.packet.key, 6);
    CLOSE(server);
    CLOSE(b.object);
}

TEST(SuspendBlocked, ChannelCallLosesItsPeerMeanwhile)
{
    struct blocked b = {.result = PENDING};
    zx_handle_t server, token;

    ASSERT_OK(zx_channel_create(0, &b.object, &server));
    b.thread = raw_run(calls, (uintptr_t)&b, 0);
    ASSERT_TRUE(wait_until_blocked(b.thread.handle, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    token = raw_suspend(&b.thread);
    CLOSE(server);
    CLOSE(token);
    raw_join(&b.thread);
    EXPECT_STATUS(b.result, ZX_ERR_PEER_CLOSED);
    CLOSE(b.object);
}

/* ---- Processes ----------------------------------------------------------------------------- */

/* Asks the parent for nothing: one message each time it gets one. */
static CHILD void echoes(zx_handle_t channel, const struct child_calls *calls)
{
    char buffer[8];
    uint32_t size, handles;

    while (calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL) == ZX_OK &&
           calls->channel_read(channel, 0, buffer, NULL, sizeof(buffer), 0, &size, &handles) ==
               ZX_OK)
        calls->channel_write(channel, 0, buffer, size, NULL, 0);
    calls->process_exit(0);
}

static zx_status_t echo(const struct child *child, zx_time_t deadline)
{
    char buffer[8];
    uint32_t size;
    zx_status_t status = zx_object_wait_one(child->channel, ZX_CHANNEL_READABLE, deadline, NULL);

    if (status != ZX_OK)
        return status;
    return zx_channel_read(child->channel, 0, buffer, NULL, sizeof(buffer), 0, &size, NULL);
}

TEST(SuspendProcess, StopsAndResumes)
{
    struct child child = child_start(ZX_HANDLE_INVALID, echoes, 0);
    zx_handle_t token;

    ASSERT_OK(zx_channel_write(child.channel, 0, "a", 1, NULL, 0));
    EXPECT_OK(echo(&child, soon()));
    ASSERT_OK(zx_task_suspend_token(child.process, &token));
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, soon(), NULL));
    ASSERT_OK(zx_channel_write(child.channel, 0, "b", 1, NULL, 0));
    EXPECT_STATUS(echo(&child, zx_deadline_after(MS(10))), ZX_ERR_TIMED_OUT);
    CLOSE(token);
    EXPECT_OK(echo(&child, soon()));
    child_close(&child);
}

TEST(SuspendProcess, IsCountedOncePerThread)
{
    struct child child = child_start(ZX_HANDLE_INVALID, echoes, 0);
    zx_handle_t a, b, of_thread;

    ASSERT_OK(zx_task_suspend_token(child.process, &a));
    ASSERT_OK(zx_task_suspend_token(child.process, &b));
    ASSERT_OK(zx_task_suspend_token(child.thread, &of_thread));
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, soon(), NULL));
    CLOSE(a);
    CLOSE(of_thread);
    EXPECT_STATUS(
        zx_object_wait_one(child.thread, ZX_THREAD_RUNNING, zx_deadline_after(MS(5)), NULL),
        ZX_ERR_TIMED_OUT);
    CLOSE(b);
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_RUNNING, soon(), NULL));
    child_close(&child);
}

TEST(SuspendProcess, BeforeItStarts)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_exits, 9);
    zx_handle_t token;

    ASSERT_OK(zx_task_suspend_token(prepared.child.process, &token));
    child_run(&prepared);
    EXPECT_OK(zx_object_wait_one(prepared.child.thread, ZX_THREAD_SUSPENDED, soon(), NULL));
    EXPECT_EQ(signals_of(prepared.child.process), 0);
    CLOSE(token);
    EXPECT_EQ(child_wait(&prepared.child), 9);
    child_close(&prepared.child);
}

TEST(SuspendProcess, CoversThreadsStartedLater)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_spins, 0);
    struct child *child = &prepared.child;
    zx_handle_t token, early, late;

    ASSERT_OK(zx_thread_create(child->process, "early", 5, 0, &early));
    child_run(&prepared);
    ASSERT_OK(zx_task_suspend_token(child->process, &token));
    ASSERT_OK(zx_thread_create(child->process, "late", 4, 0, &late));
    ASSERT_OK(zx_thread_start(early, prepared.entry, prepared.stack_pointer, 0, prepared.calls));
    ASSERT_OK(zx_thread_start(late, prepared.entry, prepared.stack_pointer, 0, prepared.calls));
    EXPECT_OK(zx_object_wait_one(child->thread, ZX_THREAD_SUSPENDED, soon(), NULL));
    EXPECT_OK(zx_object_wait_one(early, ZX_THREAD_SUSPENDED, soon(), NULL));
    EXPECT_OK(zx_object_wait_one(late, ZX_THREAD_SUSPENDED, soon(), NULL));
    CLOSE(token);
    EXPECT_OK(zx_object_wait_one(child->thread, ZX_THREAD_RUNNING, soon(), NULL));
    EXPECT_OK(zx_object_wait_one(early, ZX_THREAD_RUNNING, soon(), NULL));
    EXPECT_OK(zx_object_wait_one(late, ZX_THREAD_RUNNING, soon(), NULL));
    CLOSE(early);
    CLOSE(late);
    child_close(child);
}

TEST(SuspendProcess, Kill)
{
    struct child child = child_start(ZX_HANDLE_INVALID, child_sleeps, 0);
    zx_handle_t token;

    ASSERT_OK(zx_task_suspend_token(child.process, &token));
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    CLOSE(token);
    child_close(&child);
}
