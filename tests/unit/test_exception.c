/*
 * test_exception.c - exceptions: delivery, answers, races with kills and suspensions, memory.
 */
#include "helpers.h"

#include "channel.h"
#include "exception.h"

#define DEBUGGER ZX_EXCEPTION_CHANNEL_DEBUGGER

/* A process in a job of its own below the root job, with one thread that is about to run. */
static struct target {
    struct job *job;
    struct process *process;
    struct thread *thread;
} target;

static int setup(void **state)
{
    struct handle_ref none = {NULL, 0};

    fixture_setup(state);
    assert_status(job_create(fix.kernel.root_job, &target.job), ZX_OK);
    assert_status(process_create(target.job, "target", &target.process), ZX_OK);
    assert_status(thread_create(target.process, "target", &target.thread), ZX_OK);
    assert_status(process_start(target.process, target.thread, 0x2000000, 0x3000000, none, 0),
                  ZX_OK);
    executor_remove(target.thread);
    return 0;
}

static bool run(struct thread *thread)
{
    bool runs = fixture_run(thread);

    fix.cpu.current = SELF;
    return runs;
}

static int teardown(void **state)
{
    process_kill(target.process, 0);
    while (target.process->state != PROCESS_DEAD)
        run(target.thread);
    object_release(&target.thread->object);
    assert_int_equal(target.process->object.refs, 1);
    object_release(&target.process->object);
    object_release(&target.job->object);
    return fixture_teardown(state);
}

static zx_handle_t handle_to(struct object *object)
{
    object_ref(object);
    return fixture_give(object, object->ops->default_rights);
}

/* An exception channel of a task of the target. */
static zx_handle_t bind(struct object *task, uint32_t options)
{
    zx_handle_t handle = handle_to(task);

    assert_status(sys_task_create_exception_channel(SELF, handle, options, U(0)), ZX_OK);
    close_handle(handle);
    return fixture_handle_at(0);
}

#define BIND(task, options) bind(&target.task->object, options)

/* Reads one exception; 0: there is none. */
static zx_handle_t take(zx_handle_t channel, uint32_t type)
{
    zx_exception_info_t info;

    if (sys_channel_read(SELF, channel, 0, U(64), U(128), sizeof info, 1, NONE, NONE) != ZX_OK)
        return 0;
    fixture_peek(64, &info, sizeof info);
    assert_int_equal(info.pid, target.process->object.koid);
    assert_int_equal(info.tid, target.thread->object.koid);
    assert_int_equal(info.type, type);
    return fixture_handle_at(128);
}

static void set_handled(zx_handle_t exception)
{
    uint32_t value = ZX_EXCEPTION_STATE_HANDLED;

    fixture_poke(256, &value, sizeof value);
    assert_status(sys_object_set_property(SELF, exception, ZX_PROP_EXCEPTION_STATE, U(256), 4),
                  ZX_OK);
}

static void answer(zx_handle_t exception, bool handled)
{
    if (handled)
        set_handled(exception);
    close_handle(exception);
}

#define FAULT ZX_EXCP_UNDEFINED_INSTRUCTION

static void fault(void)
{
    struct hal_trap trap = {.kind = HAL_TRAP_EXCEPTION, .vector = 6};

    assert_true(run(target.thread));
    fix.cpu.current = target.thread;
    thread_fault(target.thread, &trap);
    fix.cpu.current = SELF;
}

static bool is_stopped(void)
{
    return thread_is_stopped(target.thread) && target.thread->wait.kind == &wait_kind_exception;
}

static bool is_killed(void)
{
    return target.process->state >= PROCESS_DYING &&
           target.process->return_code == ZX_TASK_RETCODE_EXCEPTION_KILL;
}

/* ---- Delivery ------------------------------------------------------------------------------ */

static void test_nobody_listens(void **state)
{
    (void)state;
    fault();
    assert_true(is_killed());
    assert_false(run(target.thread));
    assert_int_equal(target.process->state, PROCESS_DEAD);
}

