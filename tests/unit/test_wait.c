/*
 * test_wait.c - object_wait_one and object_wait_many with each way to end, nanosleep, events and
 * event pairs, clocks of the kernel, random numbers.
 */
#include "helpers.h"

#include <zircon/clock.h>
#include <zircon/ipc.h>
#include <zircon/system.h>

#include "port.h"
#include "resource.h"

enum { OUT0 = 0, OUT1 = 8, OBSERVED = 16, ITEMS = 64 };

static void make_pair(zx_handle_t *a, zx_handle_t *b)
{
    assert_status(sys_eventpair_create(SELF, 0, U(OUT0), U(OUT1)), ZX_OK);
    *a = fixture_handle_at(OUT0);
    *b = fixture_handle_at(OUT1);
}

static int64_t wait_one(struct thread *thread, zx_handle_t handle, zx_signals_t signals,
                        zx_time_t deadline)
{
    return AS(thread, sys_object_wait_one(thread, handle, signals, deadline, U(OBSERVED)));
}

static void set(zx_handle_t handle, zx_signals_t signals)
{
    assert_status(sys_object_signal(SELF, handle, 0, signals), ZX_OK);
}

/* ---- Events -------------------------------------------------------------------------------- */

static void test_event(void **state)
{
    zx_handle_t event;

    (void)state;
    assert_status(sys_event_create(SELF, 1, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_event_create(SELF, 0, BAD), ZX_ERR_INVALID_ARGS);
    assert_status(sys_event_create(SELF, 0, U(OUT0)), ZX_OK);
    event = fixture_handle_at(OUT0);
    assert_int_equal(fix.process->handles.count, 1);
    assert_status(sys_object_signal(SELF, event, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_7), ZX_OK);
    assert_int_equal(signals_of(event), ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_7);
    assert_status(sys_object_signal(SELF, event, 0, 1), ZX_ERR_INVALID_ARGS);
    heap_fail_nth(1);
    assert_status(sys_event_create(SELF, 0, U(OUT0)), ZX_ERR_NO_MEMORY);
}

static void test_eventpair(void **state)
{
    zx_handle_t a, b;

    (void)state;
    assert_status(sys_eventpair_create(SELF, 1, U(OUT0), U(OUT1)), ZX_ERR_NOT_SUPPORTED);
    make_pair(&a, &b);
    assert_int_equal(signals_of(a), 0);
    assert_status(sys_object_signal_peer(SELF, a, 0, ZX_EVENTPAIR_SIGNALED), ZX_OK);
    assert_int_equal(signals_of(b), ZX_EVENTPAIR_SIGNALED);
    close_handle(b);
    assert_int_equal(signals_of(a), ZX_EVENTPAIR_PEER_CLOSED);
    assert_status(sys_object_signal_peer(SELF, a, 0, ZX_USER_SIGNAL_0), ZX_ERR_PEER_CLOSED);
    for (uint64_t n = 1; n <= 2; n++) {
        heap_fail_nth(n);
        assert_status(sys_eventpair_create(SELF, 0, U(OUT0), U(OUT1)), ZX_ERR_NO_MEMORY);
    }
}

static void test_system_event(void **state)
{
    zx_handle_t job, normal;

    (void)state;
    object_ref(&fix.kernel.root_job->object);
    job = fixture_give(&fix.kernel.root_job->object, ZX_DEFAULT_JOB_RIGHTS);
    assert_status(sys_system_get_event(SELF, job, 0, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_system_get_event(SELF, job, 5, U(OUT0)), ZX_ERR_INVALID_ARGS);
    for (uint32_t kind = 1; kind <= 4; kind++) {
        assert_status(sys_system_get_event(SELF, job, kind, U(OUT0)), ZX_OK);
        assert_int_equal(signals_of(fixture_handle_at(OUT0)),
                         kind == ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL ? ZX_EVENT_SIGNALED : 0);
    }
    normal = fixture_handle_at(OUT0);
    assert_int_equal(handle_find(fix.process, normal)->rights,
                     ZX_DEFAULT_SYSTEM_EVENT_LOW_MEMORY_RIGHTS);
    assert_status(sys_system_get_event(SELF, job, 4, U(OUT1)), ZX_OK);
    assert_ptr_equal(object_of(fixture_handle_at(OUT1)), object_of(normal));
    job = with_rights(job, ZX_RIGHT_NONE);
    assert_status(sys_system_get_event(SELF, job, 1, U(OUT0)), ZX_ERR_ACCESS_DENIED);
    for (int i = 0; i < 4; i++)
        object_release(&fix.kernel.system_events[i]->object);
}

/* ---- object_wait_one ------------------------------------------------------------------------ */

static void test_wait_one_now(void **state)
{
    zx_handle_t event = new_event(ZX_DEFAULT_EVENT_RIGHTS), port;

    (void)state;
    assert_status(wait_one(SELF, 3, 1, 0), ZX_ERR_BAD_HANDLE);
    assert_status(wait_one(SELF, new_event(ZX_RIGHT_SIGNAL), 1, 0), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_port_create(SELF, 0, U(OUT0)), ZX_OK);
    port = fixture_handle_at(OUT0);
    assert_status(wait_one(SELF, port, 1, 0), ZX_ERR_ACCESS_DENIED);
    port = with_rights(port, ZX_RIGHT_WAIT);
    assert_status(wait_one(SELF, port, 1, 0), ZX_ERR_NOT_SUPPORTED);
    set(event, ZX_EVENT_SIGNALED);
    /* True already: whatever the deadline is. */
    assert_status(wait_one(SELF, event, ZX_EVENT_SIGNALED | 1, ZX_TIME_INFINITE_PAST), ZX_OK);
    assert_int_equal(u32_at(OBSERVED), ZX_EVENT_SIGNALED);
    assert_status(wait_one(SELF, event, ZX_USER_SIGNAL_0, 0), ZX_ERR_TIMED_OUT);
    assert_int_equal(u32_at(OBSERVED), ZX_EVENT_SIGNALED);
    assert_status(wait_one(SELF, event, ZX_USER_SIGNAL_0, hal_now()), ZX_ERR_TIMED_OUT);
    assert_status(sys_object_wait_one(SELF, event, ZX_EVENT_SIGNALED, 0, NONE), ZX_OK);
    assert_status(sys_object_wait_one(SELF, event, ZX_EVENT_SIGNALED, 0, BAD), ZX_ERR_INVALID_ARGS);
}

/* One thread for each way a wait can end. */
static void test_wait_one_ends(void **state)
{
    zx_handle_t event = new_event(ZX_DEFAULT_EVENT_RIGHTS), closing = new_event(ZX_RIGHT_WAIT);
    struct thread *thread[6];
    uint32_t refs = object_of(event)->refs;

    (void)state;
    for (int i = 0; i < 6; i++)
        thread[i] = fixture_thread();
    wait_one(thread[0], event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE);
    wait_one(thread[1], event, ZX_USER_SIGNAL_0, hal_now() + 10);
    wait_one(thread[2], closing, 0, ZX_TIME_INFINITE);
    wait_one(thread[3], event, 0, ZX_TIME_INFINITE);
    wait_one(thread[4], event, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE);
    AS(thread[5], sys_object_wait_one(thread[5], event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, BAD));
    assert_int_equal(thread_info_state(thread[0]), ZX_THREAD_STATE_BLOCKED_WAIT_ONE);

    set(event, ZX_EVENT_SIGNALED);
    /* The snapshot is of the moment of the wake, not of the thread's turn. */
    assert_status(sys_object_signal(SELF, event, ZX_EVENT_SIGNALED, ZX_USER_SIGNAL_3), ZX_OK);
    fixture_settle_all();
    assert_status(fixture_result(thread[0]), ZX_OK);
    assert_int_equal(u32_at(OBSERVED), ZX_EVENT_SIGNALED);
    assert_status(fixture_result(thread[5]), ZX_ERR_INVALID_ARGS);

    fixture_advance(10);
    fixture_settle_all();
    assert_status(fixture_result(thread[1]), ZX_ERR_TIMED_OUT);
    assert_int_equal(u32_at(OBSERVED), ZX_USER_SIGNAL_3);

    close_handle(closing);
    fixture_settle_all();
    assert_status(fixture_result(thread[2]), ZX_ERR_CANCELED);
    assert_int_equal(u32_at(OBSERVED), ZX_SIGNAL_HANDLE_CLOSED);

    thread_suspend(thread[3]);
    fixture_settle_all();
    assert_status(fixture_result(thread[3]), ZX_ERR_INTERNAL_INTR_RETRY);
    thread_resume(thread[3]);
    fixture_settle_all();

    thread_kill(thread[4]);
    fixture_settle_all();
    assert_int_equal(thread[4]->state, THREAD_DEAD);
    assert_int_equal(object_of(event)->refs, refs);
    assert_int_equal(handle_find(fix.process, event)->observers, 0);
    for (int i = 0; i < 6; i++)
        end_thread(thread[i]);
}

/* A million expired waits leave nothing behind (zCore: 133 MB, and each signal looked at them). */
static void test_wait_one_leaves_nothing(void **state)
{
    zx_handle_t event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    struct thread *thread = fixture_thread();
    size_t before;

    (void)state;
    wait_one(thread, event, ZX_EVENT_SIGNALED, 0);
    before = heap_used();
    for (int i = 0; i < 100000; i++) {
        wait_one(thread, event, ZX_EVENT_SIGNALED, hal_now() + 1);
        fixture_advance(1);
        assert_true(fixture_run(thread));
        fix.cpu.current = SELF;
    }
    assert_int_equal(heap_used(), before);
    assert_true(TAILQ_EMPTY(&object_of(event)->observers));
    end_thread(thread);
}

/* A slot names the thread that waits through it, and never one that does not any more. */
static void test_handle_names_its_waiter(void **state)
{
    zx_handle_t event = new_event(ZX_DEFAULT_EVENT_RIGHTS), other;
    struct handle *slot = handle_find(fix.process, event);
    struct thread *thread = fixture_thread();

    (void)state;
    assert_null(slot->waiter);
    wait_one(thread, event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE);
    assert_ptr_equal(slot->waiter, thread);
    set(event, ZX_EVENT_SIGNALED);
    assert_null(slot->waiter);
    fixture_settle_all();

    wait_one(thread, event, ZX_USER_SIGNAL_0, hal_now() + 1);
    assert_ptr_equal(slot->waiter, thread);
    fixture_advance(1);
    assert_null(slot->waiter);
    fixture_settle_all();

    /* The slot is used again: its link in the list of free ones is no waiter. */
    wait_one(thread, event, ZX_USER_SIGNAL_0, ZX_TIME_INFINITE);
    close_handle(event);
    other = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    assert_ptr_equal(handle_find(fix.process, other), slot);
    assert_null(slot->waiter);
    end_thread(thread);
}

/* ---- object_wait_many ----------------------------------------------------------------------- */

static void put_items(const zx_handle_t *handles, const zx_signals_t *signals, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        zx_wait_item_t item = {handles[i], signals[i], 0xdead};

        fixture_poke(ITEMS + i * sizeof item, &item, sizeof item);
    }
}

static zx_signals_t pending(size_t i)
{
    return u32_at(ITEMS + i * sizeof(zx_wait_item_t) + offsetof(zx_wait_item_t, pending));
}

static int64_t wait_many(struct thread *thread, size_t n, zx_time_t deadline)
{
    return AS(thread, sys_object_wait_many(thread, U(ITEMS), n, deadline));
}

static void test_wait_many_now(void **state)
{
    zx_handle_t h[64];
    zx_signals_t s[64];

    (void)state;
    for (int i = 0; i < 64; i++) {
        h[i] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
        s[i] = ZX_EVENT_SIGNALED;
    }
    put_items(h, s, 64);
    assert_status(wait_many(SELF, 65, 0), ZX_ERR_OUT_OF_RANGE);
    assert_status(wait_many(SELF, 64, 0), ZX_ERR_TIMED_OUT);
    assert_int_equal(pending(63), 0);
    set(h[0], ZX_USER_SIGNAL_1);
    set(h[63], ZX_EVENT_SIGNALED);
    assert_status(wait_many(SELF, 64, 0), ZX_OK);
    assert_int_equal(pending(0), ZX_USER_SIGNAL_1);
    assert_int_equal(pending(63), ZX_EVENT_SIGNALED);
    assert_status(sys_object_wait_many(SELF, BAD, 1, 0), ZX_ERR_INVALID_ARGS);
    close_handle(h[1]);
    assert_status(wait_many(SELF, 64, 0), ZX_ERR_BAD_HANDLE);
    h[1] = new_event(ZX_RIGHT_SIGNAL);
    put_items(h, s, 2);
    assert_status(wait_many(SELF, 2, ZX_TIME_INFINITE), ZX_ERR_ACCESS_DENIED);
    heap_fail_nth(1);
    assert_status(wait_many(SELF, 1, ZX_TIME_INFINITE), ZX_ERR_NO_MEMORY);
    assert_null(SELF->wait.kind);
}

static void test_wait_many_ends(void **state)
{
    struct thread *thread = fixture_thread();
    zx_handle_t h[4];
    zx_signals_t s[4] = {ZX_EVENT_SIGNALED, ZX_USER_SIGNAL_0, ZX_EVENT_SIGNALED, 0};
    size_t before;

    (void)state;
    h[0] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    h[1] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    h[2] = h[0]; /* the same handle twice */
    h[3] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    put_items(h, s, 4);
    before = heap_used();

    wait_many(thread, 4, ZX_TIME_INFINITE);
    assert_int_equal(thread_info_state(thread), ZX_THREAD_STATE_BLOCKED_WAIT_MANY);
    set(h[3], ZX_USER_SIGNAL_5);
    assert_int_equal(thread->state, THREAD_BLOCKED);
    set(h[0], ZX_EVENT_SIGNALED);
    assert_status(sys_object_signal(SELF, h[3], ZX_USER_SIGNAL_5, 0), ZX_OK);
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_OK);
    assert_int_equal(pending(0), ZX_EVENT_SIGNALED);
    assert_int_equal(pending(1), 0);
    assert_int_equal(pending(2), ZX_EVENT_SIGNALED);
    assert_int_equal(pending(3), ZX_USER_SIGNAL_5);

    assert_status(sys_object_signal(SELF, h[0], ZX_EVENT_SIGNALED, 0), ZX_OK);
    put_items(h, s, 4);
    wait_many(thread, 4, hal_now() + 5);
    set(h[1], ZX_USER_SIGNAL_1);
    fixture_advance(5);
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_ERR_TIMED_OUT);
    assert_int_equal(pending(1), ZX_USER_SIGNAL_1);
    assert_int_equal(pending(3), 0);

    wait_many(thread, 4, ZX_TIME_INFINITE);
    close_handle(h[0]);
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_ERR_CANCELED);
    assert_int_equal(pending(0), ZX_SIGNAL_HANDLE_CLOSED);
    assert_int_equal(pending(1), ZX_USER_SIGNAL_1);
    assert_int_equal(pending(2), ZX_SIGNAL_HANDLE_CLOSED);
    h[0] = h[2] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    put_items(h, s, 4);

    wait_many(thread, 4, ZX_TIME_INFINITE);
    thread_suspend(thread);
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_ERR_INTERNAL_INTR_RETRY);
    thread_resume(thread);
    fixture_settle_all();
    assert_int_equal(heap_used(), before);
    wait_many(thread, 4, ZX_TIME_INFINITE);
    end_thread(thread);
}

