/*
 * Exceptions: channels, order of delivery, answers, what debuggers are told.
 */
#include "child.h"
#include "raw_thread.h"

#define DEBUGGER ZX_EXCEPTION_CHANNEL_DEBUGGER

/* What an exception channel delivers. */
struct caught {
    zx_exception_info_t info;
    zx_handle_t exception;
};

static zx_handle_t bind(zx_handle_t task, uint32_t options)
{
    zx_handle_t channel;

    ASSERT_OK(zx_task_create_exception_channel(task, options, &channel));
    return channel;
}

static struct caught catch_one(zx_handle_t channel)
{
    struct caught c = {.exception = ZX_HANDLE_INVALID};
    uint32_t bytes, handles;

    ASSERT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, soon(), NULL));
    ASSERT_OK(
        zx_channel_read(channel, 0, &c.info, &c.exception, sizeof(c.info), 1, &bytes, &handles));
    EXPECT_EQ(bytes, sizeof(c.info));
    EXPECT_EQ(handles, 1);
    return c;
}

static zx_handle_t catch_type(zx_handle_t channel, uint32_t type)
{
    struct caught c = catch_one(channel);

    EXPECT_EQ(c.info.type, type);
    return c.exception;
}

static bool is_empty(zx_handle_t channel)
{
    return !(signals_of(channel) & ZX_CHANNEL_READABLE);
}

static void set_state(zx_handle_t exception, uint32_t state)
{
    EXPECT_OK(zx_object_set_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)));
}

/* The thread goes on. */
static void handle(zx_handle_t exception)
{
    set_state(exception, ZX_EXCEPTION_STATE_HANDLED);
    CLOSE(exception);
}

static zx_handle_t thread_of(zx_handle_t exception)
{
    zx_handle_t thread = ZX_HANDLE_INVALID;

    EXPECT_OK(zx_exception_get_thread(exception, &thread));
    return thread;
}

static zx_info_thread_t thread_info(zx_handle_t thread)
{
    zx_info_thread_t info = {.state = UINT32_MAX};

    EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof(info), NULL, NULL));
    return info;
}

static zx_exception_report_t report_of(zx_handle_t thread)
{
    zx_exception_report_t report = {.header.size = 0};

    EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report, sizeof(report),
                                 NULL, NULL));
    return report;
}

/* Lets the thread go on behind an instruction of `length` bytes. */
static void skip_instruction(zx_handle_t exception, unsigned length)
{
    zx_handle_t thread = thread_of(exception);
    zx_thread_state_general_regs_t regs;

    EXPECT_OK(zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)));
    regs.rip += length;
    EXPECT_OK(zx_thread_write_state(thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)));
    CLOSE(thread);
}

/* ---- Children ------------------------------------------------------------------------------ */

/* Waits for a word from the parent, executes ud2 (2 bytes), exits with `argument`. */
static CHILD void faults_when_told(zx_handle_t channel, const struct child_calls *calls)
{
    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    __asm__ volatile("ud2");
    calls->process_exit((int64_t)calls->argument);
}

static CHILD void leaves_when_told(zx_handle_t channel, const struct child_calls *calls)
{
    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    calls->thread_exit();
}

static CHILD void exits_when_told(zx_handle_t channel, const struct child_calls *calls)
{
    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    calls->process_exit((int64_t)calls->argument);
}

static void tell(const struct child *child)
{
    ASSERT_OK(zx_channel_write(child->channel, 0, "!", 1, NULL, 0));
}

/* A child that has begun to run, so that a debugger bound from now on does not see it start. */
static struct child start_in(zx_handle_t job, child_function_t function)
{
    struct child child = child_start(job, function, 7);
    zx_info_thread_stats_t stats;

    do {
        zx_nanosleep(0);
        if (zx_object_get_info(child.thread, ZX_INFO_THREAD_STATS, &stats, sizeof(stats), NULL,
                               NULL) != ZX_OK)
            break;
    } while (stats.total_runtime == 0);
    return child;
}

static struct child start(child_function_t function)
{
    return start_in(ZX_HANDLE_INVALID, function);
}

/* ---- Channels ------------------------------------------------------------------------------ */

TEST(ExceptionChannel, Create)
{
    struct child child = start(child_sleeps);
    zx_handle_t channel = bind(child.thread, 0);

    EXPECT_EQ(basic_info(channel).type, ZX_OBJ_TYPE_CHANNEL);
    EXPECT_EQ(basic_info(channel).rights, ZX_RIGHT_TRANSFER | ZX_RIGHT_WAIT | ZX_RIGHT_READ);
    EXPECT_STATUS(zx_channel_write(channel, 0, NULL, 0, NULL, 0), ZX_ERR_ACCESS_DENIED);
    CLOSE(channel);
    child_close(&child);
}

