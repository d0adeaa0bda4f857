/*
 * test_core.c - objects, handles, observers, waits, threads, processes and jobs.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zircon/errors.h>

#include "aspace.h"
#include "event.h"
#include "heap.h"
#include "syscalls.h"

#define ANY ZX_OBJ_TYPE_NONE

static struct event *new_event(void)
{
    struct event *event;

    assert_int_equal(event_create(&event), ZX_OK);
    return event;
}

/* ---- Handles ------------------------------------------------------------------------------- */

static void test_handle_values(void **state)
{
    zx_handle_t a = fixture_give(&new_event()->object, ZX_DEFAULT_EVENT_RIGHTS), b;
    struct object *object;

    (void)state;
    assert_int_equal(a & ZX_HANDLE_FIXED_BITS_MASK, ZX_HANDLE_FIXED_BITS_MASK);
    assert_int_equal(handle_get(fix.process, a, ZX_OBJ_TYPE_EVENT, ZX_RIGHT_WAIT, &object), ZX_OK);
    assert_int_equal(handle_get(fix.process, a, ZX_OBJ_TYPE_PORT, 0, &object), ZX_ERR_WRONG_TYPE);
    assert_int_equal(handle_get(fix.process, a, ANY, ZX_RIGHT_READ, &object),
                     ZX_ERR_ACCESS_DENIED);
    assert_int_equal(handle_get(fix.process, a & ~1u, ANY, 0, &object), ZX_ERR_BAD_HANDLE);
    assert_int_equal(handle_get(fix.process, 0, ANY, 0, &object), ZX_ERR_BAD_HANDLE);
    assert_int_equal(handle_close(fix.process, a), ZX_OK);
    assert_int_equal(handle_close(fix.process, a), ZX_ERR_BAD_HANDLE);
    b = fixture_give(&new_event()->object, ZX_DEFAULT_EVENT_RIGHTS);
    assert_int_not_equal(a, b);
}

/* A stale value is not met again soon, and a live one never (zCore reused values after 2^30). */
static void test_handle_reuse(void **state)
{
    zx_handle_t live = fixture_give(&new_event()->object, ZX_DEFAULT_EVENT_RIGHTS);
    zx_handle_t first = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        zx_handle_t value = fixture_give(&new_event()->object, ZX_DEFAULT_EVENT_RIGHTS);

        if (i == 0)
            first = value;
        else
            assert_int_not_equal(value, first);
        assert_int_not_equal(value, live);
        assert_int_equal(handle_close(fix.process, value), ZX_OK);
    }
}

/* What was closed last is used first, with another value: it is in the caches. */
static void test_handle_slot(void **state)
{
    zx_handle_t first = fixture_give(&new_event()->object, ZX_DEFAULT_EVENT_RIGHTS), second;
    struct handle *slot = handle_find(fix.process, first);

    (void)state;
    assert_int_equal(handle_close(fix.process, first), ZX_OK);
    second = fixture_give(&new_event()->object, ZX_DEFAULT_EVENT_RIGHTS);
    assert_ptr_equal(handle_find(fix.process, second), slot);
    assert_int_not_equal(first, second);
}

static void test_handle_many(void **state)
{
    enum { N = 5000 };
    static zx_handle_t values[N];
    struct event *event = new_event();

    (void)state;
    for (int i = 0; i < N; i++)
        assert_int_equal(handle_create(fix.process, &event->object, (zx_rights_t)i, &values[i]),
                         ZX_OK);
    object_release(&event->object);
    assert_int_equal(event->object.handles, N);
    for (int i = 0; i < N; i++)
        assert_int_equal(handle_find(fix.process, values[i])->rights, i);
}

static void test_handle_out_of_memory(void **state)
{
    struct event *event = new_event();
    zx_handle_t value;
    bool failed = false;

    (void)state;
    for (int i = 0; i < 40 && !failed; i++) {
        heap_fail_nth(1);
        failed = handle_create(fix.process, &event->object, 0, &value) == ZX_ERR_NO_MEMORY;
    }
    heap_fail_nth(0);
    assert_true(failed);
    assert_int_equal(handle_create(fix.process, &event->object, 0, &value), ZX_OK);
    object_release(&event->object);
}

