/*
 * test_task.c - suspension, exits, kills and registers: what must hold whatever comes first.
 */
#include "helpers.h"

#include "event.h"
#include "suspend_token.h"
#include "thread_state.h"

static zx_handle_t handle_to(struct object *object)
{
    object_ref(object);
    return fixture_give(object, object->ops->default_rights);
}

static zx_handle_t token_of(struct object *task)
{
    zx_handle_t handle = handle_to(task);

    assert_status(sys_task_suspend_token(SELF, handle, U(0)), ZX_OK);
    close_handle(handle);
    return fixture_handle_at(0);
}

static bool run(struct thread *thread)
{
    bool runs = fixture_run(thread);

    fix.cpu.current = SELF;
    return runs;
}

static bool is_suspended(const struct thread *thread)
{
    bool signalled = thread->object.signals & ZX_THREAD_SUSPENDED;

    assert_int_equal(!signalled, (thread->object.signals & ZX_THREAD_RUNNING) != 0);
    return signalled;
}

/* A thread that sleeps until the end of time. */
static struct thread *sleeper(void)
{
    struct thread *thread = fixture_thread();

    assert_true(run(thread));
    fix.cpu.current = thread;
    wait_begin(thread, &wait_kind_sleep, ZX_TIME_INFINITE);
    fix.cpu.current = SELF;
    return thread;
}

/* ---- Suspension ---------------------------------------------------------------------------- */

static void test_token(void **state)
{
    struct thread *thread = sleeper();
    zx_handle_t a = token_of(&thread->object), b = token_of(&thread->object);

    (void)state;
    assert_false(is_suspended(thread)); /* not before it has stopped */
    assert_false(run(thread));
    assert_true(is_suspended(thread));
    close_handle(a);
    assert_false(run(thread));
    close_handle(b);
    assert_true(is_suspended(thread)); /* not before it runs */
    assert_true(run(thread));
    assert_false(is_suspended(thread));
    assert_status(fixture_result(thread), ZX_ERR_INTERNAL_INTR_RETRY);
    end_thread(thread);
}

/* The wake was first: its result stays, and then the thread stops. */
static void test_wake_then_suspend(void **state)
{
    struct thread *thread = sleeper();
    zx_handle_t token;

    (void)state;
    assert_true(wait_end(thread, ZX_ERR_CANCELED));
    token = token_of(&thread->object);
    assert_false(run(thread));
    assert_true(is_suspended(thread));
    assert_status(fixture_result(thread), ZX_ERR_CANCELED);
    close_handle(token);
    assert_true(run(thread));
    assert_status(fixture_result(thread), ZX_ERR_CANCELED);
    end_thread(thread);
}

static void test_suspend_then_wake(void **state)
{
    struct thread *thread = sleeper();
    zx_handle_t token = token_of(&thread->object);

    (void)state;
    assert_false(wait_end(thread, ZX_ERR_CANCELED));
    assert_false(run(thread));
    assert_status(fixture_result(thread), ZX_ERR_INTERNAL_INTR_RETRY);
    close_handle(token);
    assert_true(run(thread));
    end_thread(thread);
}

/* Over before the thread got the CPU: it never stops, but its call was interrupted. */
static void test_resume_at_once(void **state)
{
    struct thread *thread = sleeper();

    (void)state;
    close_handle(token_of(&thread->object));
    assert_true(run(thread));
    assert_false(is_suspended(thread));
    assert_status(fixture_result(thread), ZX_ERR_INTERNAL_INTR_RETRY);
    end_thread(thread);
}

/* Resumed and suspended again before it ran. */
static void test_resume_and_suspend_again(void **state)
{
    struct thread *thread = sleeper();
    zx_handle_t token = token_of(&thread->object);

    (void)state;
    assert_false(run(thread));
    close_handle(token);
    token = token_of(&thread->object);
    assert_false(run(thread));
    assert_true(is_suspended(thread));
    close_handle(token);
    assert_true(run(thread));
    end_thread(thread);
}

/* A thread that is suspended when it begins to wait does not wait. */
static void test_block_while_suspended(void **state)
{
    struct thread *thread = fixture_thread();
    zx_handle_t token;

    (void)state;
    assert_true(run(thread));
    token = token_of(&thread->object);
    fix.cpu.current = thread;
    wait_begin(thread, &wait_kind_sleep, ZX_TIME_INFINITE);
    fix.cpu.current = SELF;
    assert_false(run(thread));
    assert_true(is_suspended(thread));
    assert_status(fixture_result(thread), ZX_ERR_INTERNAL_INTR_RETRY);
    close_handle(token);
    end_thread(thread);
}