TEST(ExceptionChannel, BadArguments)
{
    static const zx_rights_t needed[] = {ZX_RIGHT_INSPECT, ZX_RIGHT_DUPLICATE, ZX_RIGHT_TRANSFER,
                                         ZX_RIGHT_MANAGE_THREAD};
    struct child child = start(child_sleeps);
    zx_handle_t channel, weak;

    EXPECT_STATUS(zx_task_create_exception_channel(child.process, 2, &channel),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_task_create_exception_channel(closed_handle(), 0, &channel),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_task_create_exception_channel(child.thread, DEBUGGER, &channel),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_task_create_exception_channel(child.process, 0, UNMAPPED),
                  ZX_ERR_INVALID_ARGS);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        ASSERT_OK(
            zx_handle_duplicate(child.process, ZX_DEFAULT_PROCESS_RIGHTS & ~needed[i], &weak));
        EXPECT_STATUS(zx_task_create_exception_channel(weak, 0, &channel), ZX_ERR_ACCESS_DENIED);
        CLOSE(weak);
    }
    weak = without_rights(child.process, ZX_RIGHT_ENUMERATE);
    EXPECT_STATUS(zx_task_create_exception_channel(weak, 0, &channel), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(zx_job_default(), ZX_RIGHT_ENUMERATE);
    EXPECT_STATUS(zx_task_create_exception_channel(weak, 0, &channel), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    /* A failing call has not bound anything. */
    CLOSE(bind(child.process, 0));
    child_close(&child);
}

TEST(ExceptionChannel, NotOfOtherObjects)
{
    zx_handle_t vmo, channel;

    ASSERT_OK(zx_vmo_create(1, 0, &vmo));
    EXPECT_STATUS(zx_task_create_exception_channel(vmo, 0, &channel), ZX_ERR_ACCESS_DENIED);
    CLOSE(vmo);
}

static void expect_one_at_a_time(zx_handle_t task, uint32_t options)
{
    zx_handle_t channel = bind(task, options), other;

    EXPECT_STATUS(zx_task_create_exception_channel(task, options, &other), ZX_ERR_ALREADY_BOUND);
    CLOSE(channel);
    channel = bind(task, options);
    CLOSE(channel);
}

TEST(ExceptionChannel, OneAtATime)
{
    struct child child = start(child_sleeps);
    zx_handle_t job, debugger, handler;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    expect_one_at_a_time(child.thread, 0);
    expect_one_at_a_time(child.process, 0);
    expect_one_at_a_time(child.process, DEBUGGER);
    expect_one_at_a_time(job, 0);
    expect_one_at_a_time(job, DEBUGGER);
    /* The two kinds do not exclude each other. */
    debugger = bind(child.process, DEBUGGER);
    handler = bind(child.process, 0);
    CLOSE(debugger);
    CLOSE(handler);
    CLOSE(job);
    child_close(&child);
}

TEST(ExceptionChannel, NotOfTheDead)
{
    zx_handle_t job, channel;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    struct child child = child_start(job, child_exits, 0);
    child_wait(&child);
    EXPECT_STATUS(zx_task_create_exception_channel(child.thread, 0, &channel), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_task_create_exception_channel(child.process, 0, &channel), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_task_create_exception_channel(child.process, DEBUGGER, &channel),
                  ZX_ERR_BAD_STATE);
    ASSERT_OK(zx_task_kill(job));
    EXPECT_STATUS(zx_task_create_exception_channel(job, 0, &channel), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_task_create_exception_channel(job, DEBUGGER, &channel), ZX_ERR_BAD_STATE);
    child_close(&child);
    CLOSE(job);
}

TEST(ExceptionChannel, ClosesWithTheTask)
{
    zx_handle_t job, channels[5];

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    struct child child = child_start(job, exits_when_told, 0);
    channels[0] = bind(child.thread, 0);
    channels[1] = bind(child.process, 0);
    channels[2] = bind(child.process, DEBUGGER);
    channels[3] = bind(job, 0);
    channels[4] = bind(job, DEBUGGER);
    ASSERT_OK(zx_task_kill(job));
    for (int i = 0; i < 5; i++) {
        EXPECT_OK(zx_object_wait_one(channels[i], ZX_CHANNEL_PEER_CLOSED, soon(), NULL));
        CLOSE(channels[i]);
    }
    child_close(&child);
    CLOSE(job);
}

TEST(ExceptionChannel, DebuggerAttached)
{
    struct child child = start(child_sleeps);
    zx_info_process_t info;
    zx_info_job_t job_info;
    zx_handle_t job, channel = bind(child.process, 0), debugger = bind(child.process, DEBUGGER);

    EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    EXPECT_TRUE(info.debugger_attached);
    CLOSE(debugger);
    EXPECT_OK(zx_object_get_info(child.process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL));
    EXPECT_TRUE(!info.debugger_attached);
    CLOSE(channel);
    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    debugger = bind(job, DEBUGGER);
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB, &job_info, sizeof(job_info), NULL, NULL));
    EXPECT_TRUE(job_info.debugger_attached);
    CLOSE(debugger);
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB, &job_info, sizeof(job_info), NULL, NULL));
    EXPECT_TRUE(!job_info.debugger_attached);
    CLOSE(job);
    child_close(&child);
}