static void test_sys_handle_rights(void **state)
{
    zx_handle_t event = fixture_give(&new_event()->object, ZX_DEFAULT_EVENT_RIGHTS);

    (void)state;
    assert_int_equal(sys_handle_duplicate(fix.thread, event, ZX_RIGHT_SAME_RIGHTS,
                                          fixture_user(0)), ZX_OK);
    assert_int_equal(handle_find(fix.process, fixture_handle_at(0))->rights,
                     ZX_DEFAULT_EVENT_RIGHTS);
    assert_int_equal(sys_handle_duplicate(fix.thread, event, ZX_RIGHT_READ, fixture_user(0)),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(sys_handle_replace(fix.thread, event, ZX_RIGHT_TRANSFER, fixture_user(0)),
                     ZX_OK);
    assert_null(handle_find(fix.process, event));
    event = fixture_handle_at(0);
    assert_int_equal(sys_handle_duplicate(fix.thread, event, ZX_RIGHT_SAME_RIGHTS,
                                          fixture_user(0)), ZX_ERR_ACCESS_DENIED);
    /* A failing replace closes its source all the same. */
    assert_int_equal(sys_handle_replace(fix.thread, event, ZX_RIGHT_READ, fixture_user(0)),
                     ZX_ERR_INVALID_ARGS);
    assert_null(handle_find(fix.process, event));
}

static void test_sys_handle_bad_pointer(void **state)
{
    zx_handle_t event = fixture_give(&new_event()->object, ZX_DEFAULT_EVENT_RIGHTS);
    uint32_t before = fix.process->handles.count;
    struct user_ptr bad[] = {{0}, {1}, {UINT64_MAX - 2}, {0xffff800000000000ull}, {1ull << 47}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sys_handle_duplicate(fix.thread, event, ZX_RIGHT_SAME_RIGHTS, bad[i]),
                         ZX_ERR_INVALID_ARGS);
    assert_int_equal(fix.process->handles.count, before);
}

/* ---- Observers ------------------------------------------------------------------------------ */

struct watcher {
    struct observer observer;
    int fired;
    enum observer_reason reason;
    zx_signals_t signals;
    struct watcher *kill; /* removed when this one fires */
};

static void watcher_fire(struct observer *observer, enum observer_reason reason,
                         zx_signals_t signals)
{
    struct watcher *w = container_of(observer, struct watcher, observer);

    assert_null(observer->object);
    w->fired++;
    w->reason = reason;
    w->signals = signals;
    if (w->kill)
        observer_remove(&w->kill->observer);
}

static void test_observers(void **state)
{
    struct event *event = new_event();
    struct watcher w[4] = {0};

    (void)state;
    for (int i = 0; i < 4; i++) {
        w[i].observer.fire = watcher_fire;
        observer_add(&w[i].observer, &event->object, NULL, i == 3 ? ZX_USER_SIGNAL_1
                                                                  : ZX_USER_SIGNAL_0);
    }
    w[0].kill = &w[1]; /* the next in line goes away during the walk */
    assert_int_equal(event->object.refs, 5);
    object_update_signals(&event->object, 0, ZX_USER_SIGNAL_0);
    assert_int_equal(w[0].fired, 1);
    assert_int_equal(w[1].fired, 0);
    assert_int_equal(w[2].fired, 1);
    assert_int_equal(w[3].fired, 0);
    assert_int_equal(w[2].signals, ZX_USER_SIGNAL_0);
    assert_int_equal(event->object.refs, 2);
    object_update_signals(&event->object, ZX_USER_SIGNAL_0, 0);
    observer_remove(&w[3].observer);
    observer_remove(&w[3].observer);
    object_release(&event->object);
}

static void test_observers_cancel_by_handle(void **state)
{
    struct event *event = new_event();
    zx_handle_t a, b;
    struct watcher w[2] = {0};

    (void)state;
    assert_int_equal(handle_create(fix.process, &event->object, 0, &a), ZX_OK);
    assert_int_equal(handle_create(fix.process, &event->object, 0, &b), ZX_OK);
    w[0].observer.fire = w[1].observer.fire = watcher_fire;
    observer_add(&w[0].observer, &event->object, handle_find(fix.process, a), 1u << 24);
    observer_add(&w[1].observer, &event->object, handle_find(fix.process, b), 1u << 24);
    assert_int_equal(handle_close(fix.process, a), ZX_OK);
    assert_int_equal(w[0].fired, 1);
    assert_int_equal(w[0].reason, OBSERVER_CANCELED);
    assert_int_equal(w[1].fired, 0);
    assert_int_equal(handle_close(fix.process, b), ZX_OK);
    assert_int_equal(w[1].fired, 1);
    object_release(&event->object);
}

/* ---- Waits ---------------------------------------------------------------------------------- */

static void test_sleep_ends(void **state)
{
    zx_time_t deadline = hal_now() + 1000;

    (void)state;
    wait_begin(fix.thread, &wait_kind_sleep, deadline);
    assert_int_equal(fix.thread->state, THREAD_BLOCKED);
    assert_int_equal(thread_info_state(fix.thread), ZX_THREAD_STATE_BLOCKED_SLEEPING);
    assert_false(fixture_run(fix.thread));
    fixture_advance(999);
    assert_int_equal(fix.thread->state, THREAD_BLOCKED);
    fixture_advance(1);
    assert_int_equal(fix.thread->state, THREAD_RUNNABLE);
    assert_true(fixture_run(fix.thread));
    assert_int_equal(fixture_result(fix.thread), ZX_OK);
}

static void test_wait_ends_once(void **state)
{
    (void)state;
    wait_begin(fix.thread, &wait_kind_sleep, hal_now() + 1000);
    assert_true(wait_end(fix.thread, ZX_ERR_CANCELED));
    assert_false(wait_end(fix.thread, ZX_OK));
    fixture_advance(5000);
    assert_true(fixture_run(fix.thread));
    assert_int_equal(fixture_result(fix.thread), ZX_ERR_CANCELED);
}

static void test_wait_past_deadline(void **state)
{
    (void)state;
    wait_begin(fix.thread, &wait_kind_sleep, hal_now());
    assert_int_equal(fix.thread->state, THREAD_RUNNABLE);
    assert_true(fixture_run(fix.thread));
    assert_int_equal(fixture_result(fix.thread), ZX_OK);
}

static void test_kill_ends_wait(void **state)
{
    struct thread *thread = fixture_thread();

    (void)state;
    fixture_run(thread);
    wait_begin(thread, &wait_kind_sleep, ZX_TIME_INFINITE);
    thread_kill(thread);
    assert_false(fixture_run(thread));
    assert_int_equal(thread->state, THREAD_DEAD);
    assert_true(thread->object.signals & ZX_THREAD_TERMINATED);
    fix.cpu.current = fix.thread;
    object_release(&thread->object);
}

static void test_suspend(void **state)
{
    struct thread *thread = fixture_thread();

    (void)state;
    fixture_run(thread);
    wait_begin(thread, &wait_kind_sleep, ZX_TIME_INFINITE);
    thread_suspend(thread);
    thread_suspend(thread);
    assert_false(fixture_run(thread));
    assert_int_equal(fixture_result(thread), ZX_ERR_INTERNAL_INTR_RETRY);
    assert_true(thread->object.signals & ZX_THREAD_SUSPENDED);
    assert_int_equal(thread_info_state(thread), ZX_THREAD_STATE_SUSPENDED);
    thread_resume(thread);
    assert_int_equal(thread->state, THREAD_BLOCKED);
    thread_resume(thread);
    assert_true(fixture_run(thread));
    assert_true(thread->object.signals & ZX_THREAD_RUNNING);
    fix.cpu.current = fix.thread;
    object_release(&thread->object);
}

static void test_run_queue_order(void **state)
{
    struct thread *low = fixture_thread(), *high = fixture_thread(), *mid = fixture_thread();

    (void)state;
    low->priority = 3;
    high->priority = 31;
    executor_ready(low);
    executor_ready(mid);
    assert_false(fix.cpu.resched);
    executor_ready(high);
    assert_true(fix.cpu.resched);
    assert_ptr_equal(executor_take(&fix.cpu), high);
    assert_ptr_equal(executor_take(&fix.cpu), mid);
    assert_ptr_equal(executor_take(&fix.cpu), low);
    assert_null(executor_take(&fix.cpu));
    object_release(&low->object);
    object_release(&mid->object);
    object_release(&high->object);
}

/* ---- Processes and jobs ---------------------------------------------------------------------- */

static struct process *new_process(struct job *job)
{
    struct process *process;

    assert_int_equal(process_create(job, "child", &process), ZX_OK);
    return process;
}

static void start(struct process *process)
{
    struct thread *thread;
    struct handle_ref none = {NULL, 0};

    assert_int_equal(thread_create(process, "t", &thread), ZX_OK);
    assert_int_equal(process_start(process, thread, 0x2000000, 0, none, 0), ZX_OK);
    object_release(&thread->object);
}

static void test_process_unstarted_dies_with_its_handle(void **state)
{
    struct process *process = new_process(fix.kernel.root_job);
    zx_handle_t handle;

    (void)state;
    object_ref(&process->object);
    handle = fixture_give(&process->object, 0);
    handle_close(fix.process, handle);
    assert_int_equal(process->state, PROCESS_DEAD);
    object_release(&process->object);
}

static void test_process_kill_closes_handles(void **state)
{
    struct process *process = new_process(fix.kernel.root_job);
    struct event *event = new_event();
    zx_handle_t value;

    (void)state;
    start(process);
    assert_int_equal(handle_create(process, &event->object, 0, &value), ZX_OK);
    process_kill(process, 42);
    process_kill(process, 43);
    assert_int_equal(process->state, PROCESS_DYING);
    fixture_settle_all();
    assert_int_equal(process->state, PROCESS_DEAD);
    assert_int_equal(process->return_code, 42);
    assert_true(process->object.signals & ZX_PROCESS_TERMINATED);
    assert_int_equal(event->object.refs, 1);
    object_release(&event->object);
    object_release(&process->object);
}

static void test_job_kill_goes_down(void **state)
{
    struct job *top, *deep, *wide[50];
    struct process *process, *sleeping;

    (void)state;
    assert_int_equal(job_create(fix.kernel.root_job, &top), ZX_OK);
    for (int i = 0; i < 50; i++)
        assert_int_equal(job_create(top, &wide[i]), ZX_OK);
    assert_int_equal(job_create(wide[25], &deep), ZX_OK);
    process = new_process(deep);
    sleeping = new_process(wide[30]);
    start(sleeping);
    assert_false(top->object.signals & ZX_JOB_NO_JOBS);
    job_kill(top, -5);
    assert_int_equal(process->state, PROCESS_DEAD);
    assert_int_equal(process->return_code, -5);
    assert_int_equal(top->state, JOB_KILLING);
    fixture_settle_all();
    assert_int_equal(sleeping->state, PROCESS_DEAD);
    assert_int_equal(top->state, JOB_DEAD);
    assert_true(top->object.signals & ZX_JOB_TERMINATED);
    assert_true(fix.kernel.root_job->object.signals & ZX_JOB_NO_JOBS);
    for (int i = 0; i < 50; i++)
        object_release(&wide[i]->object);
    object_release(&deep->object);
    object_release(&top->object);
    object_release(&process->object);
    object_release(&sleeping->object);
}

static void test_job_depth(void **state)
{
    struct job *chain[JOB_MAX_HEIGHT], *parent = fix.kernel.root_job, *refused;

    (void)state;
    for (int i = 0; i < JOB_MAX_HEIGHT; i++) {
        assert_int_equal(job_create(parent, &chain[i]), ZX_OK);
        parent = chain[i];
    }
    assert_int_equal(job_create(parent, &refused), ZX_ERR_OUT_OF_RANGE);
    job_kill(chain[0], 0);
    assert_int_equal(parent->state, JOB_DEAD);
    assert_int_equal(job_create(chain[3], &refused), ZX_ERR_BAD_STATE);
    for (int i = 0; i < JOB_MAX_HEIGHT; i++)
        object_release(&chain[i]->object);
}

static void test_critical_process_ends_job(void **state)
{
    struct job *job;
    struct process *critical, *other;

    (void)state;
    assert_int_equal(job_create(fix.kernel.root_job, &job), ZX_OK);
    critical = new_process(job);
    other = new_process(job);
    critical->critical_to = job;
    critical->critical_nonzero = true;
    start(critical);
    process_kill(critical, 3);
    fixture_settle_all();
    assert_int_equal(job->state, JOB_DEAD);
    assert_int_equal(other->return_code, ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL);
    object_release(&critical->object);
    object_release(&other->object);
    object_release(&job->object);
}

/* Every allocation of a process's creation fails in turn, and nothing is left behind. */
static void test_process_create_out_of_memory(void **state)
{
    struct process *process = NULL;
    struct heap_stats before, after;
    zx_status_t status = ZX_ERR_NO_MEMORY;

    (void)state;
    for (uint64_t n = 1; status == ZX_ERR_NO_MEMORY; n++) {
        heap_stats(&before);
        heap_fail_nth(n);
        status = process_create(fix.kernel.root_job, "x", &process);
        heap_fail_nth(0);
        heap_stats(&after);
        if (status != ZX_OK)
            assert_int_equal(after.used, before.used);
        assert_true(n < 100);
    }
    assert_int_equal(status, ZX_OK);
    process_kill(process, 0);
    object_release(&process->object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_handle_values),
        TEST(test_handle_reuse),
        TEST(test_handle_slot),
        TEST(test_handle_many),
        TEST(test_handle_out_of_memory),
        TEST(test_sys_handle_rights),
        TEST(test_sys_handle_bad_pointer),
        TEST(test_observers),
        TEST(test_observers_cancel_by_handle),
        TEST(test_sleep_ends),
        TEST(test_wait_ends_once),
        TEST(test_wait_past_deadline),
        TEST(test_kill_ends_wait),
        TEST(test_suspend),
        TEST(test_run_queue_order),
        TEST(test_process_unstarted_dies_with_its_handle),
        TEST(test_process_kill_closes_handles),
        TEST(test_job_kill_goes_down),
        TEST(test_job_depth),
        TEST(test_critical_process_ends_job),
        TEST(test_process_create_out_of_memory),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
