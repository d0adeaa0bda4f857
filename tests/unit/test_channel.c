/*
 * test_channel.c - channels through their system calls: data, the rules about handles, the end of
 * an end.
 */
#include "channel_helpers.h"

/* ---- Data ---------------------------------------------------------------------------------- */

static void test_create(void **state)
{
    zx_handle_t a, b;

    (void)state;
    assert_int_equal(sys_channel_create(SELF, 1, U(OUT0), U(OUT1)), ZX_ERR_INVALID_ARGS);
    assert_int_equal(sys_channel_create(SELF, 0, BAD, U(OUT1)), ZX_ERR_INVALID_ARGS);
    assert_int_equal(sys_channel_create(SELF, 0, U(OUT0), BAD), ZX_ERR_INVALID_ARGS);
    assert_int_equal(fix.process->handles.count, 0);
    make(&a, &b);
    assert_int_equal(handle_find(fix.process, a)->rights, ZX_DEFAULT_CHANNEL_RIGHTS);
    assert_int_equal(signals_of(a), ZX_CHANNEL_WRITABLE);
    assert_ptr_equal(get(a)->peer, get(b));
    assert_int_equal(get(a)->object.ops->related_koid(&get(a)->object), get(b)->object.koid);
}

static void test_order_and_signals(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    assert_int_equal(read_any(b), ZX_ERR_SHOULD_WAIT);
    assert_int_equal(write_text(a, "one"), ZX_OK);
    assert_int_equal(write_text(a, "two"), ZX_OK);
    assert_int_equal(write_text(a, ""), ZX_OK);
    assert_int_equal(signals_of(b), ZX_CHANNEL_WRITABLE | ZX_CHANNEL_READABLE);
    assert_int_equal(signals_of(a), ZX_CHANNEL_WRITABLE);
    expect_text(b, "one");
    expect_text(b, "two");
    assert_int_equal(signals_of(b), ZX_CHANNEL_WRITABLE | ZX_CHANNEL_READABLE);
    expect_text(b, "");
    assert_int_equal(signals_of(b), ZX_CHANNEL_WRITABLE);
}

static void test_limits(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    assert_int_equal(sys_channel_write(SELF, a, 0, U(BYTES), 65537, NONE, 0), ZX_ERR_OUT_OF_RANGE);
    assert_int_equal(sys_channel_write(SELF, a, 0, U(BYTES), 65536, NONE, 0), ZX_OK);
    assert_int_equal(read_any(b), ZX_OK);
    assert_int_equal(u32_at(ACTUAL_BYTES), 65536);
    assert_int_equal(sys_channel_write(SELF, a, 0, BAD, 1, NONE, 0), ZX_ERR_INVALID_ARGS);
    assert_int_equal(sys_channel_write(SELF, a, 0, NONE, 0, BAD, 0), ZX_OK);
    assert_int_equal(read_any(b), ZX_OK);
    assert_int_equal(read_any(b), ZX_ERR_SHOULD_WAIT);
}