/* ---- Delivery ------------------------------------------------------------------------------ */

static void expect_delivery(zx_handle_t task, uint32_t options, uint32_t type, struct child *child)
{
    zx_handle_t channel = bind(task, options);
    struct caught c;

    tell(child);
    c = catch_one(channel);
    EXPECT_EQ(c.info.type, ZX_EXCP_UNDEFINED_INSTRUCTION);
    EXPECT_EQ(c.info.pid, basic_info(child->process).koid);
    EXPECT_EQ(c.info.tid, basic_info(child->thread).koid);
    EXPECT_EQ(thread_info(child->thread).state, ZX_THREAD_STATE_BLOCKED_EXCEPTION);
    EXPECT_EQ(thread_info(child->thread).wait_exception_channel_type, type);
    CLOSE(channel);
    skip_instruction(c.exception, 2);
    handle(c.exception);
    EXPECT_EQ(child_wait(child), 7);
    EXPECT_EQ(thread_info(child->thread).wait_exception_channel_type,
              ZX_EXCEPTION_CHANNEL_TYPE_NONE);
}

TEST(Exception, ToTheThread)
{
    struct child child = start(faults_when_told);

    expect_delivery(child.thread, 0, ZX_EXCEPTION_CHANNEL_TYPE_THREAD, &child);
    child_close(&child);
}

TEST(Exception, ToTheProcess)
{
    struct child child = start(faults_when_told);

    expect_delivery(child.process, 0, ZX_EXCEPTION_CHANNEL_TYPE_PROCESS, &child);
    child_close(&child);
}

TEST(Exception, ToTheDebugger)
{
    struct child child = start(faults_when_told);

    expect_delivery(child.process, DEBUGGER, ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER, &child);
    child_close(&child);
}

TEST(Exception, ToTheJob)
{
    zx_handle_t job;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    struct child child = child_start(job, faults_when_told, 7);
    expect_delivery(job, 0, ZX_EXCEPTION_CHANNEL_TYPE_JOB, &child);
    child_close(&child);
    CLOSE(job);
}

TEST(Exception, ToAnAncestor)
{
    zx_handle_t outer, middle, inner;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &outer));
    ASSERT_OK(zx_job_create(outer, 0, &middle));
    ASSERT_OK(zx_job_create(middle, 0, &inner));
    struct child child = child_start(inner, faults_when_told, 7);
    expect_delivery(outer, 0, ZX_EXCEPTION_CHANNEL_TYPE_JOB, &child);
    child_close(&child);
    CLOSE(inner);
    CLOSE(middle);
    CLOSE(outer);
}

/* Every one is asked in turn, and none twice. */
TEST(Exception, Order)
{
    zx_handle_t outer, inner, channels[6];

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &outer));
    ASSERT_OK(zx_job_create(outer, 0, &inner));
    struct child child = start_in(inner, faults_when_told);
    channels[0] = bind(child.process, DEBUGGER);
    channels[1] = bind(child.thread, 0);
    channels[2] = bind(child.process, 0);
    channels[3] = bind(inner, 0);
    channels[4] = bind(outer, 0);
    channels[5] = bind(inner, DEBUGGER); /* is told of starting processes only */
    tell(&child);
    for (int i = 0; i < 5; i++) {
        zx_handle_t exception = catch_type(channels[i], ZX_EXCP_UNDEFINED_INSTRUCTION);
        for (int j = 0; j < 6; j++)
            EXPECT_TRUE(is_empty(channels[j]));
        CLOSE(exception);
    }
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    /* Only the debugger hears of the thread's end. */
    CLOSE(catch_type(channels[0], ZX_EXCP_THREAD_EXITING));
    for (int i = 0; i < 6; i++) {
        EXPECT_TRUE(is_empty(channels[i]));
        CLOSE(channels[i]);
    }
    child_close(&child);
    CLOSE(inner);
    CLOSE(outer);
}

TEST(Exception, ClosedChannelsArePassedOver)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel = bind(child.process, 0);

    CLOSE(bind(child.process, DEBUGGER));
    CLOSE(bind(child.thread, 0));
    tell(&child);
    handle(catch_type(channel, ZX_EXCP_UNDEFINED_INSTRUCTION)); /* happens again: not skipped */
    CLOSE(catch_type(channel, ZX_EXCP_UNDEFINED_INSTRUCTION));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    CLOSE(channel);
    child_close(&child);
}

/* Closing a channel passes on what was not read from it ... */
TEST(Exception, ClosingTheChannelUnread)
{
    struct child child = start(faults_when_told);
    zx_handle_t first = bind(child.thread, 0), second = bind(child.process, 0), exception;

    tell(&child);
    EXPECT_OK(zx_object_wait_one(first, ZX_CHANNEL_READABLE, soon(), NULL));
    EXPECT_TRUE(is_empty(second));
    CLOSE(first);
    exception = catch_type(second, ZX_EXCP_UNDEFINED_INSTRUCTION);
    skip_instruction(exception, 2);
    handle(exception);
    EXPECT_EQ(child_wait(&child), 7);
    CLOSE(second);
    child_close(&child);
}

