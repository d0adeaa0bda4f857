/*
 * test_futex.c - futexes: waking, requeueing, owners, and each way a wait can end.
 */
#include "helpers.h"

#include "futex.h"

enum { A = 0x100, B = 0x108, KOID = 0x200, HIGH = 0x3000 };
enum { N = 6 };

static struct thread *thread[N];
static zx_handle_t handle[N]; /* to thread[i] */

static void start(void)
{
    for (int i = 0; i < N; i++) {
        thread[i] = fixture_thread();
        assert_status(handle_create(fix.process, &thread[i]->object, 0, &handle[i]), ZX_OK);
    }
}

static void stop(void)
{
    for (int i = 0; i < N; i++)
        end_thread(thread[i]);
    assert_true(!fix.process->futexes || !futex_find(fix.process, U(A).va));
}

static int64_t wait_on(int i, size_t at, zx_handle_t owner, zx_time_t deadline)
{
    return AS(thread[i], sys_futex_wait(thread[i], U(at), 0, owner, deadline));
}

static bool blocked(int i)
{
    return thread[i]->state == THREAD_BLOCKED;
}

static zx_koid_t owner_of(size_t at)
{
    assert_status(sys_futex_get_owner(SELF, U(at), U(KOID)), ZX_OK);
    return u64_at(KOID);
}

static zx_koid_t koid(int i)
{
    return thread[i]->object.koid;
}