static void test_wait_many_nothing(void **state)
{
    struct thread *thread = fixture_thread();

    (void)state;
    AS(thread, sys_object_wait_many(thread, NONE, 0, hal_now() + 7));
    fixture_advance(6);
    assert_int_equal(thread->state, THREAD_BLOCKED);
    fixture_advance(1);
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_ERR_TIMED_OUT);
    end_thread(thread);
}

/* ---- Time and entropy ----------------------------------------------------------------------- */

static void test_nanosleep(void **state)
{
    struct thread *thread = fixture_thread();

    (void)state;
    assert_status(sys_nanosleep(SELF, 0), ZX_OK);
    assert_true(fix.cpu.resched);
    fix.cpu.resched = false;
    assert_status(sys_nanosleep(SELF, -1), ZX_OK);
    assert_null(SELF->wait.kind);
    AS(thread, sys_nanosleep(thread, hal_now() + 100));
    assert_int_equal(thread_info_state(thread), ZX_THREAD_STATE_BLOCKED_SLEEPING);
    fixture_advance(100);
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_OK);
    AS(thread, sys_nanosleep(thread, hal_now() - 1));
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_OK);
    AS(thread, sys_nanosleep(thread, ZX_TIME_INFINITE));
    thread_suspend(thread);
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_ERR_INTERNAL_INTR_RETRY);
    thread_resume(thread);
    fixture_settle_all();
    end_thread(thread);
}