static void test_kill_while_suspended(void **state)
{
    struct thread *thread = sleeper();
    zx_handle_t token = token_of(&thread->object);

    (void)state;
    assert_false(run(thread));
    thread_kill(thread);
    assert_true(is_suspended(thread)); /* it is not made to look running */
    assert_false(run(thread));
    assert_int_equal(thread->state, THREAD_DEAD);
    assert_int_equal(thread->object.refs, 2); /* the test's and the token's */
    close_handle(token);
    assert_int_equal(thread->object.refs, 1);
    object_release(&thread->object);
}

static void test_dying_are_not_suspended(void **state)
{
    struct thread *thread = sleeper();
    struct suspend_token *token;

    (void)state;
    thread_kill(thread);
    assert_status(suspend_token_create(&thread->object, &token), ZX_ERR_BAD_STATE);
    end_thread(thread);
}

static void test_token_no_memory(void **state)
{
    struct thread *thread = sleeper();
    zx_handle_t handle = handle_to(&thread->object);
    int n = 1;

    (void)state;
    assert_status(sys_task_suspend_token(SELF, handle, BAD), ZX_ERR_INVALID_ARGS);
    assert_int_equal(thread->suspend_count, 0);
    for (int i = 0; i < 200; i++) /* leaves no room in the handle table at some point */
        new_event(ZX_DEFAULT_EVENT_RIGHTS);
    for (; n < 10; n++) {
        heap_fail_nth((uint64_t)n);
        if (sys_task_suspend_token(SELF, handle, U(0)) == ZX_OK)
            break;
        assert_int_equal(thread->suspend_count, 0);
        assert_int_equal(thread->flags & THREAD_SUSPEND, 0);
    }
    heap_fail_nth(0);
    assert_true(n > 1);
    close_handle(fixture_handle_at(0));
    close_handle(handle);
    end_thread(thread);
}

/* ---- Processes ----------------------------------------------------------------------------- */

static void test_process_suspend(void **state)
{
    struct process *process;
    struct thread *first, *second, *third;
    struct handle_ref none = {NULL, 0};
    zx_handle_t keep[2], a, b, of_thread;

    (void)state;
    assert_status(process_create(fix.kernel.root_job, "p", &process), ZX_OK);
    keep[0] = handle_to(&process->object); /* without one it would die unstarted */
    assert_status(thread_create(process, "1", &first), ZX_OK);
    a = token_of(&process->object);
    b = token_of(&process->object);
    assert_status(thread_create(process, "2", &second), ZX_OK);
    keep[1] = handle_to(&second->object);
    of_thread = token_of(&second->object);
    assert_status(process_start(process, first, 0x2000000, 0, none, 0), ZX_OK);
    assert_status(thread_start(second, 0x2000000, 0, 0, 0), ZX_OK);
    assert_false(run(first));
    assert_false(run(second));
    assert_int_equal(first->suspend_count, 1);
    assert_int_equal(second->suspend_count, 2);
    close_handle(a);
    assert_int_equal(first->suspend_count, 1);
    close_handle(b);
    assert_true(run(first));
    assert_false(run(second));
    close_handle(of_thread);
    assert_true(run(second));
    assert_status(thread_create(process, "3", &third), ZX_OK);
    assert_int_equal(third->suspend_count, 0);
    process_kill(process, 0);
    run(first);
    close_handle(keep[0]);
    close_handle(keep[1]);
    end_thread(second);
    object_release(&first->object);
    object_release(&third->object);
    assert_int_equal(process->state, PROCESS_DEAD);
    object_release(&process->object);
}

static void test_process_token_outlives_it(void **state)
{
    struct process *process;
    struct thread *thread;
    struct handle_ref none = {NULL, 0};
    struct suspend_token *token;
    zx_handle_t handle;

    (void)state;
    assert_status(process_create(fix.kernel.root_job, "p", &process), ZX_OK);
    assert_status(thread_create(process, "t", &thread), ZX_OK);
    assert_status(process_start(process, thread, 0x2000000, 0, none, 0), ZX_OK);
    handle = token_of(&process->object);
    assert_false(run(thread));
    process_kill(process, 4);
    assert_status(suspend_token_create(&process->object, &token), ZX_ERR_BAD_STATE);
    assert_false(run(thread));
    assert_int_equal(process->state, PROCESS_DEAD);
    object_release(&thread->object);
    object_release(&process->object);
    close_handle(handle); /* frees both */
}