static void test_handled(void **state)
{
    zx_handle_t channel = BIND(process, 0), exception;
    zx_exception_report_t report;

    (void)state;
    target.thread->context.regs.rax = 77;
    fault();
    assert_true(is_stopped());
    assert_false(run(target.thread));
    assert_status(exception_report(target.thread, &report), ZX_OK);
    assert_int_equal(report.header.type, FAULT);
    assert_int_equal(report.context.arch.u.x86_64.vector, 6);
    assert_int_equal(exception_channel_type(target.thread), ZX_EXCEPTION_CHANNEL_TYPE_PROCESS);
    exception = take(channel, FAULT);
    assert_true(exception);
    answer(exception, true);
    assert_status(exception_report(target.thread, &report), ZX_ERR_BAD_STATE);
    assert_true(run(target.thread));
    assert_int_equal(target.thread->context.regs.rax, 77);
    assert_null(target.thread->exception);
    close_handle(channel);
}

static void test_order(void **state)
{
    zx_handle_t channels[5] = {BIND(process, DEBUGGER), BIND(thread, 0), BIND(process, 0),
                               BIND(job, 0), bind(&fix.kernel.root_job->object, 0)};
    zx_handle_t job_debugger = BIND(job, DEBUGGER);

    (void)state;
    target.thread->flags = 0; /* its start is not the subject */
    fault();
    for (int i = 0; i < 5; i++) {
        assert_true(is_stopped());
        assert_int_equal(exception_channel_type(target.thread), i < 4 ? i + 1 : 4);
        answer(take(channels[i], FAULT), false);
        assert_int_equal(run(target.thread), false);
    }
    assert_true(is_killed());
    assert_int_equal(take(job_debugger, FAULT), 0);
    while (target.thread->state != THREAD_DEAD) /* its end is announced to the debugger */
        run(target.thread);
    for (int i = 0; i < 5; i++)
        close_handle(channels[i]);
    close_handle(job_debugger);
}

/* Whoever has handled it, nobody else is asked. */
static void test_handled_at_each_level(void **state)
{
    zx_handle_t channels[3] = {BIND(thread, 0), BIND(process, 0), BIND(job, 0)};

    (void)state;
    for (int level = 0; level < 3; level++) {
        fault();
        for (int i = 0; i <= level; i++) {
            answer(take(channels[i], FAULT), i == level);
            assert_int_equal(run(target.thread), i == level);
        }
        for (int i = 0; i < 3; i++)
            assert_int_equal(take(channels[i], FAULT), 0);
    }
    for (int i = 0; i < 3; i++)
        close_handle(channels[i]);
}

static void test_unread_message_is_an_answer(void **state)
{
    zx_handle_t first = BIND(thread, 0), second = BIND(process, 0);

    (void)state;
    fault();
    close_handle(first);
    assert_false(run(target.thread));
    answer(take(second, FAULT), true);
    assert_true(run(target.thread));
    close_handle(second);
}

static void test_task_rights(void **state)
{
    zx_rights_t rights = ZX_DEFAULT_PROCESS_RIGHTS & ~ZX_RIGHT_SIGNAL;
    zx_handle_t process = with_rights(handle_to(&target.process->object), rights);
    zx_handle_t channel, exception;

    (void)state;
    assert_status(sys_task_create_exception_channel(SELF, process, 0, U(0)), ZX_OK);
    channel = fixture_handle_at(0);
    fault();
    exception = take(channel, FAULT);
    assert_status(sys_exception_get_process(SELF, exception, U(8)), ZX_OK);
    assert_ptr_equal(object_of(fixture_handle_at(8)), &target.process->object);
    assert_int_equal(handle_find(fix.process, fixture_handle_at(8))->rights, rights);
    close_handle(fixture_handle_at(8));
    assert_status(sys_exception_get_thread(SELF, exception, U(8)), ZX_OK);
    assert_ptr_equal(object_of(fixture_handle_at(8)), &target.thread->object);
    close_handle(fixture_handle_at(8));
    assert_status(sys_exception_get_thread(SELF, exception, BAD), ZX_ERR_INVALID_ARGS);
    answer(exception, true);
    close_handle(process);
    close_handle(channel);
}

/* ---- Races --------------------------------------------------------------------------------- */

