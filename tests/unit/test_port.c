/*
 * test_port.c - ports: packets, waiters with each way to end, registrations, cancelling; and
 * timers, which are mostly seen through ports.
 */
#include "helpers.h"

#include <zircon/clock.h>
#include <zircon/ipc.h>

#include "channel.h"
#include "port.h"
#include "timer.h"

enum { OUT0 = 0, OUT1 = 8, PACKET = 64, PACKET_OUT = 128, INFO = 192 };

static zx_handle_t new_port(void)
{
    assert_status(sys_port_create(SELF, 0, U(OUT0)), ZX_OK);
    return fixture_handle_at(OUT0);
}

static struct port *port_of(zx_handle_t handle)
{
    return container_of(object_of(handle), struct port, object);
}

static int64_t queue(zx_handle_t port, uint64_t key)
{
    zx_port_packet_t packet = {.key = key, .type = 99, .status = -5, .user.u64 = {key, 2, 3, 4}};

    fixture_poke(PACKET, &packet, sizeof packet);
    return sys_port_queue(SELF, port, U(PACKET));
}

static int64_t wait_as(struct thread *thread, zx_handle_t port, zx_time_t deadline)
{
    return AS(thread, sys_port_wait(thread, port, deadline, U(PACKET_OUT)));
}

static int64_t poll(zx_handle_t port)
{
    return wait_as(SELF, port, 0);
}

static zx_port_packet_t got(void)
{
    zx_port_packet_t packet;

    fixture_peek(PACKET_OUT, &packet, sizeof packet);
    return packet;
}

static void set(zx_handle_t handle, zx_signals_t signals)
{
    assert_status(sys_object_signal(SELF, handle, 0, signals), ZX_OK);
}

static int64_t async(zx_handle_t handle, zx_handle_t port, uint64_t key, zx_signals_t signals)
{
    return sys_object_wait_async(SELF, handle, port, key, signals, 0);
}

/* ---- Packets ------------------------------------------------------------------------------- */