static void test_read_too_small(void **state)
{
    zx_handle_t a, b, event = new_event(ZX_DEFAULT_EVENT_RIGHTS);

    (void)state;
    make(&a, &b);
    fixture_poke(HANDLES, &event, sizeof event);
    assert_int_equal(sys_channel_write(SELF, a, 0, U(BYTES), 10, U(HANDLES), 1), ZX_OK);
    assert_int_equal(sys_channel_read(SELF, b, 2, NONE, NONE, 0, 0, NONE, NONE),
                     ZX_ERR_NOT_SUPPORTED);
    assert_int_equal(sys_channel_read(SELF, b, 0, U(BYTES_OUT), U(HANDLES_OUT), 9, 1,
                                      U(ACTUAL_BYTES), U(ACTUAL_HANDLES)),
                     ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(u32_at(ACTUAL_BYTES), 10);
    assert_int_equal(u32_at(ACTUAL_HANDLES), 1);
    assert_int_equal(sys_channel_read(SELF, b, 0, U(BYTES_OUT), U(HANDLES_OUT), 10, 0, NONE, NONE),
                     ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(signals_of(b), ZX_CHANNEL_WRITABLE | ZX_CHANNEL_READABLE);
    assert_int_equal(sys_channel_read(SELF, b, ZX_CHANNEL_READ_MAY_DISCARD, U(BYTES_OUT),
                                      U(HANDLES_OUT), 9, 1, NONE, NONE),
                     ZX_ERR_BUFFER_TOO_SMALL);
    assert_int_equal(read_any(b), ZX_ERR_SHOULD_WAIT);
    assert_int_equal(fix.process->handles.count, 2);
}

/* A bad pointer after the message was taken loses it, handles and all. */
static void test_read_bad_pointers(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    for (int i = 0; i < 4; i++) {
        zx_handle_t event = new_event(ZX_DEFAULT_EVENT_RIGHTS);

        fixture_poke(HANDLES, &event, sizeof event);
        assert_int_equal(sys_channel_write(SELF, a, 0, U(BYTES), 10, U(HANDLES), 1), ZX_OK);
        assert_int_equal(sys_channel_read(SELF, b, 0, i == 0 ? BAD : U(BYTES_OUT),
                                          i == 1 ? BAD : U(HANDLES_OUT), 10, 1, i == 2 ? BAD : NONE,
                                          i == 3 ? BAD : NONE),
                         ZX_ERR_INVALID_ARGS);
        assert_int_equal(read_any(b), ZX_ERR_SHOULD_WAIT);
        assert_int_equal(fix.process->handles.count, 2);
    }
}

static void test_rights(void **state)
{
    zx_handle_t a, b, a_ro, b_wo, event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    struct handle_ref ref;

    (void)state;
    make(&a, &b);
    assert_int_equal(handle_remove(fix.process, a, &ref), ZX_OK);
    ref.rights = ZX_RIGHT_READ;
    assert_int_equal(handle_install(fix.process, ref, &a_ro), ZX_OK);
    assert_int_equal(handle_remove(fix.process, b, &ref), ZX_OK);
    ref.rights = ZX_RIGHT_WRITE;
    assert_int_equal(handle_install(fix.process, ref, &b_wo), ZX_OK);
    assert_int_equal(write_text(a_ro, "x"), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(read_any(b_wo), ZX_ERR_ACCESS_DENIED);
    assert_int_equal(read_any(event), ZX_ERR_WRONG_TYPE);
    assert_int_equal(write_text(event, "x"), ZX_ERR_WRONG_TYPE);
    assert_int_equal(read_any(a), ZX_ERR_BAD_HANDLE);
}

/* ---- Handles in messages -------------------------------------------------------------------- */

static void test_handles_move(void **state)
{
    zx_handle_t a, b, sent[64], got;

    (void)state;
    make(&a, &b);
    for (int i = 0; i < 64; i++)
        sent[i] = new_event(ZX_DEFAULT_EVENT_RIGHTS & ~(i & 1 ? ZX_RIGHT_WAIT : 0));
    assert_int_equal(write_handles(a, sent, 64), ZX_OK);
    assert_int_equal(fix.process->handles.count, 2);
    assert_int_equal(read_any(b), ZX_OK);
    assert_int_equal(u32_at(ACTUAL_HANDLES), 64);
    for (int i = 0; i < 64; i++) {
        got = fixture_handle_at(HANDLES_OUT + (size_t)i * 4);
        assert_int_equal(handle_find(fix.process, got)->rights,
                         ZX_DEFAULT_EVENT_RIGHTS & ~(i & 1 ? ZX_RIGHT_WAIT : 0));
        assert_int_equal(handle_find(fix.process, got)->object->handles, 1);
    }
}

static void test_read_etc(void **state)
{
    zx_handle_t a, b, c, d, sent[2];
    zx_handle_info_t info[2];

    (void)state;
    make(&a, &b);
    make(&c, &d);
    sent[0] = new_event(ZX_RIGHT_TRANSFER);
    sent[1] = c;
    assert_int_equal(write_handles(a, sent, 2), ZX_OK);
    assert_int_equal(sys_channel_read_etc(SELF, b, 0, NONE, U(HANDLES_OUT), 0, 2, U(ACTUAL_BYTES),
                                          U(ACTUAL_HANDLES)),
                     ZX_OK);
    fixture_peek(HANDLES_OUT, info, sizeof info);
    assert_int_equal(info[0].type, ZX_OBJ_TYPE_EVENT);
    assert_int_equal(info[0].rights, ZX_RIGHT_TRANSFER);
    assert_int_equal(info[1].type, ZX_OBJ_TYPE_CHANNEL);
    assert_int_equal(info[1].rights, ZX_DEFAULT_CHANNEL_RIGHTS);
    assert_ptr_equal(get(info[1].handle)->peer, get(d));
    assert_null(get(info[1].handle)->holder);
    assert_true(valid(info[0].handle));
    /* Nothing stays installed if the array cannot be written. */
    assert_int_equal(write_handles(a, &info[0].handle, 1), ZX_OK);
    assert_int_equal(sys_channel_read_etc(SELF, b, 0, NONE, BAD, 0, 1, NONE, NONE),
                     ZX_ERR_INVALID_ARGS);
    assert_int_equal(fix.process->handles.count, 4);
}

/* Every failing write consumes its handles, except when their array cannot be read. */
static void test_write_consumes(void **state)
{
    zx_handle_t a, b, h[65];

    (void)state;
    make(&a, &b);
    for (int i = 0; i < 8; i++) {
        uint32_t n = i == 4 ? 65 : 2;
        zx_status_t expected[8] = {
            ZX_ERR_INVALID_ARGS, ZX_ERR_BAD_HANDLE,   ZX_ERR_WRONG_TYPE, ZX_ERR_OUT_OF_RANGE,
            ZX_ERR_OUT_OF_RANGE, ZX_ERR_INVALID_ARGS, ZX_ERR_BAD_HANDLE, ZX_ERR_ACCESS_DENIED,
        };

        for (uint32_t k = 0; k < n; k++)
            h[k] = new_event(i == 7 && k == 0 ? ZX_RIGHT_WAIT : ZX_DEFAULT_EVENT_RIGHTS);
        if (i == 6)
            close_handle(h[0]);
        fixture_poke(HANDLES, h, n * sizeof h[0]);
        assert_int_equal(sys_channel_write(SELF,
                                           i == 1   ? 3
                                           : i == 2 ? h[0]
                                                    : a,
                                           i == 0, i == 5 ? BAD : U(BYTES), i == 3 ? 65537 : 4,
                                           U(HANDLES), n),
                         expected[i]);
        assert_int_equal(fix.process->handles.count, 2);
    }
    h[0] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    assert_int_equal(sys_channel_write(SELF, a, 0, NONE, 0, BAD, 1), ZX_ERR_INVALID_ARGS);
    assert_true(valid(h[0]));
    h[1] = h[0];
    assert_int_equal(write_handles(a, h, 2), ZX_ERR_BAD_HANDLE); /* the second is gone by then */
    assert_false(valid(h[0]));
    assert_int_equal(read_any(b), ZX_ERR_SHOULD_WAIT);
    close_handle(b);
    h[0] = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    assert_int_equal(write_handles(a, h, 1), ZX_ERR_PEER_CLOSED);
    assert_int_equal(fix.process->handles.count, 1);
}

static void test_write_self(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    assert_int_equal(write_handles(a, &a, 1), ZX_ERR_NOT_SUPPORTED);
    assert_false(valid(a));
    assert_int_equal(signals_of(b), ZX_CHANNEL_PEER_CLOSED);
}

static void test_write_etc(void **state)
{
    zx_handle_t a, b;
    zx_handle_disposition_t d[6], bad;

    (void)state;
    make(&a, &b);
    d[0] = (zx_handle_disposition_t){ZX_HANDLE_OP_MOVE, new_event(ZX_DEFAULT_EVENT_RIGHTS),
                                     ZX_OBJ_TYPE_NONE, ZX_RIGHT_SAME_RIGHTS, 7};
    d[1] = (zx_handle_disposition_t){ZX_HANDLE_OP_DUPLICATE, new_event(ZX_DEFAULT_EVENT_RIGHTS),
                                     ZX_OBJ_TYPE_EVENT, ZX_RIGHT_WAIT, 7};
    fixture_poke(HANDLES, d, 2 * sizeof d[0]);
    assert_int_equal(sys_channel_write_etc(SELF, a, 0, NONE, 0, U(HANDLES), 2), ZX_OK);
    fixture_peek(HANDLES, &bad, sizeof bad);
    assert_int_equal(bad.result, 7); /* not written on success */
    assert_false(valid(d[0].handle));
    assert_true(valid(d[1].handle));
    assert_int_equal(read_any(b), ZX_OK);
    assert_int_equal(handle_find(fix.process, fixture_handle_at(HANDLES_OUT))->rights,
                     ZX_DEFAULT_EVENT_RIGHTS);
    assert_int_equal(handle_find(fix.process, fixture_handle_at(HANDLES_OUT + 4))->rights,
                     ZX_RIGHT_WAIT);

    /* One entry for each error, and one that is fine; the first error is the result. */
    d[0].handle = fixture_handle_at(HANDLES_OUT);
    d[1] = (zx_handle_disposition_t){ZX_HANDLE_OP_MOVE, new_event(ZX_DEFAULT_EVENT_RIGHTS),
                                     ZX_OBJ_TYPE_PORT, ZX_RIGHT_SAME_RIGHTS, 7};
    d[2] = (zx_handle_disposition_t){2, new_event(ZX_DEFAULT_EVENT_RIGHTS), 0, ZX_RIGHT_SAME_RIGHTS,
                                     7};
    d[3] = (zx_handle_disposition_t){ZX_HANDLE_OP_MOVE, new_event(ZX_DEFAULT_EVENT_RIGHTS), 0,
                                     ZX_RIGHT_READ, 7};
    d[4] = (zx_handle_disposition_t){ZX_HANDLE_OP_DUPLICATE, new_event(ZX_RIGHT_TRANSFER), 0,
                                     ZX_RIGHT_SAME_RIGHTS, 7};
    d[5] = (zx_handle_disposition_t){ZX_HANDLE_OP_DUPLICATE, a, 0, ZX_RIGHT_SAME_RIGHTS, 7};
    fixture_poke(HANDLES, d, sizeof d);
    assert_int_equal(sys_channel_write_etc(SELF, a, 0, NONE, 0, U(HANDLES), 6), ZX_ERR_WRONG_TYPE);
    for (int i = 0; i < 6; i++) {
        zx_status_t expected[6] = {ZX_OK,
                                   ZX_ERR_WRONG_TYPE,
                                   ZX_ERR_INVALID_ARGS,
                                   ZX_ERR_INVALID_ARGS,
                                   ZX_ERR_ACCESS_DENIED,
                                   ZX_ERR_NOT_SUPPORTED};

        fixture_peek(HANDLES + (size_t)i * sizeof bad, &bad, sizeof bad);
        assert_int_equal(bad.result, expected[i]);
        assert_int_equal(valid(d[i].handle), d[i].operation != ZX_HANDLE_OP_MOVE);
    }
    /* A call that fails earlier consumes what would have been moved. */
    d[0].handle = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    fixture_poke(HANDLES, d, sizeof d[0]);
    assert_int_equal(sys_channel_write_etc(SELF, a, 1, NONE, 0, U(HANDLES), 1),
                     ZX_ERR_INVALID_ARGS);
    assert_false(valid(d[0].handle));
    assert_int_equal(read_any(b), ZX_ERR_SHOULD_WAIT);
}

/* ---- The end of an end ---------------------------------------------------------------------- */

static void test_peer_closed(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    assert_int_equal(write_text(a, "left"), ZX_OK);
    close_handle(a);
    assert_int_equal(signals_of(b), ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED);
    assert_int_equal(write_text(b, "x"), ZX_ERR_PEER_CLOSED);
    expect_text(b, "left");
    assert_int_equal(signals_of(b), ZX_CHANNEL_PEER_CLOSED);
    assert_int_equal(read_any(b), ZX_ERR_PEER_CLOSED);
}

/* An end whose only handle is in its own queue goes away (zCore kept it for ever). */
static void test_holds_own_peer(void **state)
{
    zx_handle_t a, b;
    size_t before;

    (void)state;
    close_handle(new_event(0)); /* the handle table has its memory now */
    fixture_poke(HANDLES, &a, sizeof a);
    fixture_poke(OUT0, &a, sizeof a);
    before = heap_used();
    make(&a, &b);
    assert_int_equal(write_handles(a, &b, 1), ZX_OK);
    assert_int_equal(signals_of(a), ZX_CHANNEL_PEER_CLOSED);
    close_handle(a);
    assert_int_equal(heap_used(), before);
    /* A call that does so ends at once. */
    make(&a, &b);
    fixture_poke(HANDLES, &b, sizeof b);
    set_args(8, 1, 8, 0);
    assert_int_equal(call(SELF, a, ZX_TIME_INFINITE), ZX_ERR_PEER_CLOSED);
    assert_null(SELF->wait.kind);
}

/* Two ends in each other's queues. */
static void test_circle(void **state)
{
    zx_handle_t a1, b1, a2, b2;

    (void)state;
    make(&a1, &b1);
    make(&a2, &b2);
    assert_int_equal(write_handles(a2, &b1, 1), ZX_OK); /* b1 is in b2's queue */
    assert_int_equal(signals_of(a1), ZX_CHANNEL_WRITABLE);
    assert_int_equal(write_handles(a1, &b2, 1), ZX_OK); /* b2 is in b1's queue */
    assert_int_equal(signals_of(a1), ZX_CHANNEL_PEER_CLOSED);
    assert_int_equal(signals_of(a2), ZX_CHANNEL_PEER_CLOSED);
}

/* A chain of messages that each hold the next channel is torn down without recursion. */
static void test_long_chain(void **state)
{
    zx_handle_t a, b, first, next;

    (void)state;
    make(&first, &b);
    for (int i = 0; i < 50000; i++) {
        make(&a, &next);
        assert_int_equal(write_handles(a, &b, 1), ZX_OK); /* b travels in next's queue */
        close_handle(a);
        b = next;
    }
    close_handle(b);
    assert_int_equal(signals_of(first), ZX_CHANNEL_PEER_CLOSED);
}

static void test_waits_end_on_transfer(void **state)
{
    zx_handle_t a, b, c, d;
    struct thread *other = fixture_thread();

    (void)state;
    make(&a, &b);
    make(&c, &d);
    AS(other,
       sys_object_wait_one(other, c, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, U(ACTUAL_BYTES)));
    assert_int_equal(write_handles(a, &c, 1), ZX_OK);
    fixture_settle_all();
    assert_int_equal(fixture_result(other), ZX_ERR_CANCELED);
    assert_int_equal(u32_at(ACTUAL_BYTES), ZX_CHANNEL_WRITABLE | ZX_SIGNAL_HANDLE_CLOSED);
    end_thread(other);
}

static void test_no_memory(void **state)
{
    zx_handle_t a, b, event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    size_t before;

    (void)state;
    make(&a, &b);
    fixture_poke(BYTES, "x", 1);
    fixture_poke(HANDLES, &event, sizeof event);
    before = heap_used();
    for (uint64_t n = 1; n <= 2; n++) {
        heap_fail_nth(n);
        assert_status(sys_channel_create(SELF, 0, U(OUT0), U(OUT1)), ZX_ERR_NO_MEMORY);
    }
    heap_fail_nth(1);
    assert_status(sys_channel_write(SELF, a, 0, U(BYTES), 1, NONE, 0), ZX_ERR_NO_MEMORY);
    assert_int_equal(heap_used(), before);
    heap_fail_nth(1);
    assert_status(sys_channel_write(SELF, a, 0, U(BYTES), 1, U(HANDLES), 1), ZX_ERR_NO_MEMORY);
    assert_false(valid(event));
    assert_int_equal(read_any(b), ZX_ERR_SHOULD_WAIT);
}

static void test_queue_limit(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(&a, &b);
    for (unsigned i = 0; i < CHANNEL_QUEUE_LIMIT; i++)
        assert_int_equal(write_text(a, "x"), ZX_OK);
    assert_int_equal(fix.process->state, PROCESS_RUNNING);
    assert_int_equal(write_text(a, "x"), ZX_OK);
    assert_int_equal(get(b)->num_messages, CHANNEL_QUEUE_LIMIT + 1);
    assert_int_equal(fix.process->state, PROCESS_RUNNING);
    assert_false(fixture_run(SELF)); /* the exception comes on the way back to user mode */
    assert_int_equal(fix.process->state, PROCESS_DEAD);
    assert_int_equal(fix.process->return_code, ZX_TASK_RETCODE_EXCEPTION_KILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create),
        TEST(test_order_and_signals),
        TEST(test_limits),
        TEST(test_read_too_small),
        TEST(test_read_bad_pointers),
        TEST(test_rights),
        TEST(test_handles_move),
        TEST(test_read_etc),
        TEST(test_write_consumes),
        TEST(test_write_self),
        TEST(test_write_etc),
        TEST(test_peer_closed),
        TEST(test_holds_own_peer),
        TEST(test_circle),
        TEST(test_long_chain),
        TEST(test_waits_end_on_transfer),
        TEST(test_no_memory),
        TEST(test_queue_limit),
    };

    return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