static void test_kill_before_the_answer(void **state)
{
    zx_handle_t channel = BIND(process, 0), exception;

    (void)state;
    fault();
    exception = take(channel, FAULT);
    set_handled(exception);
    process_kill(target.process, 5);
    close_handle(exception); /* too late to matter */
    assert_false(run(target.thread));
    assert_int_equal(target.process->state, PROCESS_DEAD);
    assert_int_equal(target.process->return_code, 5);
    assert_true(signals_of(channel) & ZX_CHANNEL_PEER_CLOSED);
    close_handle(channel);
}

static void test_kill_after_the_answer(void **state)
{
    zx_handle_t channel = BIND(process, 0), debugger = BIND(process, DEBUGGER);

    (void)state;
    target.thread->flags = 0;
    fault();
    answer(take(debugger, FAULT), false);
    process_kill(target.process, 5); /* before the thread has asked the next one */
    assert_false(run(target.thread));
    while (target.thread->state != THREAD_DEAD)
        run(target.thread);
    assert_int_equal(target.process->return_code, 5);
    close_handle(channel);
    close_handle(debugger);
}

static void test_exception_outlives_its_thread(void **state)
{
    zx_handle_t channel = BIND(thread, 0), exception;
    uint32_t refs = target.thread->object.refs;

    (void)state;
    fault();
    exception = take(channel, FAULT);
    process_kill(target.process, 5);
    assert_false(run(target.thread));
    assert_int_equal(target.thread->state, THREAD_DEAD);
    assert_int_equal(target.thread->object.refs, refs); /* the list's went, the exception's came */
    assert_status(sys_exception_get_thread(SELF, exception, U(8)), ZX_OK);
    close_handle(fixture_handle_at(8));
    answer(exception, true);
    assert_int_equal(target.thread->object.refs, 1);
    close_handle(channel);
}

static void test_suspend_waits(void **state)
{
    zx_handle_t channel = BIND(process, 0), exception;

    (void)state;
    fault();
    thread_suspend(target.thread);
    assert_true(is_stopped());
    exception = take(channel, FAULT);
    answer(exception, true);
    assert_false(run(target.thread));
    assert_true(target.thread->object.signals & ZX_THREAD_SUSPENDED);
    assert_int_equal(thread_info_state(target.thread), ZX_THREAD_STATE_SUSPENDED);
    thread_resume(target.thread);
    assert_true(run(target.thread));
    assert_true(target.thread->object.signals & ZX_THREAD_RUNNING);
    close_handle(channel);
}

/* The answer comes while closing is put off; in the meantime somebody else has it. */
static void test_late_release(void **state)
{
    zx_handle_t first = BIND(thread, 0), second = BIND(process, 0), exception;

    (void)state;
    fault();
    exception = take(first, FAULT);
    object_hold_releases();
    close_handle(exception);
    assert_true(is_stopped());
    object_run_releases();
    assert_false(is_stopped());
    assert_false(run(target.thread));
    answer(take(second, FAULT), true);
    assert_true(run(target.thread));
    close_handle(first);
    close_handle(second);
}

/* ---- Announcements ------------------------------------------------------------------------- */

static void test_start(void **state)
{
    zx_handle_t of_job = BIND(job, DEBUGGER), of_process = BIND(process, DEBUGGER);

    (void)state;
    thread_suspend(target.thread);
    assert_false(run(target.thread));
    assert_int_equal(exception_channel_type(target.thread), ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER);
    answer(take(of_job, ZX_EXCP_PROCESS_STARTING), false);
    assert_false(run(target.thread));
    answer(take(of_process, ZX_EXCP_THREAD_STARTING), false);
    assert_false(run(target.thread));
    assert_int_equal(thread_info_state(target.thread), ZX_THREAD_STATE_SUSPENDED);
    thread_resume(target.thread);
    assert_true(run(target.thread));
    assert_int_equal(take(of_job, 0), 0);
    close_handle(of_job);
    close_handle(of_process);
}

static void test_exit(void **state)
{
    zx_handle_t debugger = BIND(process, DEBUGGER), exception;

    (void)state;
    target.thread->flags = 0;
    assert_true(run(target.thread));
    AS(target.thread, sys_thread_exit(target.thread));
    assert_false(run(target.thread));
    assert_true(is_stopped());
    assert_int_equal(thread_info_state(target.thread), ZX_THREAD_STATE_DYING);
    exception = take(debugger, ZX_EXCP_THREAD_EXITING);
    answer(exception, false);
    assert_false(run(target.thread));
    assert_int_equal(target.process->state, PROCESS_DEAD);
    close_handle(debugger);
}