static void test_clock_get(void **state)
{
    zx_handle_t root;

    (void)state;
    object_ref(&fix.kernel.root_resource->object);
    root = fixture_give(&fix.kernel.root_resource->object, ZX_DEFAULT_RESOURCE_RIGHTS);
    assert_status(sys_clock_get(SELF, ZX_CLOCK_MONOTONIC, U(OUT0)), ZX_OK);
    assert_int_equal(u64_at(OUT0), hal_now());
    assert_int_equal(sys_clock_get_monotonic_via_kernel(SELF), hal_now());
    assert_int_equal(sys_ticks_get_via_kernel(SELF), hal_ticks());
    assert_status(sys_clock_adjust(SELF, root, ZX_CLOCK_MONOTONIC, 5), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_clock_adjust(SELF, root, 7, 5), ZX_ERR_INVALID_ARGS);
    assert_status(sys_clock_adjust(SELF, new_event(0), ZX_CLOCK_UTC, 5), ZX_ERR_WRONG_TYPE);
    assert_status(sys_clock_adjust(SELF, root, ZX_CLOCK_UTC, 5), ZX_OK);
    assert_status(sys_clock_get(SELF, ZX_CLOCK_UTC, U(OUT0)), ZX_OK);
    assert_int_equal(u64_at(OUT0), hal_now() + 5);
    assert_status(sys_clock_adjust(SELF, root, ZX_CLOCK_UTC, INT64_MAX), ZX_OK);
    assert_status(sys_clock_get(SELF, ZX_CLOCK_UTC, U(OUT0)), ZX_OK);
    SELF->runtime = 100;
    SELF->running_since = hal_now();
    fixture_advance(11);
    assert_status(sys_clock_get(SELF, ZX_CLOCK_THREAD, U(OUT0)), ZX_OK);
    assert_int_equal(u64_at(OUT0), 111);
    assert_status(sys_clock_get(SELF, 3, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_clock_get(SELF, 0, BAD), ZX_ERR_INVALID_ARGS);
}

static void test_entropy(void **state)
{
    (void)state;
    assert_status(sys_cprng_draw_once(SELF, U(OUT0), 257), ZX_ERR_INVALID_ARGS);
    assert_status(sys_cprng_draw_once(SELF, U(OUT0), SIZE_MAX), ZX_ERR_INVALID_ARGS);
    assert_status(sys_cprng_draw_once(SELF, BAD, 1), ZX_ERR_INVALID_ARGS);
    assert_status(sys_cprng_draw_once(SELF, U(OUT0), 256), ZX_OK);
    assert_int_not_equal(u64_at(0), u64_at(8));
    assert_status(sys_cprng_add_entropy(SELF, U(OUT0), 257), ZX_ERR_INVALID_ARGS);
    assert_status(sys_cprng_add_entropy(SELF, BAD, 1), ZX_ERR_INVALID_ARGS);
    assert_status(sys_cprng_add_entropy(SELF, U(OUT0), 256), ZX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_event),
        TEST(test_eventpair),
        TEST(test_system_event),
        TEST(test_wait_one_now),
        TEST(test_wait_one_ends),
        TEST(test_wait_one_leaves_nothing),
        TEST(test_handle_names_its_waiter),
        TEST(test_wait_many_now),
        TEST(test_wait_many_ends),
        TEST(test_wait_many_nothing),
        TEST(test_nanosleep),
        TEST(test_clock_get),
        TEST(test_entropy),
    };

    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