static void test_errors(void **state)
{
    zx_handle_t event = new_event(0), me, fresh;
    struct thread *unstarted;
    int32_t one = 1;

    (void)state;
    start();
    assert_status(handle_create(fix.process, &SELF->object, 0, &me), ZX_OK);
    assert_status(thread_create(fix.process, "new", &unstarted), ZX_OK);
    fresh = fixture_give(&unstarted->object, 0);
    fixture_poke(B, &one, sizeof one);
    assert_status(sys_futex_wait(SELF, NONE, 0, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_wait(SELF, U(A + 2), 0, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_wait(SELF, BAD, 0, 0, 0), ZX_ERR_INVALID_ARGS);
    /* The value comes before the owner. */
    assert_status(sys_futex_wait(SELF, U(B), 0, 3, 0), ZX_ERR_BAD_STATE);
    assert_status(sys_futex_wait(SELF, U(A), 0, 3, 0), ZX_ERR_BAD_HANDLE);
    assert_status(sys_futex_wait(SELF, U(A), 0, event, 0), ZX_ERR_WRONG_TYPE);
    assert_status(sys_futex_wait(SELF, U(A), 0, fresh, 0), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_wait(SELF, U(A), 0, me, 0), ZX_ERR_INVALID_ARGS);
    wait_on(0, A, 0, ZX_TIME_INFINITE);
    assert_status(sys_futex_wait(SELF, U(A), 0, handle[0], 0), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_wake(SELF, NONE, 1), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_wake(SELF, U(A + 1), 1), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_wake(SELF, (struct user_ptr){0x10000000}, 1), ZX_OK);
    assert_status(sys_futex_get_owner(SELF, U(A + 1), U(KOID)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_get_owner(SELF, U(A), BAD), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_requeue(SELF, U(A), 1, 0, U(A), 1, 0), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_requeue(SELF, U(A), 1, 0, NONE, 1, 0), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_requeue(SELF, U(A), 1, 0, U(B + 1), 1, 0), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_requeue(SELF, BAD, 1, 0, U(B), 1, 0), ZX_ERR_INVALID_ARGS);
    assert_status(sys_futex_requeue(SELF, U(A), 1, 1, U(B), 1, 3), ZX_ERR_BAD_STATE);
    assert_status(sys_futex_requeue(SELF, U(A), 1, 0, U(B), 1, 3), ZX_ERR_BAD_HANDLE);
    assert_status(sys_futex_requeue(SELF, U(A), 1, 0, U(B), 1, handle[0]), ZX_ERR_INVALID_ARGS);
    assert_true(blocked(0));
    stop();
}

static void test_wake_order(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 5; i++)
        wait_on(i, A, 0, ZX_TIME_INFINITE);
    assert_int_equal(thread_info_state(thread[0]), ZX_THREAD_STATE_BLOCKED_FUTEX);
    assert_status(sys_futex_wake(SELF, U(A), 0), ZX_OK);
    assert_status(sys_futex_wake(SELF, U(B), 9), ZX_OK);
    assert_true(blocked(0));
    assert_status(sys_futex_wake(SELF, U(A), 2), ZX_OK);
    assert_true(!blocked(0) && !blocked(1) && blocked(2));
    assert_status(sys_futex_wake(SELF, U(A), UINT32_MAX), ZX_OK);
    fixture_settle_all();
    for (int i = 0; i < 5; i++)
        assert_status(fixture_result(thread[i]), ZX_OK);
    assert_null(futex_find(fix.process, U(A).va));
    stop();
}

static void test_ends(void **state)
{
    size_t before;

    (void)state;
    start();
    wait_on(0, A, 0, 0); /* the table exists from now on */
    fixture_settle_all();
    assert_status(fixture_result(thread[0]), ZX_ERR_TIMED_OUT);
    before = heap_used();
    wait_on(0, A, handle[4], hal_now() + 10);
    wait_on(1, A, handle[5], ZX_TIME_INFINITE);
    wait_on(2, A, handle[4], ZX_TIME_INFINITE);
    assert_int_equal(owner_of(A), koid(4));
    fixture_advance(10);
    thread_suspend(thread[1]);
    fixture_settle_all();
    assert_status(fixture_result(thread[0]), ZX_ERR_TIMED_OUT);
    assert_status(fixture_result(thread[1]), ZX_ERR_INTERNAL_INTR_RETRY);
    assert_int_equal(owner_of(A), koid(4));
    thread_kill(thread[2]); /* the last one: nothing is left */
    assert_null(futex_find(fix.process, U(A).va));
    assert_null(thread[4]->owned_futexes);
    assert_int_equal(owner_of(A), 0);
    thread_resume(thread[1]);
    fixture_settle_all();
    assert_int_equal(heap_used(), before);
    stop();
}

static void test_owner(void **state)
{
    (void)state;
    start();
    wait_on(0, A, handle[3], ZX_TIME_INFINITE);
    wait_on(1, A, handle[4], ZX_TIME_INFINITE);
    assert_int_equal(owner_of(A), koid(4));
    wait_on(2, A, 0, ZX_TIME_INFINITE); /* a wait without an owner clears it */
    assert_int_equal(owner_of(A), 0);
    wait_on(5, B, handle[4], ZX_TIME_INFINITE);
    wait_on(3, A, handle[4], ZX_TIME_INFINITE);
    assert_status(sys_futex_wake(SELF, U(A), 0), ZX_OK); /* so does a wake, even of none */
    assert_int_equal(owner_of(A), 0);
    assert_status(sys_futex_wake_single_owner(SELF, U(A)), ZX_OK);
    assert_int_equal(owner_of(A), koid(0));
    assert_int_equal(owner_of(B), koid(4));
    /* A thread that dies owns nothing. */
    thread_kill(thread[4]);
    thread_kill(thread[0]);
    fixture_settle_all();
    fixture_run(thread[4]);
    fix.cpu.current = SELF;
    assert_int_equal(thread[4]->state, THREAD_DEAD);
    assert_int_equal(owner_of(A), 0);
    assert_int_equal(owner_of(B), 0);
    /* And cannot become an owner. */
    assert_status(sys_futex_wake(SELF, U(A), 2), ZX_OK);
    fixture_settle_all();
    wait_on(1, A, handle[4], ZX_TIME_INFINITE);
    assert_int_equal(owner_of(A), 0);
    assert_status(sys_futex_wake(SELF, U(A), 1), ZX_OK);
    fixture_settle_all();
    /* The last waiter that is woken does not become the owner. */
    assert_status(sys_futex_wake_single_owner(SELF, U(A)), ZX_OK);
    assert_int_equal(owner_of(A), 0);
    stop();
}

static void test_requeue(void **state)
{
    zx_handle_t me;

    (void)state;
    start();
    assert_status(handle_create(fix.process, &SELF->object, 0, &me), ZX_OK);
    for (int i = 0; i < 5; i++)
        wait_on(i, A, handle[5], ZX_TIME_INFINITE);
    assert_status(sys_futex_requeue(SELF, U(A), 1, 0, U(B), 2, me), ZX_OK);
    assert_true(!blocked(0));
    assert_int_equal(futex_find(fix.process, U(A).va)->num_waiters, 2);
    assert_int_equal(futex_find(fix.process, U(B).va)->num_waiters, 2);
    assert_int_equal(owner_of(A), 0);
    assert_int_equal(owner_of(B), SELF->object.koid); /* the caller may be the owner */
    assert_status(sys_futex_requeue(SELF, U(A), 0, 0, U(B), 0, handle[5]), ZX_OK);
    assert_int_equal(owner_of(B), koid(5));
    assert_status(sys_futex_requeue_single_owner(SELF, U(A), 0, U(B), 0, 0), ZX_OK);
    assert_true(!blocked(3));
    assert_int_equal(owner_of(A), koid(3));
    assert_int_equal(owner_of(B), 0);
    assert_status(sys_futex_requeue(SELF, U(A), 0, 0, U(B), UINT32_MAX, 0), ZX_OK);
    assert_null(futex_find(fix.process, U(A).va));
    assert_null(thread[3]->owned_futexes);
    /* Moved threads are woken, time out and die where they are now. */
    assert_status(sys_futex_wake(SELF, U(B), 1), ZX_OK);
    assert_true(!blocked(1) && blocked(2) && blocked(4));
    thread_kill(thread[4]);
    assert_int_equal(futex_find(fix.process, U(B).va)->num_waiters, 1);
    /* Nobody waits at all. */
    assert_status(sys_futex_requeue(SELF, U(A), 1, 0, U(HIGH), 1, me), ZX_OK);
    assert_int_equal(owner_of(HIGH), 0);
    fixture_settle_all();
    stop();
}

static void test_requeue_no_memory(void **state)
{
    (void)state;
    start();
    wait_on(0, A, handle[5], ZX_TIME_INFINITE);
    wait_on(1, A, handle[5], ZX_TIME_INFINITE);
    heap_fail_nth(1);
    assert_status(sys_futex_requeue(SELF, U(A), 1, 0, U(B), 1, 0), ZX_ERR_NO_MEMORY);
    assert_true(blocked(0) && blocked(1));
    assert_int_equal(owner_of(A), koid(5));
    heap_fail_nth(1);
    assert_status(wait_on(2, B, 0, ZX_TIME_INFINITE), ZX_ERR_NO_MEMORY);
    assert_false(blocked(2));
    stop();
}

static void test_no_table(void **state)
{
    (void)state;
    start();
    for (uint64_t n = 1; n <= 3; n++) {
        user_read_u32(fix.process, U(A), &(uint32_t){0});
        heap_fail_nth(n);
        assert_status(wait_on(0, A, 0, ZX_TIME_INFINITE), ZX_ERR_NO_MEMORY);
    }
    heap_fail_nth(0);
    stop();
}

/* Many addresses: the table grows, and shrinks to nothing in use. */
static void test_many(void **state)
{
    enum { MANY = 300 };
    static struct thread *t[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        t[i] = fixture_thread();
        AS(t[i], sys_futex_wait(t[i], U(0x1000 + i * 4), 0, 0, ZX_TIME_INFINITE));
    }
    for (size_t i = 0; i < MANY; i += 2)
        assert_status(sys_futex_wake(SELF, U(0x1000 + i * 4), 1), ZX_OK);
    fixture_settle_all();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(t[i]->state, i & 1 ? THREAD_BLOCKED : THREAD_RUNNABLE);
        end_thread(t[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_errors),  TEST(test_wake_order),        TEST(test_ends),     TEST(test_owner),
        TEST(test_requeue), TEST(test_requeue_no_memory), TEST(test_no_table), TEST(test_many),
    };

    return cmocka_run_group_tests_name("futex", tests, NULL, NULL);
}
