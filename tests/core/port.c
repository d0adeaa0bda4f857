/*
 * Ports: queued packets, asynchronous waits, cancelling.
 */
#include "test.h"

#include <threads.h>

#define PACKETS_MAX 2048

static zx_handle_t make_port(void)
{
    zx_handle_t port;

    ASSERT_OK(zx_port_create(0, &port));
    return port;
}

static zx_handle_t make_event(void)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    return event;
}

/* Takes a packet that is there; its key, or ~0 if there is none. */
static uint64_t take_key(zx_handle_t port)
{
    zx_port_packet_t packet;

    return zx_port_wait(port, 0, &packet) == ZX_OK ? packet.key : ~0ull;
}

TEST(Port, Create)
{
    zx_handle_t port = make_port();

    EXPECT_EQ(basic_info(port).type, ZX_OBJ_TYPE_PORT);
    EXPECT_EQ(basic_info(port).rights, ZX_DEFAULT_PORT_RIGHTS);
    CLOSE(port);
    EXPECT_STATUS(zx_port_create(2, &port), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_port_create(0, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(Port, QueueAndWait)
{
    zx_handle_t port = make_port();
    zx_port_packet_t out = {.key = 77, .type = 5, .status = -3, .user = {.u64 = {1, 2, 3, 4}}};
    zx_port_packet_t in;

    memset(&in, 0x55, sizeof(in));
    ASSERT_OK(zx_port_queue(port, &out));
    ASSERT_OK(zx_port_wait(port, soon(), &in));
    EXPECT_EQ(in.key, 77);
    EXPECT_EQ(in.type, ZX_PKT_TYPE_USER);
    EXPECT_EQ(in.status, -3);
    EXPECT_EQ(memcmp(&in.user, &out.user, sizeof(in.user)), 0);
    CLOSE(port);
}

TEST(Port, PacketsKeepTheirOrder)
{
    zx_handle_t port = make_port();

    for (uint64_t i = 0; i < 20; i++) {
        zx_port_packet_t packet = {.key = i};
        ASSERT_OK(zx_port_queue(port, &packet));
    }
    for (uint64_t i = 0; i < 20; i++)
        EXPECT_EQ(take_key(port), i);
    EXPECT_STATUS(zx_port_wait(port, 0, NULL), ZX_ERR_TIMED_OUT);
    CLOSE(port);
}

TEST(Port, WaitTimesOut)
{
    zx_handle_t port = make_port();
    zx_time_t deadline = zx_deadline_after(MS(5));
    zx_port_packet_t packet;

    EXPECT_STATUS(zx_port_wait(port, deadline, &packet), ZX_ERR_TIMED_OUT);
    EXPECT_TRUE(zx_clock_get_monotonic() >= deadline);
    CLOSE(port);
}

TEST(Port, WaitWithoutAPacket)
{
    zx_handle_t port = make_port();
    zx_port_packet_t packet = {.key = 1};

    ASSERT_OK(zx_port_queue(port, &packet));
    EXPECT_OK(zx_port_wait(port, 0, NULL));
    EXPECT_STATUS(zx_port_wait(port, 0, NULL), ZX_ERR_TIMED_OUT);
    CLOSE(port);
}

TEST(Port, BadArguments)
{
    zx_handle_t port = make_port(), event = make_event(), weak;
    zx_port_packet_t packet = {.key = 1};

    EXPECT_STATUS(zx_port_queue(closed_handle(), &packet), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_port_queue(event, &packet), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_port_queue(port, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_port_wait(event, 0, &packet), ZX_ERR_WRONG_TYPE);
    weak = without_rights(port, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_port_queue(weak, &packet), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_port_wait(weak, 0, &packet), ZX_ERR_TIMED_OUT);
    CLOSE(weak);
    weak = without_rights(port, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_port_wait(weak, 0, &packet), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(event);
    CLOSE(port);
}

TEST(Port, WaitIntoABadPointerLosesThePacket)
{
    zx_handle_t port = make_port();
    zx_port_packet_t packet = {.key = 1};

    ASSERT_OK(zx_port_queue(port, &packet));
    EXPECT_STATUS(zx_port_wait(port, 0, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    CLOSE(port);
}

TEST(Port, Full)
{
    zx_handle_t port = make_port(), event = make_event();
    zx_port_packet_t packet = {.key = 1};

    for (int i = 0; i < PACKETS_MAX; i++)
        ASSERT_OK(zx_port_queue(port, &packet));
    EXPECT_STATUS(zx_port_queue(port, &packet), ZX_ERR_SHOULD_WAIT);
    /* Packets of asynchronous waits are not counted. */
    ASSERT_OK(zx_object_wait_async(event, port, 2, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_EQ(take_key(port), 1);
    EXPECT_OK(zx_port_queue(port, &packet));
    CLOSE(event);
    CLOSE(port);
}

static int queue_later(void *argument)
{
    zx_handle_t *handles = argument; /* the thread that waits, the port */
    zx_port_packet_t packet = {.key = 42};

    EXPECT_TRUE(wait_until_blocked(handles[0], ZX_THREAD_STATE_BLOCKED_PORT));
    EXPECT_OK(zx_port_queue(handles[1], &packet));
    return 0;
}

TEST(Port, WaiterIsWoken)
{
    zx_handle_t port = make_port(), handles[] = {zx_thread_self(), port};
    zx_port_packet_t packet;
    thrd_t thread;

    ASSERT_EQ(thrd_create(&thread, queue_later, handles), thrd_success);
    EXPECT_OK(zx_port_wait(port, soon(), &packet));
    EXPECT_EQ(packet.key, 42);
    thrd_join(thread, NULL);
    CLOSE(port);
}

#define WAITERS 6

static int take_one(void *argument)
{
    zx_port_packet_t packet;

    EXPECT_OK(zx_port_wait(*(zx_handle_t *)argument, soon(), &packet));
    return (int)packet.key;
}

TEST(Port, EachPacketWakesOneWaiter)
{
    zx_handle_t port = make_port();
    thrd_t threads[WAITERS];
    int sum = 0, key;

    for (int i = 0; i < WAITERS; i++)
        ASSERT_EQ(thrd_create(&threads[i], take_one, &port), thrd_success);
    for (int i = 0; i < WAITERS; i++) {
        zx_port_packet_t packet = {.key = (uint64_t)1 << i};
        ASSERT_OK(zx_port_queue(port, &packet));
    }
    for (int i = 0; i < WAITERS; i++) {
        thrd_join(threads[i], &key);
        sum += key;
    }
    EXPECT_EQ(sum, (1 << WAITERS) - 1);
    CLOSE(port);
}

TEST(PortAsync, FiresOnce)
{
    zx_handle_t port = make_port(), event = make_event();
    zx_port_packet_t packet;

    memset(&packet, 0x55, sizeof(packet));
    ASSERT_OK(zx_object_wait_async(event, port, 9, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0, 0));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    ASSERT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_1));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    ASSERT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_0));
    ASSERT_OK(zx_port_wait(port, soon(), &packet));
    EXPECT_EQ(packet.key, 9);
    EXPECT_EQ(packet.type, ZX_PKT_TYPE_SIGNAL_ONE);
    EXPECT_STATUS(packet.status, ZX_OK);
    EXPECT_EQ(packet.signal.trigger, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0);
    EXPECT_EQ(packet.signal.observed, ZX_USER_SIGNAL_0 | ZX_USER_SIGNAL_1);
    EXPECT_EQ(packet.signal.count, 1);
    EXPECT_EQ(packet.signal.timestamp, 0);
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortAsync, AlreadySignaled)
{
    zx_handle_t port = make_port(), event = make_event();

    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    EXPECT_EQ(take_key(port), 3);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortAsync, LaterSignalsAreAddedWhileQueued)
{
    zx_handle_t port = make_port(), event = make_event();
    zx_port_packet_t packet;

    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_USER_SIGNAL_0 | ZX_USER_SIGNAL_1, 0));
    ASSERT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_0));
    ASSERT_OK(zx_object_signal(event, ZX_USER_SIGNAL_0, 0));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.signal.observed & ZX_USER_SIGNAL_0, ZX_USER_SIGNAL_0);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortAsync, Timestamp)
{
    zx_handle_t port = make_port(), event = make_event();
    zx_time_t before = zx_clock_get_monotonic();
    zx_port_packet_t packet;

    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, ZX_WAIT_ASYNC_TIMESTAMP));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_TRUE((zx_time_t)packet.signal.timestamp >= before);
    EXPECT_TRUE((zx_time_t)packet.signal.timestamp <= zx_clock_get_monotonic());
    CLOSE(event);
    CLOSE(port);
}