/* ... and leaves an exception with its reader. */
TEST(Exception, ClosingTheChannelAfterReading)
{
    struct child child = start(faults_when_told);
    zx_handle_t first = bind(child.thread, 0), second = bind(child.process, 0), exception;

    tell(&child);
    exception = catch_type(first, ZX_EXCP_UNDEFINED_INSTRUCTION);
    CLOSE(first);
    zx_nanosleep(zx_deadline_after(MS(5)));
    EXPECT_TRUE(is_empty(second));
    EXPECT_EQ(thread_info(child.thread).state, ZX_THREAD_STATE_BLOCKED_EXCEPTION);
    skip_instruction(exception, 2);
    handle(exception);
    EXPECT_EQ(child_wait(&child), 7);
    CLOSE(second);
    child_close(&child);
}

/* Whoever has the handle answers; a message on its way has it, too. */
TEST(Exception, MovesInAMessage)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel = bind(child.process, 0), exception, a, b;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    tell(&child);
    exception = catch_type(channel, ZX_EXCP_UNDEFINED_INSTRUCTION);
    ASSERT_OK(zx_channel_write(a, 0, NULL, 0, &exception, 1));
    EXPECT_EQ(thread_info(child.thread).state, ZX_THREAD_STATE_BLOCKED_EXCEPTION);
    ASSERT_OK(zx_channel_read(b, 0, NULL, &exception, 0, 1, NULL, NULL));
    skip_instruction(exception, 2);
    handle(exception);
    EXPECT_EQ(child_wait(&child), 7);
    CLOSE(a);
    CLOSE(b);
    CLOSE(channel);
    child_close(&child);
}

TEST(Exception, KillEndsIt)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel = bind(child.process, 0), exception, thread;

    tell(&child);
    exception = catch_type(channel, ZX_EXCP_UNDEFINED_INSTRUCTION);
    ASSERT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    /* The object lives on without effect. */
    thread = thread_of(exception);
    EXPECT_EQ(thread_info(thread).state, ZX_THREAD_STATE_DEAD);
    CLOSE(thread);
    handle(exception);
    CLOSE(channel);
    child_close(&child);
}

TEST(Exception, KillWhileUnread)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel = bind(child.process, 0);

    tell(&child);
    EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, soon(), NULL));
    ASSERT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_EQ(signals_of(channel), ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED);
    CLOSE(catch_type(channel, ZX_EXCP_UNDEFINED_INSTRUCTION));
    CLOSE(channel);
    child_close(&child);
}

TEST(Exception, SuspendWaitsBehindIt)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel = bind(child.thread, 0), exception, token;

    tell(&child);
    exception = catch_type(channel, ZX_EXCP_UNDEFINED_INSTRUCTION);
    ASSERT_OK(zx_task_suspend_token(child.thread, &token));
    zx_nanosleep(zx_deadline_after(MS(2)));
    EXPECT_EQ(thread_info(child.thread).state, ZX_THREAD_STATE_BLOCKED_EXCEPTION);
    EXPECT_EQ(signals_of(child.thread), ZX_THREAD_RUNNING);
    skip_instruction(exception, 2);
    handle(exception);
    EXPECT_OK(zx_object_wait_one(child.thread, ZX_THREAD_SUSPENDED, soon(), NULL));
    EXPECT_EQ(thread_info(child.thread).state, ZX_THREAD_STATE_SUSPENDED);
    CLOSE(token);
    EXPECT_EQ(child_wait(&child), 7);
    CLOSE(channel);
    child_close(&child);
}

TEST(Exception, ResumedWhileInIt)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel = bind(child.thread, 0), exception, token;

    tell(&child);
    exception = catch_type(channel, ZX_EXCP_UNDEFINED_INSTRUCTION);
    ASSERT_OK(zx_task_suspend_token(child.thread, &token));
    CLOSE(token);
    EXPECT_EQ(thread_info(child.thread).state, ZX_THREAD_STATE_BLOCKED_EXCEPTION);
    skip_instruction(exception, 2);
    handle(exception);
    EXPECT_EQ(child_wait(&child), 7);
    CLOSE(channel);
    child_close(&child);
}

static void faults_here(uintptr_t result, uintptr_t unused)
{
    (void)unused;
    __asm__ volatile("ud2");
    *(volatile int *)result = 1;
    zx_thread_exit();
}

/* A process may handle the exceptions of its own threads. */
TEST(Exception, InTheOwnProcess)
{
    int result = 0;
    struct raw_thread t = raw_make();
    zx_handle_t channel = bind(t.handle, 0), exception;

    ASSERT_OK(raw_start(&t, faults_here, (uintptr_t)&result, 0));
    exception = catch_type(channel, ZX_EXCP_UNDEFINED_INSTRUCTION);
    skip_instruction(exception, 2);
    handle(exception);
    raw_join(&t);
    EXPECT_EQ(result, 1);
    CLOSE(channel);
}