/* The order of a death (rules, section 6, 97), as an observer of each step sees it. */
static struct {
    struct process *process;
    int steps;
    bool event_closed, left_job;
} death;

static void on_terminated(struct observer *observer, enum observer_reason reason,
                          zx_signals_t signals)
{
    (void)observer;
    (void)reason;
    (void)signals;
    death.steps++;
    assert_null(death.process->aspace);
    assert_int_equal(death.process->handles.count, 0);
    assert_false(TAILQ_EMPTY(&fix.kernel.root_job->processes));
}

static void test_order_of_death(void **state)
{
    struct observer observer = {.fire = on_terminated};
    struct process *process;
    struct thread *thread;
    struct handle_ref none = {NULL, 0};
    struct event *event;
    zx_handle_t value;

    (void)state;
    assert_status(process_create(fix.kernel.root_job, "p", &process), ZX_OK);
    assert_status(thread_create(process, "t", &thread), ZX_OK);
    assert_status(process_start(process, thread, 0x2000000, 0, none, 0), ZX_OK);
    assert_status(event_create(&event), ZX_OK);
    assert_status(handle_create(process, &event->object, ZX_DEFAULT_EVENT_RIGHTS, &value), ZX_OK);
    death.process = process;
    death.steps = 0;
    observer_add(&observer, &process->object, NULL, ZX_PROCESS_TERMINATED);
    assert_true(run(thread));
    AS(thread, sys_process_exit(thread, 12));
    AS(thread, sys_process_exit(thread, 13)); /* the first code counts */
    assert_int_equal(death.steps, 0);
    assert_false(run(thread));
    assert_int_equal(death.steps, 1);
    assert_int_equal(process->return_code, 12);
    assert_int_equal(event->object.handles, 0);
    object_release(&event->object);
    object_release(&thread->object);
    object_release(&process->object);
}

static void test_exit_of_the_last_thread(void **state)
{
    struct process *process;
    struct thread *first, *second;
    struct handle_ref none = {NULL, 0};

    (void)state;
    assert_status(process_create(fix.kernel.root_job, "p", &process), ZX_OK);
    assert_status(thread_create(process, "1", &first), ZX_OK);
    assert_status(thread_create(process, "2", &second), ZX_OK);
    assert_status(process_start(process, first, 0x2000000, 0, none, 0), ZX_OK);
    assert_true(run(first));
    AS(first, sys_thread_exit(first));
    assert_int_equal(thread_info_state(first), ZX_THREAD_STATE_DYING);
    assert_false(run(first));
    assert_int_equal(process->state, PROCESS_RUNNING); /* one was made, if not started */
    thread_kill(second);
    assert_int_equal(process->state, PROCESS_DEAD);
    assert_int_equal(process->return_code, 0);
    object_release(&first->object);
    object_release(&second->object);
    object_release(&process->object);
}

/* ---- Critical processes -------------------------------------------------------------------- */

