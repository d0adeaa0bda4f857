/*
 * test_channel_call.c - channel calls with each of their outcomes.
 */
#include "channel_helpers.h"

static int64_t finish(struct thread *thread, zx_time_t deadline)
{
    return AS(thread, sys_channel_call_finish(thread, deadline, U(ARGS), U(ACTUAL_BYTES),
                                              U(ACTUAL_HANDLES)));
}

/* Reads the request that waits at `server`, and returns its transaction id. */
static zx_txid_t take_request(zx_handle_t server)
{
    assert_int_equal(read_any(server), ZX_OK);
    return u32_at(BYTES_OUT);
}

static int answer(zx_handle_t server, zx_txid_t txid, uint32_t num_bytes)
{
    fixture_poke(BYTES, &txid, sizeof txid);
    return (int)sys_channel_write(SELF, server, 0, U(BYTES), num_bytes, NONE, 0);
}

static void test_call(void **state)
{
    struct thread *one = fixture_thread(), *two = fixture_thread();
    zx_handle_t a, b;
    zx_txid_t first, second;
    uint32_t refs;

    (void)state;
    make(&a, &b);
    refs = get(a)->object.refs;
    set_args(8, 0, 16, 0);
    call(one, a, ZX_TIME_INFINITE);
    call(two, a, ZX_TIME_INFINITE);
    assert_int_equal(one->state, THREAD_BLOCKED);
    assert_int_equal(thread_info_state(one), ZX_THREAD_STATE_BLOCKED_CHANNEL);
    first = take_request(b);
    second = take_request(b);
    assert_int_not_equal(first, second);
    assert_true(first & second & ZX_CHANNEL_KERNEL_TXID_BIT);
    /* Answers find their call in any order; other messages are queued. */
    assert_int_equal(write_text(b, "hello"), ZX_OK);
    assert_int_equal(write_text(b, "hi"), ZX_OK);
    assert_int_equal(answer(b, second, 12), ZX_OK);
    assert_int_equal(get(a)->num_messages, 2);
    assert_int_equal(one->state, THREAD_BLOCKED);
    fixture_settle_all();
    assert_int_equal(fixture_result(two), ZX_OK);
    assert_int_equal(u32_at(ACTUAL_BYTES), 12);
    assert_int_equal(u32_at(BYTES_OUT), second);
    assert_int_equal(answer(b, first, 4), ZX_OK);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_OK);
    assert_int_equal(u32_at(ACTUAL_BYTES), 4);
    /* An answer that comes twice is a message like any other. */
    assert_int_equal(answer(b, first, 4), ZX_OK);
    assert_int_equal(get(a)->num_messages, 3);
    assert_int_equal(get(a)->object.refs, refs);
    end_thread(one);
    end_thread(two);
}

static void test_call_errors(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b, event = new_event(ZX_DEFAULT_EVENT_RIGHTS);

    (void)state;
    make(&a, &b);
    fixture_poke(HANDLES, &event, sizeof event);
    set_args(8, 1, 16, 0);
    assert_int_equal(sys_channel_call_noretry(SELF, a, 0, 0, BAD, U(0), U(0)), ZX_ERR_INVALID_ARGS);
    assert_true(valid(event));
    assert_int_equal(sys_channel_call_noretry(SELF, a, 1, 0, U(ARGS), U(0), U(0)),
                     ZX_ERR_INVALID_ARGS);
    assert_false(valid(event));
    event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    fixture_poke(HANDLES, &event, sizeof event);
    set_args(3, 1, 16, 0);
    assert_int_equal(call(SELF, a, 0), ZX_ERR_INVALID_ARGS);
    assert_false(valid(event));
    set_args(8, 0, 16, 0);
    assert_int_equal(call(SELF, 3, 0), ZX_ERR_BAD_HANDLE);
    assert_int_equal(finish(SELF, 0), ZX_ERR_BAD_STATE);
    /* actual_* are not optional: the answer is lost. */
    AS(one,
       sys_channel_call_noretry(one, a, 0, ZX_TIME_INFINITE, U(ARGS), NONE, U(ACTUAL_HANDLES)));
    assert_int_equal(answer(b, take_request(b), 4), ZX_OK);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_ERR_INVALID_ARGS);
    close_handle(b);
    assert_int_equal(call(SELF, a, ZX_TIME_INFINITE), ZX_ERR_PEER_CLOSED);
    assert_null(SELF->wait.kind);
    assert_int_equal(SELF->wait.call.state, CALL_NONE);
    end_thread(one);
}