/* ---- The exception object ------------------------------------------------------------------ */

/* A child stopped in an exception that was read from a channel of one of its tasks. */
static struct caught stop_child(struct child *child, zx_handle_t task, zx_handle_t *channel)
{
    *channel = bind(task, 0);
    tell(child);
    return catch_one(*channel);
}

TEST(ExceptionObject, Basics)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel, copy;
    struct caught c = stop_child(&child, child.process, &channel);

    EXPECT_EQ(basic_info(c.exception).type, ZX_OBJ_TYPE_EXCEPTION);
    EXPECT_EQ(basic_info(c.exception).rights, ZX_DEFAULT_EXCEPTION_RIGHTS);
    EXPECT_STATUS(zx_handle_duplicate(c.exception, ZX_RIGHT_SAME_RIGHTS, &copy),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(c.exception);
    CLOSE(channel);
    child_close(&child);
}

TEST(ExceptionObject, State)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel;
    struct caught c = stop_child(&child, child.process, &channel);
    uint32_t state = 99;

    EXPECT_OK(zx_object_get_property(c.exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)));
    EXPECT_EQ(state, ZX_EXCEPTION_STATE_TRY_NEXT);
    set_state(c.exception, ZX_EXCEPTION_STATE_HANDLED);
    EXPECT_OK(zx_object_get_property(c.exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)));
    EXPECT_EQ(state, ZX_EXCEPTION_STATE_HANDLED);
    set_state(c.exception, ZX_EXCEPTION_STATE_TRY_NEXT);
    state = 2;
    EXPECT_STATUS(
        zx_object_set_property(c.exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_get_property(c.exception, ZX_PROP_EXCEPTION_STATE, &state, 3),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_object_set_property(c.exception, ZX_PROP_EXCEPTION_STATE, &state, 3),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(
        zx_object_get_property(child.process, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)),
        ZX_ERR_WRONG_TYPE);
    CLOSE(c.exception);
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    CLOSE(channel);
    child_close(&child);
}

/* HANDLED is one holder's word; the next one starts from TRY_NEXT. */
TEST(ExceptionObject, StateIsNotInherited)
{
    struct child child = start(faults_when_told);
    zx_handle_t first = bind(child.thread, 0), second = bind(child.process, 0), exception;
    uint32_t state = 99;

    tell(&child);
    exception = catch_type(first, ZX_EXCP_UNDEFINED_INSTRUCTION);
    set_state(exception, ZX_EXCEPTION_STATE_HANDLED);
    set_state(exception, ZX_EXCEPTION_STATE_TRY_NEXT);
    CLOSE(exception);
    exception = catch_type(second, ZX_EXCP_UNDEFINED_INSTRUCTION);
    EXPECT_OK(zx_object_get_property(exception, ZX_PROP_EXCEPTION_STATE, &state, sizeof(state)));
    EXPECT_EQ(state, ZX_EXCEPTION_STATE_TRY_NEXT);
    CLOSE(exception);
    CLOSE(first);
    CLOSE(second);
    child_close(&child);
}

TEST(ExceptionObject, Tasks)
{
    struct child child = start(faults_when_told);
    zx_rights_t rights = ZX_DEFAULT_PROCESS_RIGHTS & ~ZX_RIGHT_SIGNAL;
    zx_handle_t weak, channel, task;

    ASSERT_OK(zx_handle_duplicate(child.process, rights, &weak));
    struct caught c = stop_child(&child, weak, &channel);
    EXPECT_OK(zx_exception_get_thread(c.exception, &task));
    EXPECT_EQ(basic_info(task).koid, basic_info(child.thread).koid);
    EXPECT_EQ(basic_info(task).rights, rights); /* of the handle that was bound */
    CLOSE(task);
    EXPECT_OK(zx_exception_get_process(c.exception, &task));
    EXPECT_EQ(basic_info(task).koid, basic_info(child.process).koid);
    EXPECT_EQ(basic_info(task).rights, rights);
    CLOSE(task);
    EXPECT_STATUS(zx_exception_get_thread(c.exception, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_exception_get_thread(channel, &task), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_exception_get_process(closed_handle(), &task), ZX_ERR_BAD_HANDLE);
    CLOSE(c.exception);
    CLOSE(weak);
    CLOSE(channel);
    child_close(&child);
}

TEST(ExceptionObject, NoProcessFromAThreadChannel)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel, task;
    struct caught c = stop_child(&child, child.thread, &channel);

    EXPECT_STATUS(zx_exception_get_process(c.exception, &task), ZX_ERR_ACCESS_DENIED);
    task = thread_of(c.exception);
    CLOSE(task);
    CLOSE(c.exception);
    CLOSE(channel);
    child_close(&child);
}

/* ---- Reports ------------------------------------------------------------------------------- */