TEST(PortAsync, ChannelCountsItsMessages)
{
    zx_handle_t port = make_port(), a, b;
    zx_port_packet_t packet;

    ASSERT_OK(zx_channel_create(0, &a, &b));
    for (int i = 0; i < 3; i++)
        ASSERT_OK(zx_channel_write(a, 0, "x", 1, NULL, 0));
    ASSERT_OK(zx_object_wait_async(b, port, 3, ZX_CHANNEL_READABLE, 0));
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.signal.count, 3);
    CLOSE(a);
    CLOSE(b);
    CLOSE(port);
}

TEST(PortAsync, SameKeyTwice)
{
    zx_handle_t port = make_port(), event = make_event();

    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_EQ(take_key(port), 3);
    EXPECT_EQ(take_key(port), 3);
    EXPECT_EQ(take_key(port), ~0ull);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortAsync, ClosingTheHandleEndsTheWait)
{
    zx_handle_t port = make_port(), event = make_event(), copy;

    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy));
    ASSERT_OK(zx_object_wait_async(copy, port, 3, ZX_EVENT_SIGNALED, 0));
    CLOSE(copy);
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_EQ(take_key(port), ~0ull);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortAsync, PortClosedFirst)
{
    zx_handle_t port = make_port(), event = make_event();

    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    CLOSE(port);
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    CLOSE(event);
}