static void test_call_deadline(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b;
    zx_txid_t txid;

    (void)state;
    make(&a, &b);
    set_args(8, 0, 16, 0);
    call(one, a, hal_now() + 100);
    fixture_advance(99);
    assert_int_equal(one->state, THREAD_BLOCKED);
    fixture_advance(1);
    /* An answer between the deadline and the thread's turn is too late and is queued. */
    txid = take_request(b);
    assert_int_equal(answer(b, txid, 8), ZX_OK);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_ERR_TIMED_OUT);
    assert_int_equal(get(a)->num_messages, 1);
    /* A deadline that has passed still sends. */
    call(one, a, 0);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_ERR_TIMED_OUT);
    take_request(b);
    assert_int_equal(one->wait.call.state, CALL_NONE);
    end_thread(one);
}

static void test_call_too_small(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b, event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    zx_txid_t txid;

    (void)state;
    make(&a, &b);
    set_args(8, 0, 7, 1);
    call(one, a, ZX_TIME_INFINITE);
    txid = take_request(b);
    fixture_poke(BYTES, &txid, sizeof txid);
    fixture_poke(HANDLES, &event, sizeof event);
    assert_int_equal(sys_channel_write(SELF, b, 0, U(BYTES), 8, U(HANDLES), 1), ZX_OK);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(read_any(a), ZX_ERR_SHOULD_WAIT);
    assert_int_equal(fix.process->handles.count, 2);
    end_thread(one);
}

static void test_call_handles(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b, event = new_event(ZX_DEFAULT_EVENT_RIGHTS), got;
    zx_txid_t txid;

    (void)state;
    make(&a, &b);
    fixture_poke(HANDLES, &event, sizeof event);
    set_args(8, 1, 8, 1);
    call(one, a, ZX_TIME_INFINITE);
    txid = take_request(b);
    got = fixture_handle_at(HANDLES_OUT);
    fixture_poke(BYTES, &txid, sizeof txid);
    fixture_poke(HANDLES, &got, sizeof got);
    assert_int_equal(sys_channel_write(SELF, b, 0, U(BYTES), 4, U(HANDLES), 1), ZX_OK);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_OK);
    assert_int_equal(u32_at(ACTUAL_HANDLES), 1);
    assert_true(valid(fixture_handle_at(HANDLES_OUT)));
    end_thread(one);
}

static void test_call_peer_closes(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    set_args(8, 0, 16, 0);
    call(one, a, ZX_TIME_INFINITE);
    close_handle(b);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_ERR_PEER_CLOSED);
    assert_int_equal(signals_of(a), ZX_CHANNEL_PEER_CLOSED);
    end_thread(one);
}

static void test_call_handle_closes(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    set_args(8, 0, 16, 0);
    call(one, a, ZX_TIME_INFINITE);
    close_handle(a);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_ERR_CANCELED);
    end_thread(one);
}

/* The handle may move on during the call; the answer still comes. */
static void test_call_handle_transferred(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b, c, d;

    (void)state;
    make(&a, &b);
    make(&c, &d);
    set_args(8, 0, 16, 0);
    call(one, a, ZX_TIME_INFINITE);
    assert_int_equal(write_handles(c, &a, 1), ZX_OK);
    assert_int_equal(answer(b, take_request(b), 8), ZX_OK);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_OK);
    end_thread(one);
}

static void test_call_killed(void **state)
{
    struct thread *one = fixture_thread(), *two = fixture_thread();
    zx_handle_t a, b;
    zx_txid_t txid;

    (void)state;
    make(&a, &b);
    set_args(8, 0, 16, 0);
    call(one, a, ZX_TIME_INFINITE);
    call(two, a, ZX_TIME_INFINITE);
    thread_kill(one);
    assert_int_equal(one->wait.call.state, CALL_NONE);
    take_request(b);
    txid = take_request(b);
    assert_int_equal(answer(b, txid, 8), ZX_OK);
    thread_kill(two); /* after the answer was granted: it is freed, not leaked */
    fixture_settle_all();
    assert_int_equal(one->state, THREAD_DEAD);
    assert_int_equal(two->state, THREAD_DEAD);
    assert_int_equal(get(a)->object.refs, 1);
    end_thread(one);
    end_thread(two);
}