static CHILD void reads_there(zx_handle_t channel, const struct child_calls *calls)
{
    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    __asm__ volatile("mov (%0), %%al" ::"r"(calls->argument) : "rax");
    calls->process_exit(0);
}

static CHILD void writes_there(zx_handle_t channel, const struct child_calls *calls)
{
    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    __asm__ volatile("movb $1, (%0)" ::"r"(calls->argument) : "memory");
    calls->process_exit(0);
}

static CHILD void breaks(zx_handle_t channel, const struct child_calls *calls)
{
    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    __asm__ volatile("int3");
    calls->process_exit(7);
}

static CHILD void halts(zx_handle_t channel, const struct child_calls *calls)
{
    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    __asm__ volatile("hlt");
    calls->process_exit(0);
}

static CHILD void divides(zx_handle_t channel, const struct child_calls *calls)
{
    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    __asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cdq; idiv %%ecx" ::: "rax", "rcx", "rdx");
    calls->process_exit(0);
}

/* The report of what a child does, which dies of it. */
static zx_exception_report_t report_from(child_function_t function, uint64_t argument)
{
    struct child child = child_start(ZX_HANDLE_INVALID, function, argument);
    zx_handle_t channel;
    struct caught c = stop_child(&child, child.process, &channel);
    zx_exception_report_t report = report_of(child.thread);

    EXPECT_EQ(report.header.type, c.info.type);
    EXPECT_EQ(report.header.size, sizeof(report));
    CLOSE(c.exception);
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    CLOSE(channel);
    child_close(&child);
    return report;
}

TEST(ExceptionReport, ReadFault)
{
    zx_exception_report_t r = report_from(reads_there, 0x1234);

    EXPECT_EQ(r.header.type, ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_EQ(r.context.arch.u.x86_64.vector, 14);
    EXPECT_EQ(r.context.arch.u.x86_64.cr2, 0x1234);
    EXPECT_EQ(r.context.arch.u.x86_64.err_code & 7, 4); /* user, read, not present */
}

TEST(ExceptionReport, WriteFault)
{
    zx_exception_report_t r = report_from(writes_there, 0x5678);

    EXPECT_EQ(r.header.type, ZX_EXCP_FATAL_PAGE_FAULT);
    EXPECT_EQ(r.context.arch.u.x86_64.cr2, 0x5678);
    EXPECT_EQ(r.context.arch.u.x86_64.err_code & 7, 6);
}

TEST(ExceptionReport, UndefinedInstruction)
{
    zx_exception_report_t r = report_from(faults_when_told, 0);

    EXPECT_EQ(r.header.type, ZX_EXCP_UNDEFINED_INSTRUCTION);
    EXPECT_EQ(r.context.arch.u.x86_64.vector, 6);
}

TEST(ExceptionReport, GeneralProtection)
{
    zx_exception_report_t r = report_from(halts, 0);

    EXPECT_EQ(r.header.type, ZX_EXCP_GENERAL);
    EXPECT_EQ(r.context.arch.u.x86_64.vector, 13);
}

TEST(ExceptionReport, Division)
{
    zx_exception_report_t r = report_from(divides, 0);

    EXPECT_EQ(r.header.type, ZX_EXCP_GENERAL);
    EXPECT_EQ(r.context.arch.u.x86_64.vector, 0);
}

/* The breakpoint instruction is over when it is reported. */
TEST(ExceptionReport, Breakpoint)
{
    struct child child = start(breaks);
    zx_handle_t channel;
    struct caught c = stop_child(&child, child.process, &channel);

    EXPECT_EQ(c.info.type, ZX_EXCP_SW_BREAKPOINT);
    EXPECT_EQ(report_of(child.thread).context.arch.u.x86_64.vector, 3);
    handle(c.exception);
    EXPECT_EQ(child_wait(&child), 7);
    CLOSE(channel);
    child_close(&child);
}

TEST(ExceptionReport, OnlyInAnException)
{
    struct child child = start(child_sleeps);
    zx_exception_report_t report;

    EXPECT_STATUS(zx_object_get_info(child.thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report,
                                     sizeof(report), NULL, NULL),
                  ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_object_get_info(child.process, ZX_INFO_THREAD_EXCEPTION_REPORT, &report,
                                     sizeof(report), NULL, NULL),
                  ZX_ERR_WRONG_TYPE);
    child_close(&child);
}

TEST(ExceptionReport, BufferTooSmall)
{
    struct child child = start(faults_when_told);
    zx_handle_t channel;
    struct caught c = stop_child(&child, child.process, &channel);
    zx_exception_report_t report;
    size_t actual = 9, avail = 9;

    EXPECT_STATUS(zx_object_get_info(child.thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report,
                                     sizeof(report) - 1, &actual, &avail),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(avail, 1);
    CLOSE(c.exception);
    CLOSE(channel);
    child_close(&child);
}

/* ---- What debuggers are told --------------------------------------------------------------- */

TEST(ExceptionSynthetic, ProcessStarting)
{
    zx_handle_t outer, inner, far, near, exception;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &outer));
    ASSERT_OK(zx_job_create(outer, 0, &inner));
    far = bind(outer, DEBUGGER);
    near = bind(inner, DEBUGGER);
    struct child child = child_start(inner, child_exits, 7);
    exception = catch_type(near, ZX_EXCP_PROCESS_STARTING);
    EXPECT_EQ(thread_info(child.thread).state, ZX_THREAD_STATE_BLOCKED_EXCEPTION);
    EXPECT_EQ(thread_info(child.thread).wait_exception_channel_type,
              ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER);
    EXPECT_EQ(report_of(child.thread).header.type, ZX_EXCP_PROCESS_STARTING);
    CLOSE(exception); /* TRY_NEXT goes on as well: nobody else is asked */
    EXPECT_EQ(child_wait(&child), 7);
    EXPECT_TRUE(is_empty(far));
    child_close(&child);
    /* Without the near one the far one is told. */
    CLOSE(near);
    child = child_start(inner, child_exits, 7);
    handle(catch_type(far, ZX_EXCP_PROCESS_STARTING));
    EXPECT_EQ(child_wait(&child), 7);
    child_close(&child);
    CLOSE(far);
    CLOSE(inner);
    CLOSE(outer);
}