static void die_critically(bool nonzero_only, int64_t code, bool takes_along)
{
    struct job *outer, *inner;
    struct process *process;

    assert_status(job_create(fix.kernel.root_job, &outer), ZX_OK);
    assert_status(job_create(outer, &inner), ZX_OK);
    assert_status(process_create(inner, "p", &process), ZX_OK);
    process->critical_to = outer;
    process->critical_nonzero = nonzero_only;
    process_kill(process, code);
    assert_int_equal(outer->state, takes_along ? JOB_DEAD : JOB_ALIVE);
    assert_int_equal(inner->state, takes_along ? JOB_DEAD : JOB_ALIVE);
    if (takes_along)
        assert_int_equal(outer->return_code, ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    object_release(&process->object);
    object_release(&inner->object);
    object_release(&outer->object);
}

static void test_critical(void **state)
{
    (void)state;
    die_critically(false, 0, true);
    die_critically(false, 3, true);
    die_critically(true, 0, false);
    die_critically(true, 3, true);
}

/* ---- Registers ----------------------------------------------------------------------------- */

static void test_registers(void **state)
{
    struct thread *thread = sleeper();
    zx_handle_t handle = handle_to(&thread->object), token;
    zx_thread_state_general_regs_t regs;
    zx_thread_state_fp_regs_t fp = {.fcw = 0x27f, .st[3].low = 33};
    static zx_thread_state_vector_regs_t vector;

    (void)state;
    thread->context.regs.r15 = 15;
    assert_status(sys_thread_read_state(SELF, handle, 0, U(512), 160), ZX_ERR_BAD_STATE);
    token = token_of(&thread->object);
    assert_status(sys_thread_read_state(SELF, handle, 0, U(512), 160), ZX_ERR_BAD_STATE);
    assert_false(run(thread));
    assert_status(sys_thread_read_state(SELF, handle, 0, U(512), 160), ZX_OK);
    fixture_peek(512, &regs, sizeof regs);
    assert_int_equal(regs.r15, 15);
    regs.r15 = 16;
    regs.rflags = ~0ull;
    fixture_poke(512, &regs, sizeof regs);
    assert_status(sys_thread_write_state(SELF, handle, 0, U(512), 160), ZX_OK);
    assert_int_equal(thread->context.regs.r15, 16);
    assert_int_equal(thread->context.regs.rflags, 0x244dd5 | 0x202);
    fixture_poke(1024, &fp, sizeof fp);
    assert_status(sys_thread_write_state(SELF, handle, 1, U(1024), sizeof fp), ZX_OK);
    assert_status(sys_thread_read_state(SELF, handle, 2, U(4096), sizeof vector), ZX_OK);
    fixture_peek(4096, &vector, sizeof vector);
    vector.zmm[15].v[3] = 153;
    fixture_poke(4096, &vector, sizeof vector);
    assert_status(sys_thread_write_state(SELF, handle, 2, U(4096), sizeof vector), ZX_OK);
    assert_status(sys_thread_read_state(SELF, handle, 2, U(8192), sizeof vector), ZX_OK);
    fixture_peek(8192, &vector, sizeof vector);
    assert_int_equal(vector.zmm[15].v[3], 153);
    assert_status(sys_thread_read_state(SELF, handle, 1, U(1024), sizeof fp), ZX_OK);
    fixture_peek(1024, &fp, sizeof fp);
    assert_int_equal(fp.fcw, 0x27f);
    assert_int_equal(fp.st[3].low, 33);
    close_handle(token);
    assert_status(sys_thread_read_state(SELF, handle, 0, U(512), 160), ZX_ERR_BAD_STATE);
    close_handle(handle);
    end_thread(thread);
}

static void test_debug_registers(void **state)
{
    struct thread *thread = sleeper();
    union thread_registers r;

    (void)state;
    assert_status(thread_state_read(thread, ZX_THREAD_STATE_DEBUG_REGS, &r), ZX_OK);
    assert_int_equal(r.debug.dr7, 0x400);
    r.debug.dr[2] = HAL_USER_TOP;
    assert_status(thread_state_write(thread, ZX_THREAD_STATE_DEBUG_REGS, &r), ZX_ERR_INVALID_ARGS);
    r.debug.dr[2] = HAL_USER_TOP - 1;
    r.debug.dr7 = 2u << 20; /* I/O in the second one */
    assert_status(thread_state_write(thread, ZX_THREAD_STATE_DEBUG_REGS, &r), ZX_ERR_INVALID_ARGS);
    r.debug.dr6 = r.debug.dr7 = ~0ull;
    assert_status(thread_state_write(thread, ZX_THREAD_STATE_DEBUG_REGS, &r), ZX_OK);
    assert_int_equal(thread->context.debug.dr6, 0xffffeffful);
    assert_int_equal(thread->context.debug.dr7, 0xffff07fful);
    end_thread(thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_token),
        TEST(test_wake_then_suspend),
        TEST(test_suspend_then_wake),
        TEST(test_resume_at_once),
        TEST(test_resume_and_suspend_again),
        TEST(test_block_while_suspended),
        TEST(test_kill_while_suspended),
        TEST(test_dying_are_not_suspended),
        TEST(test_token_no_memory),
        TEST(test_process_suspend),
        TEST(test_process_token_outlives_it),
        TEST(test_order_of_death),
        TEST(test_exit_of_the_last_thread),
        TEST(test_critical),
        TEST(test_registers),
        TEST(test_debug_registers),
    };

    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