static void test_killed_do_not_wait(void **state)
{
    zx_handle_t debugger = BIND(process, DEBUGGER);

    (void)state;
    target.thread->flags = 0;
    assert_true(run(target.thread));
    process_kill(target.process, 1);
    for (int i = 0; i < 2 && target.thread->state != THREAD_DEAD; i++)
        run(target.thread);
    assert_int_equal(target.thread->state, THREAD_DEAD);
    answer(take(debugger, ZX_EXCP_THREAD_EXITING), true);
    close_handle(debugger);
}

/* A thread that never ran is not announced at all. */
static void test_killed_before_it_ran(void **state)
{
    zx_handle_t debugger = BIND(process, DEBUGGER);

    (void)state;
    process_kill(target.process, 1);
    assert_false(run(target.thread));
    assert_int_equal(target.thread->state, THREAD_DEAD);
    assert_int_equal(take(debugger, 0), 0);
    close_handle(debugger);
}

/* ---- Policy -------------------------------------------------------------------------------- */

static void test_policy_comes_at_the_end(void **state)
{
    zx_handle_t channel = BIND(process, 0);
    uint8_t *action = &target.job->policy.basic[ZX_POL_NEW_EVENT];

    (void)state;
    assert_true(run(target.thread));
    fix.cpu.current = target.thread;
    *action = ZX_POL_ACTION_ALLOW_EXCEPTION;
    assert_status(job_policy_check(target.process, ZX_POL_NEW_EVENT), ZX_OK);
    *action = ZX_POL_ACTION_DENY_EXCEPTION;
    assert_status(job_policy_check(target.process, ZX_POL_NEW_EVENT), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(target.process->state, PROCESS_RUNNING);
    /* A wait comes first, then one exception for both. */
    wait_begin(target.thread, &wait_kind_sleep, hal_now() + 1000);
    fix.cpu.current = SELF;
    assert_false(run(target.thread));
    assert_int_equal(take(channel, 0), 0);
    fixture_advance(2000);
    assert_false(run(target.thread));
    answer(take(channel, ZX_EXCP_POLICY_ERROR), true);
    assert_true(run(target.thread));
    assert_int_equal(fixture_result(target.thread), ZX_OK);
    close_handle(channel);
}

static void test_policy_kill(void **state)
{
    (void)state;
    target.job->policy.basic[ZX_POL_NEW_EVENT] = ZX_POL_ACTION_KILL;
    assert_status(job_policy_check(target.process, ZX_POL_NEW_EVENT), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(target.process->state, PROCESS_DYING);
    assert_int_equal(target.process->return_code, ZX_TASK_RETCODE_POLICY_KILL);
}

/* ---- Memory -------------------------------------------------------------------------------- */

static void test_bind_no_memory(void **state)
{
    zx_handle_t process = handle_to(&target.process->object);
    uint32_t before = fix.process->handles.count;
    int n = 1;

    (void)state;
    for (; n < 10; n++) {
        heap_fail_nth((uint64_t)n);
        if (sys_task_create_exception_channel(SELF, process, 0, U(0)) == ZX_OK)
            break;
        assert_int_equal(fix.process->handles.count, before);
        assert_false(exception_channel_is_live(&target.process->exception_channel));
    }
    heap_fail_nth(0);
    assert_in_range(n, 3, 9);
    assert_status(sys_task_create_exception_channel(SELF, process, 0, U(0)), ZX_ERR_ALREADY_BOUND);
    close_handle(fixture_handle_at(0));
    assert_status(sys_task_create_exception_channel(SELF, process, 0, BAD), ZX_ERR_INVALID_ARGS);
    assert_false(exception_channel_is_live(&target.process->exception_channel));
    close_handle(process);
}

/* Without memory for the exception the process dies as if nobody had listened ... */
static void test_raise_no_memory(void **state)
{
    zx_handle_t channel = BIND(process, 0);

    (void)state;
    heap_fail_nth(1);
    fault();
    heap_fail_nth(0);
    assert_true(is_killed());
    assert_int_equal(take(channel, 0), 0);
    close_handle(channel);
}

/* ... and without memory for a message the next one is asked. */
static void test_send_no_memory(void **state)
{
    zx_handle_t first = BIND(thread, 0), second = BIND(process, 0);

    (void)state;
    heap_fail_nth(2);
    fault();
    heap_fail_nth(0);
    assert_true(is_stopped());
    assert_int_equal(take(first, 0), 0);
    answer(take(second, FAULT), true);
    assert_true(run(target.thread));
    close_handle(first);
    close_handle(second);
}

static void test_announce_no_memory(void **state)
{
    zx_handle_t debugger = BIND(process, DEBUGGER);

    (void)state;
    for (int n = 1; n <= 2; n++) {
        target.thread->flags |= THREAD_STARTING;
        heap_fail_nth((uint64_t)n);
        assert_true(run(target.thread)); /* nobody is told */
    }
    heap_fail_nth(0);
    assert_int_equal(take(debugger, 0), 0);
    close_handle(debugger);
}

/* ---- Any order ----------------------------------------------------------------------------- */

/* One random step; channels[i] 0: not bound. */
static void random_step(zx_handle_t *channels, zx_handle_t *exception)
{
    struct object *tasks[] = {&target.process->object, &target.thread->object,
                              &target.process->object, &target.job->object};
    int i = rand() % 4;

    switch (rand() % 7) {
    case 0:
        if (!channels[i])
            channels[i] = bind(tasks[i], i == 0 ? DEBUGGER : 0);
        break;
    case 1:
        if (channels[i])
            close_handle(channels[i]);
        channels[i] = 0;
        break;
    case 2:
        if (channels[i] && !*exception &&
            sys_channel_read(SELF, channels[i], 0, U(64), U(128), 24, 1, NONE, NONE) == ZX_OK)
            *exception = fixture_handle_at(128);
        break;
    case 3:
        if (*exception)
            answer(*exception, rand() % 2);
        *exception = 0;
        break;
    case 4:
        if (target.thread->suspend_count < 3)
            thread_suspend(target.thread);
        break;
    case 5:
        if (target.thread->suspend_count)
            thread_resume(target.thread);
        break;
    default:
        if (run(target.thread)) {
            struct hal_trap trap = {.kind = HAL_TRAP_EXCEPTION, .vector = 6};

            fix.cpu.current = target.thread;
            if (rand() % 2)
                thread_fault(target.thread, &trap);
            else
                thread_policy_exception(target.thread, "chance");
            fix.cpu.current = SELF;
        }
        break;
    }
}

/* Whatever happens when, nothing is lost: the teardown counts. */
static void test_random(void **state)
{
    zx_handle_t channels[4] = {0}, exception = 0;

    (void)state;
    for (unsigned seed = 0; seed < 300; seed++) {
        setup(state);
        memset(channels, 0, sizeof channels);
        exception = 0;
        srand(seed);
        for (int step = 0; step < 120 && target.process->state == PROCESS_RUNNING; step++)
            random_step(channels, &exception);
        process_kill(target.process, 3);
        while (target.thread->state != THREAD_DEAD) {
            run(target.thread);
        }
        if (exception)
            close_handle(exception);
        for (int i = 0; i < 4; i++)
            if (channels[i])
                close_handle(channels[i]);
        assert_int_equal(target.thread->object.refs, 1);
        teardown(state);
    }
    setup(state);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nobody_listens),
        TEST(test_handled),
        TEST(test_order),
        TEST(test_handled_at_each_level),
        TEST(test_unread_message_is_an_answer),
        TEST(test_task_rights),
        TEST(test_kill_before_the_answer),
        TEST(test_kill_after_the_answer),
        TEST(test_exception_outlives_its_thread),
        TEST(test_suspend_waits),
        TEST(test_late_release),
        TEST(test_start),
        TEST(test_exit),
        TEST(test_killed_do_not_wait),
        TEST(test_killed_before_it_ran),
        TEST(test_policy_comes_at_the_end),
        TEST(test_policy_kill),
        TEST(test_bind_no_memory),
        TEST(test_raise_no_memory),
        TEST(test_send_no_memory),
        TEST(test_announce_no_memory),
        cmocka_unit_test_setup_teardown(test_random, NULL, teardown),
    };

    return cmocka_run_group_tests_name("exception", tests, NULL, NULL);
}