TEST(ExceptionSynthetic, ProcessStartingIsForDebuggersOnly)
{
    zx_handle_t job, channel;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    channel = bind(job, 0);
    struct child child = child_start(job, child_exits, 7);
    EXPECT_EQ(child_wait(&child), 7);
    EXPECT_TRUE(is_empty(channel));
    child_close(&child);
    CLOSE(channel);
    CLOSE(job);
}

TEST(ExceptionSynthetic, ThreadStarting)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, child_exits, 7);
    struct child *child = &prepared.child;
    zx_handle_t debugger = bind(child->process, DEBUGGER), handler = bind(child->process, 0);
    zx_thread_state_general_regs_t regs;
    zx_handle_t exception;

    child_run(&prepared);
    exception = catch_type(debugger, ZX_EXCP_THREAD_STARTING);
    EXPECT_EQ(thread_info(child->thread).wait_exception_channel_type,
              ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER);
    /* It has not executed anything. */
    EXPECT_OK(
        zx_thread_read_state(child->thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)));
    EXPECT_EQ(regs.rip, prepared.entry);
    EXPECT_EQ(regs.rsp, prepared.stack_pointer);
    CLOSE(exception);
    CLOSE(catch_type(debugger, ZX_EXCP_THREAD_EXITING));
    EXPECT_EQ(child_wait(child), 7);
    EXPECT_TRUE(is_empty(handler));
    CLOSE(debugger);
    CLOSE(handler);
    child_close(child);
}

/* Both, in this order, and a suspension after them. */
TEST(ExceptionSynthetic, OrderAtTheStart)
{
    zx_handle_t job, of_job, of_process, token;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    struct prepared_child prepared = child_prepare(job, child_exits, 7);
    struct child *child = &prepared.child;
    of_job = bind(job, DEBUGGER);
    of_process = bind(child->process, DEBUGGER);
    ASSERT_OK(zx_task_suspend_token(child->thread, &token));
    child_run(&prepared);
    EXPECT_OK(zx_object_wait_one(of_job, ZX_CHANNEL_READABLE, soon(), NULL));
    EXPECT_TRUE(is_empty(of_process));
    CLOSE(catch_type(of_job, ZX_EXCP_PROCESS_STARTING));
    EXPECT_OK(zx_object_wait_one(of_process, ZX_CHANNEL_READABLE, soon(), NULL));
    EXPECT_EQ(signals_of(child->thread), ZX_THREAD_RUNNING);
    CLOSE(catch_type(of_process, ZX_EXCP_THREAD_STARTING));
    EXPECT_OK(zx_object_wait_one(child->thread, ZX_THREAD_SUSPENDED, soon(), NULL));
    CLOSE(of_process);
    CLOSE(of_job);
    CLOSE(token);
    EXPECT_EQ(child_wait(child), 7);
    child_close(child);
    CLOSE(job);
}

TEST(ExceptionSynthetic, ThreadExiting)
{
    struct child child = start(leaves_when_told);
    zx_handle_t debugger = bind(child.process, DEBUGGER), exception;
    zx_thread_state_general_regs_t regs;

    tell(&child);
    exception = catch_type(debugger, ZX_EXCP_THREAD_EXITING);
    EXPECT_EQ(thread_info(child.thread).state, ZX_THREAD_STATE_DYING);
    EXPECT_EQ(signals_of(child.thread) & ZX_THREAD_TERMINATED, 0);
    EXPECT_OK(
        zx_thread_read_state(child.thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof(regs)));
    EXPECT_EQ(report_of(child.thread).header.type, ZX_EXCP_THREAD_EXITING);
    CLOSE(exception);
    EXPECT_EQ(child_wait(&child), 0);
    CLOSE(debugger);
    child_close(&child);
}