/* Suspend a thread in a call and let it see its result. */
static void interrupt(struct thread *thread)
{
    thread_suspend(thread);
    fixture_settle_all();
    assert_int_equal(fixture_result(thread), ZX_ERR_INTERNAL_INTR_RETRY);
    assert_int_equal(thread->wait.call.state, CALL_INTERRUPTED);
}

static void resume(struct thread *thread)
{
    thread_resume(thread);
    fixture_settle_all();
}

static void test_call_interrupted(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b;
    zx_txid_t txid;

    (void)state;
    make(&a, &b);
    set_args(8, 0, 16, 0);
    /* The answer comes while the thread is away. */
    call(one, a, ZX_TIME_INFINITE);
    interrupt(one);
    txid = take_request(b);
    assert_int_equal(answer(b, txid, 8), ZX_OK);
    assert_int_equal(get(a)->num_messages, 0);
    resume(one);
    assert_int_equal(finish(one, 0), ZX_OK);
    assert_int_equal(u32_at(ACTUAL_BYTES), 8);
    assert_int_equal(finish(one, 0), ZX_ERR_BAD_STATE);
    /* The answer comes after it is back, after another interruption. */
    call(one, a, ZX_TIME_INFINITE);
    interrupt(one);
    resume(one);
    finish(one, ZX_TIME_INFINITE);
    interrupt(one);
    resume(one);
    finish(one, ZX_TIME_INFINITE);
    assert_int_equal(one->state, THREAD_BLOCKED);
    assert_int_equal(answer(b, take_request(b), 8), ZX_OK);
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_OK);
    /* The deadline passes. */
    call(one, a, hal_now() + 100);
    interrupt(one);
    fixture_advance(100);
    resume(one);
    finish(one, hal_now());
    fixture_settle_all();
    assert_int_equal(fixture_result(one), ZX_ERR_TIMED_OUT);
    assert_int_equal(one->wait.call.state, CALL_NONE);
    /* The peer closes. */
    call(one, a, ZX_TIME_INFINITE);
    interrupt(one);
    close_handle(b);
    resume(one);
    assert_int_equal(finish(one, ZX_TIME_INFINITE), ZX_ERR_PEER_CLOSED);
    end_thread(one);
}

/* A thread may end with a call open or answered. */
static void test_call_interrupted_exit(void **state)
{
    struct thread *one = fixture_thread(), *two = fixture_thread();
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    set_args(8, 0, 16, 0);
    call(one, a, ZX_TIME_INFINITE);
    interrupt(one);
    call(two, a, ZX_TIME_INFINITE);
    interrupt(two);
    assert_int_equal(answer(b, take_request(b), 8), ZX_OK);
    thread_kill(one);
    thread_kill(two);
    fixture_settle_all();
    assert_int_equal(get(a)->object.refs, 1);
    assert_true(TAILQ_EMPTY(&get(a)->calls));
    end_thread(one);
    end_thread(two);
}

/* The interrupted call must be finished before the next one. */
static void test_call_twice(void **state)
{
    struct thread *one = fixture_thread();
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    set_args(8, 0, 16, 0);
    call(one, a, ZX_TIME_INFINITE);
    interrupt(one);
    resume(one);
    assert_int_equal(call(one, a, ZX_TIME_INFINITE), ZX_ERR_BAD_STATE);
    assert_int_equal(fix.process->return_code, ZX_TASK_RETCODE_VDSO_KILL);
    fixture_settle_all();
    end_thread(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_call),
        TEST(test_call_errors),
        TEST(test_call_deadline),
        TEST(test_call_too_small),
        TEST(test_call_handles),
        TEST(test_call_peer_closes),
        TEST(test_call_handle_closes),
        TEST(test_call_handle_transferred),
        TEST(test_call_killed),
        TEST(test_call_interrupted),
        TEST(test_call_interrupted_exit),
        TEST(test_call_twice),
    };

    return cmocka_run_group_tests_name("channel_call", tests, NULL, NULL);
}