TEST(PortAsync, BadArguments)
{
    zx_handle_t port = make_port(), event = make_event(), weak;

    EXPECT_STATUS(zx_object_wait_async(event, port, 1, ZX_EVENT_SIGNALED, 2), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_wait_async(event, closed_handle(), 1, ZX_EVENT_SIGNALED, 0),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_object_wait_async(event, event, 1, ZX_EVENT_SIGNALED, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_object_wait_async(closed_handle(), port, 1, ZX_EVENT_SIGNALED, 0),
                  ZX_ERR_BAD_HANDLE);
    weak = without_rights(event, ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_object_wait_async(weak, port, 1, ZX_EVENT_SIGNALED, 0), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(port, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_object_wait_async(event, weak, 1, ZX_EVENT_SIGNALED, 0), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortCancel, Registration)
{
    zx_handle_t port = make_port(), event = make_event();

    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    EXPECT_OK(zx_port_cancel(port, event, 3));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_EQ(take_key(port), ~0ull);
    EXPECT_STATUS(zx_port_cancel(port, event, 3), ZX_ERR_NOT_FOUND);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortCancel, QueuedPacket)
{
    zx_handle_t port = make_port(), event = make_event();

    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_OK(zx_port_cancel(port, event, 3));
    EXPECT_EQ(take_key(port), ~0ull);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortCancel, OnlyThatKeyAndHandle)
{
    zx_handle_t port = make_port(), event = make_event(), copy;

    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy));
    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    ASSERT_OK(zx_object_wait_async(event, port, 4, ZX_EVENT_SIGNALED, 0));
    EXPECT_STATUS(zx_port_cancel(port, event, 5), ZX_ERR_NOT_FOUND);
    EXPECT_STATUS(zx_port_cancel(port, copy, 3), ZX_ERR_NOT_FOUND);
    EXPECT_OK(zx_port_cancel(port, event, 3));
    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_EQ(take_key(port), 4);
    EXPECT_EQ(take_key(port), ~0ull);
    CLOSE(copy);
    CLOSE(event);
    CLOSE(port);
}

TEST(PortCancel, Rights)
{
    zx_handle_t port = make_port(), event = make_event(), weak;

    ASSERT_OK(zx_object_wait_async(event, port, 3, ZX_EVENT_SIGNALED, 0));
    weak = without_rights(port, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_port_cancel(weak, event, 3), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    EXPECT_STATUS(zx_port_cancel(port, closed_handle(), 3), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_port_cancel(event, event, 3), ZX_ERR_WRONG_TYPE);
    weak = without_rights(event, ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_port_cancel(port, weak, 3), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(event);
    CLOSE(port);
}