/* A thread that is killed tells the debugger, but does not wait for it. */
TEST(ExceptionSynthetic, KilledThreadsDoNotWait)
{
    struct child child = start(child_sleeps);
    zx_handle_t debugger = bind(child.process, DEBUGGER);

    zx_nanosleep(zx_deadline_after(MS(2)));
    ASSERT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    CLOSE(catch_type(debugger, ZX_EXCP_THREAD_EXITING));
    EXPECT_EQ(signals_of(debugger), ZX_CHANNEL_PEER_CLOSED);
    CLOSE(debugger);
    child_close(&child);
}

TEST(ExceptionSynthetic, KillWhileExiting)
{
    struct child child = start(leaves_when_told);
    zx_handle_t debugger = bind(child.process, DEBUGGER), exception;

    tell(&child);
    exception = catch_type(debugger, ZX_EXCP_THREAD_EXITING);
    ASSERT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    CLOSE(exception);
    CLOSE(debugger);
    child_close(&child);
}

/* ---- Policy exceptions --------------------------------------------------------------------- */

static CHILD void makes_an_event(zx_handle_t channel, const struct child_calls *calls)
{
    zx_handle_t event;

    (void)channel;
    calls->process_exit(calls->event_create(0, &event));
}

static CHILD void makes_a_bare_syscall(zx_handle_t channel, const struct child_calls *calls)
{
    int64_t result;

    (void)channel;
    __asm__ volatile("syscall" : "=a"(result) : "a"(0x61) : "rcx", "r11", "memory");
    calls->process_exit(result);
}

/* What a child's call returned when the exception that its job's policy made of it was handled. */
static int64_t under_policy(uint32_t condition, uint32_t action, child_function_t function)
{
    const zx_policy_basic_v1_t policy = {condition, action};
    zx_handle_t job, channel;
    int64_t result;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    ASSERT_OK(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, &policy, 1));
    channel = bind(job, 0);
    struct child child = child_start(job, function, 0);
    zx_handle_t exception = catch_type(channel, ZX_EXCP_POLICY_ERROR);
    zx_exception_report_t report = report_of(child.thread);
    EXPECT_EQ(report.header.type, ZX_EXCP_POLICY_ERROR);
    EXPECT_EQ(report.context.arch.u.x86_64.vector, 0);
    handle(exception);
    result = child_wait(&child);
    EXPECT_TRUE(is_empty(channel));
    child_close(&child);
    CLOSE(channel);
    CLOSE(job);
    return result;
}

TEST(ExceptionPolicy, AllowedAndReported)
{
    EXPECT_EQ(under_policy(ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW_EXCEPTION, makes_an_event), ZX_OK);
}

TEST(ExceptionPolicy, DeniedAndReported)
{
    EXPECT_EQ(under_policy(ZX_POL_NEW_EVENT, ZX_POL_ACTION_DENY_EXCEPTION, makes_an_event),
              ZX_ERR_ACCESS_DENIED);
}

static CHILD void closes_a_bad_handle(zx_handle_t channel, const struct child_calls *calls)
{
    calls->handle_close(channel);
    calls->process_exit(calls->handle_close(channel));
}

TEST(ExceptionPolicy, BadHandle)
{
    EXPECT_EQ(under_policy(ZX_POL_BAD_HANDLE, ZX_POL_ACTION_ALLOW_EXCEPTION, closes_a_bad_handle),
              ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(under_policy(ZX_POL_BAD_HANDLE, ZX_POL_ACTION_DENY_EXCEPTION, closes_a_bad_handle),
              ZX_ERR_BAD_HANDLE);
}

TEST(ExceptionPolicy, Unhandled)
{
    const zx_policy_basic_v1_t policy = {ZX_POL_NEW_EVENT, ZX_POL_ACTION_ALLOW_EXCEPTION};
    zx_handle_t job, channel;

    ASSERT_OK(zx_job_create(zx_job_default(), 0, &job));
    ASSERT_OK(zx_job_set_policy(job, ZX_JOB_POL_ABSOLUTE, ZX_JOB_POL_BASIC_V1, &policy, 1));
    channel = bind(job, 0);
    struct child child = child_start(job, makes_an_event, 0);
    CLOSE(catch_type(channel, ZX_EXCP_POLICY_ERROR));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    child_close(&child);
    CLOSE(channel);
    CLOSE(job);
}

/* A system call that does not come from the vDSO is a policy error, and is not carried out. */
TEST(ExceptionPolicy, BareSyscall)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, makes_a_bare_syscall, 0);
    zx_handle_t channel = bind(prepared.child.process, 0);

    child_run(&prepared);
    handle(catch_type(channel, ZX_EXCP_POLICY_ERROR));
    EXPECT_EQ(child_wait(&prepared.child), ZX_ERR_BAD_SYSCALL);
    CLOSE(channel);
    child_close(&prepared.child);
}