static void test_errors(void **state)
{
    zx_handle_t port = new_port(), event = new_event(ZX_DEFAULT_EVENT_RIGHTS);

    (void)state;
    assert_status(sys_port_create(SELF, 2, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_port_create(SELF, ZX_PORT_BIND_TO_INTERRUPT, U(OUT0)), ZX_OK);
    assert_status(queue(event, 1), ZX_ERR_WRONG_TYPE);
    assert_status(sys_port_queue(SELF, port, BAD), ZX_ERR_INVALID_ARGS);
    assert_status(poll(event), ZX_ERR_WRONG_TYPE);
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
    port = with_rights(port, ZX_RIGHT_READ);
    assert_status(queue(port, 1), ZX_ERR_ACCESS_DENIED);
    assert_status(async(event, port, 1, 8), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_port_cancel(SELF, port, event, 1), ZX_ERR_ACCESS_DENIED);
    port = with_rights(port, ZX_RIGHT_WRITE);
    assert_status(poll(port), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_object_wait_async(SELF, event, port, 1, 8, 2), ZX_ERR_INVALID_ARGS);
    assert_status(async(3, port, 1, 8), ZX_ERR_BAD_HANDLE);
    assert_status(async(port, port, 1, 8), ZX_ERR_ACCESS_DENIED);
    assert_status(async(with_rights(new_port(), ZX_RIGHT_WAIT), port, 1, 8), ZX_ERR_NOT_SUPPORTED);
    assert_status(sys_port_cancel(SELF, port, event, 1), ZX_ERR_NOT_FOUND);
    assert_status(sys_port_cancel(SELF, port, new_event(0), 1), ZX_ERR_ACCESS_DENIED);
}

static void test_order(void **state)
{
    zx_handle_t port = new_port();
    zx_port_packet_t packet;

    (void)state;
    for (uint64_t i = 0; i < 10; i++)
        assert_status(queue(port, i), ZX_OK);
    for (uint64_t i = 0; i < 10; i++) {
        assert_status(poll(port), ZX_OK);
        packet = got();
        assert_int_equal(packet.key, i);
        assert_int_equal(packet.type, ZX_PKT_TYPE_USER);
        assert_int_equal(packet.status, -5);
        assert_int_equal(packet.user.u64[3], 4);
    }
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
    /* A bad pointer loses the packet. */
    assert_status(queue(port, 1), ZX_OK);
    assert_status(sys_port_wait(SELF, port, 0, BAD), ZX_ERR_INVALID_ARGS);
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
    assert_status(queue(port, 1), ZX_OK);
    assert_status(sys_port_wait(SELF, port, 0, NONE), ZX_OK);
}

static void test_limit(void **state)
{
    zx_handle_t port = new_port(), event = new_event(ZX_DEFAULT_EVENT_RIGHTS);

    (void)state;
    for (uint32_t i = 0; i < ZX_PORT_PACKET_LIMIT; i++)
        assert_status(queue(port, i), ZX_OK);
    assert_status(queue(port, 0), ZX_ERR_SHOULD_WAIT);
    set(event, ZX_EVENT_SIGNALED);
    assert_status(async(event, port, 7, ZX_EVENT_SIGNALED), ZX_OK); /* does not count */
    assert_status(poll(port), ZX_OK);
    assert_status(queue(port, 0), ZX_OK);
    assert_status(queue(port, 0), ZX_ERR_SHOULD_WAIT);
    /* The rest is freed with the port. */
}

static void test_no_memory(void **state)
{
    zx_handle_t port = new_port(), event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    size_t before;

    (void)state;
    assert_status(queue(port, 0), ZX_OK);
    assert_status(poll(port), ZX_OK);
    before = heap_used();
    heap_fail_nth(1);
    assert_status(sys_port_create(SELF, 0, U(OUT0)), ZX_ERR_NO_MEMORY);
    heap_fail_nth(1);
    assert_status(sys_port_queue(SELF, port, U(PACKET)), ZX_ERR_NO_MEMORY);
    heap_fail_nth(1);
    assert_status(async(event, port, 0, 8), ZX_ERR_NO_MEMORY);
    assert_int_equal(heap_used(), before);
    assert_int_equal(object_of(event)->refs, 1);
}

/* ---- Waiters ------------------------------------------------------------------------------- */

static void test_waiters(void **state)
{
    zx_handle_t port = new_port();
    struct thread *one = fixture_thread(), *two = fixture_thread(), *three = fixture_thread();
    uint32_t refs = port_of(port)->object.refs;

    (void)state;
    wait_as(one, port, ZX_TIME_INFINITE);
    wait_as(two, port, hal_now() + 10);
    wait_as(three, port, ZX_TIME_INFINITE);
    assert_int_equal(thread_info_state(one), ZX_THREAD_STATE_BLOCKED_PORT);
    assert_status(queue(port, 1), ZX_OK);
    /* Granted: what happens to the thread now does not lose the packet. */
    thread_suspend(one);
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
    fixture_settle_all();
    assert_status(fixture_result(one), ZX_OK);
    assert_int_equal(got().key, 1);
    thread_resume(one);

    fixture_advance(10);
    assert_status(queue(port, 2), ZX_OK); /* two is out of the queue: it goes to three */
    fixture_settle_all();
    assert_status(fixture_result(two), ZX_ERR_TIMED_OUT);
    assert_status(fixture_result(three), ZX_OK);
    assert_int_equal(got().key, 2);

    wait_as(two, port, ZX_TIME_INFINITE);
    wait_as(three, port, ZX_TIME_INFINITE);
    thread_suspend(two);
    thread_kill(three);
    assert_status(queue(port, 3), ZX_OK);
    fixture_settle_all();
    assert_status(fixture_result(two), ZX_ERR_INTERNAL_INTR_RETRY);
    assert_status(poll(port), ZX_OK);
    assert_int_equal(got().key, 3);
    assert_int_equal(port_of(port)->object.refs, refs);
    thread_resume(two);
    fixture_settle_all();

    /* Closing the port does not end the wait; the deadline does. */
    wait_as(two, port, hal_now() + 5);
    close_handle(port);
    fixture_settle_all();
    assert_int_equal(two->state, THREAD_BLOCKED);
    fixture_advance(5);
    fixture_settle_all();
    assert_status(fixture_result(two), ZX_ERR_TIMED_OUT);
    end_thread(one);
    end_thread(two);
    end_thread(three);
}

/* ---- Registrations ------------------------------------------------------------------------- */

static void test_async(void **state)
{
    zx_handle_t port = new_port(), event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    zx_port_packet_t packet = {0};
    size_t before;

    (void)state;
    fixture_poke(PACKET_OUT, &packet, sizeof packet);
    before = heap_used();
    assert_status(async(event, port, 5, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0), ZX_OK);
    assert_status(async(event, port, 6, ZX_EVENT_SIGNALED), ZX_OK);
    assert_status(async(event, port, 6, ZX_EVENT_SIGNALED), ZX_OK); /* the same again counts */
    assert_status(async(event, port, 8, 0), ZX_OK);                 /* never fires */
    set(event, ZX_USER_SIGNAL_0);
    set(event, ZX_EVENT_SIGNALED);
    assert_status(poll(port), ZX_OK);
    packet = got();
    assert_int_equal(packet.key, 5);
    assert_int_equal(packet.type, ZX_PKT_TYPE_SIGNAL_ONE);
    assert_int_equal(packet.status, ZX_OK);
    assert_int_equal(packet.signal.trigger, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0);
    assert_int_equal(packet.signal.observed, ZX_USER_SIGNAL_0);
    assert_int_equal(packet.signal.count, 1);
    assert_int_equal(packet.signal.timestamp, 0);
    assert_status(poll(port), ZX_OK);
    assert_status(poll(port), ZX_OK);
    packet = got();
    assert_int_equal(packet.key, 6);
    assert_int_equal(packet.signal.observed, ZX_USER_SIGNAL_0 | ZX_EVENT_SIGNALED);
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
    set(event, ZX_EVENT_SIGNALED); /* once only */
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
    /* True already, with the time. */
    assert_status(
        sys_object_wait_async(SELF, event, port, 9, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_TIMESTAMP),
        ZX_OK);
    fixture_advance(1000);
    assert_status(poll(port), ZX_OK);
    assert_int_equal(got().signal.timestamp, hal_now() - 1000);
    /* Closing the handle removes what has not fired. */
    close_handle(event);
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
    event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    assert_int_equal(heap_used(), before);
}

/* Packets that are queued stay when their source goes. */
static void test_async_source_closes(void **state)
{
    zx_handle_t port = new_port(), a, b;

    (void)state;
    assert_status(sys_channel_create(SELF, 0, U(OUT0), U(OUT1)), ZX_OK);
    a = fixture_handle_at(OUT0);
    b = fixture_handle_at(OUT1);
    assert_status(async(b, port, 1, ZX_CHANNEL_PEER_CLOSED), ZX_OK);
    assert_status(async(a, port, 2, ZX_CHANNEL_PEER_CLOSED), ZX_OK);
    close_handle(a);
    close_handle(b);
    assert_status(poll(port), ZX_OK);
    assert_int_equal(got().key, 1);
    assert_int_equal(got().signal.observed, ZX_CHANNEL_PEER_CLOSED);
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
}

static void test_async_count(void **state)
{
    zx_handle_t port = new_port(), a, b;

    (void)state;
    assert_status(sys_channel_create(SELF, 0, U(OUT0), U(OUT1)), ZX_OK);
    a = fixture_handle_at(OUT0);
    b = fixture_handle_at(OUT1);
    for (int i = 0; i < 3; i++)
        assert_status(sys_channel_write(SELF, a, 0, NONE, 0, NONE, 0), ZX_OK);
    assert_status(async(b, port, 1, ZX_CHANNEL_READABLE), ZX_OK);
    assert_status(poll(port), ZX_OK);
    assert_int_equal(got().signal.count, 3);
    assert_status(async(b, port, 1, ZX_CHANNEL_WRITABLE), ZX_OK);
    assert_status(poll(port), ZX_OK);
    assert_int_equal(got().signal.count, 1);
}

static void test_async_wakes(void **state)
{
    zx_handle_t port = new_port(), event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    struct thread *thread = fixture_thread();
    size_t before;

    (void)state;
    wait_as(thread, port, ZX_TIME_INFINITE);
    before = heap_used();
    assert_status(async(event, port, 5, ZX_EVENT_SIGNALED), ZX_OK);
    set(event, ZX_EVENT_SIGNALED);
    assert_int_equal(heap_used(), before); /* granted and freed in one step */
    fixture_settle_all();
    assert_status(fixture_result(thread), ZX_OK);
    assert_int_equal(got().key, 5);
    end_thread(thread);
}

static void test_cancel(void **state)
{
    zx_handle_t port = new_port(), event = new_event(ZX_DEFAULT_EVENT_RIGHTS), twin;
    struct handle *slot;

    (void)state;
    assert_status(handle_create(fix.process, object_of(event), ZX_RIGHT_WAIT, &twin), ZX_OK);
    for (int i = 0; i < 3; i++)
        assert_status(async(event, port, 1, ZX_EVENT_SIGNALED), ZX_OK);
    assert_status(async(event, port, 2, ZX_EVENT_SIGNALED), ZX_OK);
    assert_status(async(twin, port, 1, ZX_EVENT_SIGNALED), ZX_OK);
    assert_status(queue(port, 1), ZX_OK); /* a user packet is no registration */
    assert_status(sys_port_cancel(SELF, port, event, 3), ZX_ERR_NOT_FOUND);
    assert_status(sys_port_cancel(SELF, port, event, 1), ZX_OK);
    assert_status(sys_port_cancel(SELF, port, event, 1), ZX_ERR_NOT_FOUND);
    set(event, ZX_EVENT_SIGNALED);
    assert_status(sys_port_cancel(SELF, port, twin, 1), ZX_OK); /* queued by now */
    assert_status(poll(port), ZX_OK);
    assert_int_equal(got().type, ZX_PKT_TYPE_USER);
    assert_status(poll(port), ZX_OK);
    assert_int_equal(got().key, 2);
    assert_status(poll(port), ZX_ERR_TIMED_OUT);
    /* Another use of the same slot is another source. */
    assert_status(async(twin, port, 4, ZX_EVENT_SIGNALED), ZX_OK);
    slot = handle_find(fix.process, twin);
    slot->generation ^= 1;
    assert_status(port_cancel(port_of(port), object_of(event), slot, 4), ZX_ERR_NOT_FOUND);
    slot->generation ^= 1;
}

static void test_port_closes(void **state)
{
    zx_handle_t port = new_port(), event = new_event(ZX_DEFAULT_EVENT_RIGHTS);
    size_t before;

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_status(async(event, port, 1, i & 1 ? ZX_EVENT_SIGNALED : ZX_USER_SIGNAL_0), ZX_OK);
    set(event, ZX_EVENT_SIGNALED);
    close_handle(port);
    assert_true(TAILQ_EMPTY(&object_of(event)->observers));
    assert_int_equal(handle_find(fix.process, event)->observers, 0);
    before = heap_used();
    port = new_port();
    assert_status(async(event, port, 1, ZX_EVENT_SIGNALED), ZX_OK);
    close_handle(port);
    assert_int_equal(heap_used(), before);
}

/* ---- Packets that their owner embeds --------------------------------------------------------- */

static int done_calls;

static void count_done(struct port_packet *packet)
{
    (void)packet;
    done_calls++;
}

static void test_embedded(void **state)
{
    zx_handle_t handle = new_port();
    struct port *port = port_of(handle);
    struct port_packet page = {.data = {.key = 1, .type = ZX_PKT_TYPE_PAGE_REQUEST}};
    struct port_packet irq = {.data = {.key = 2, .type = ZX_PKT_TYPE_INTERRUPT}};

    (void)state;
    page.done = irq.done = count_done;
    done_calls = 0;
    assert_status(port_queue(port, &page), ZX_OK);
    assert_status(port_queue(port, &irq), ZX_OK);
    assert_status(poll(handle), ZX_OK);
    assert_int_equal(got().key, 2); /* interrupts first */
    assert_int_equal(done_calls, 1);
    assert_true(port_unqueue(&page));
    assert_false(port_unqueue(&page));
    assert_int_equal(done_calls, 1);
    assert_status(port_queue(port, &irq), ZX_OK);
    object_ref(&port->object);
    close_handle(handle);
    assert_int_equal(done_calls, 2);
    assert_status(port_queue(port, &irq), ZX_ERR_BAD_STATE);
    object_release(&port->object);
}

/* ---- Timers -------------------------------------------------------------------------------- */

static zx_info_timer_t timer_info(zx_handle_t timer)
{
    zx_info_timer_t info = {0};

    object_of(timer)->ops->get_info(object_of(timer), &info);
    return info;
}

static void test_timer(void **state)
{
    zx_handle_t timer, port = new_port();

    (void)state;
    assert_status(sys_timer_create(SELF, 0, ZX_CLOCK_UTC, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_timer_create(SELF, 3, ZX_CLOCK_MONOTONIC, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_timer_create(SELF, ZX_TIMER_SLACK_LATE, 0, U(OUT0)), ZX_OK);
    timer = fixture_handle_at(OUT0);
    assert_status(sys_timer_set(SELF, timer, 1, -1), ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_timer_set(SELF, timer, hal_now() + 100, 7), ZX_OK);
    assert_int_equal(timer_info(timer).deadline, hal_now() + 100);
    assert_int_equal(timer_info(timer).slack, 7);
    assert_int_equal(timer_info(timer).options, ZX_TIMER_SLACK_LATE);
    assert_status(async(timer, port, 1, ZX_TIMER_SIGNALED), ZX_OK);
    fixture_advance(99);
    assert_int_equal(signals_of(timer), 0);
    fixture_advance(1);
    assert_int_equal(signals_of(timer), ZX_TIMER_SIGNALED);
    assert_int_equal(timer_info(timer).deadline, 0);
    assert_int_equal(timer_info(timer).slack, 0);
    assert_status(poll(port), ZX_OK);
    /* Setting it again clears the signal; only the last deadline counts. */
    assert_status(sys_timer_set(SELF, timer, hal_now() + 10, 0), ZX_OK);
    assert_int_equal(signals_of(timer), 0);
    assert_status(sys_timer_set(SELF, timer, hal_now() + 20, 0), ZX_OK);
    fixture_advance(15);
    assert_int_equal(signals_of(timer), 0);
    assert_status(sys_timer_cancel(SELF, timer), ZX_OK);
    fixture_advance(15);
    assert_int_equal(signals_of(timer), 0);
    assert_status(sys_timer_set(SELF, timer, 0, 0), ZX_OK);
    assert_int_equal(signals_of(timer), ZX_TIMER_SIGNALED);
    assert_status(sys_timer_cancel(SELF, timer), ZX_OK);
    assert_int_equal(signals_of(timer), 0);
    assert_status(sys_timer_set(SELF, timer, ZX_TIME_INFINITE, 3), ZX_OK);
    assert_int_equal(timer_info(timer).deadline, ZX_TIME_INFINITE);
    assert_status(sys_timer_set(SELF, timer, hal_now(), 3), ZX_OK);
    assert_int_equal(signals_of(timer), ZX_TIMER_SIGNALED);
    /* An armed timer can be closed. */
    assert_status(sys_timer_set(SELF, timer, hal_now() + 1, 0), ZX_OK);
    close_handle(timer);
    assert_int_equal(timerq_next(&fix.cpu.timers), ZX_TIME_INFINITE);
    heap_fail_nth(1);
    assert_status(sys_timer_create(SELF, 0, 0, U(OUT0)), ZX_ERR_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_errors),
        TEST(test_order),
        TEST(test_limit),
        TEST(test_no_memory),
        TEST(test_waiters),
        TEST(test_async),
        TEST(test_async_source_closes),
        TEST(test_async_count),
        TEST(test_async_wakes),
        TEST(test_cancel),
        TEST(test_port_closes),
        TEST(test_embedded),
        TEST(test_timer),
    };

    return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
