/*
 * Events and event pairs.
 */
#include "test.h"

TEST(Event, CreateAndSignal)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_EQ(signals_of(event), 0);
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0));
    EXPECT_EQ(signals_of(event), ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0);
    EXPECT_OK(zx_object_signal(event, ZX_EVENT_SIGNALED, ZX_USER_SIGNAL_7));
    EXPECT_EQ(signals_of(event), ZX_USER_SIGNAL_0 | ZX_USER_SIGNAL_7);
    CLOSE(event);
}

TEST(Event, SetWinsOverClear)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_OK(zx_object_signal(event, ZX_USER_SIGNAL_1, ZX_USER_SIGNAL_1));
    EXPECT_EQ(signals_of(event), ZX_USER_SIGNAL_1);
    CLOSE(event);
}

TEST(Event, BadOptions)
{
    zx_handle_t event;

    EXPECT_STATUS(zx_event_create(1, &event), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_event_create(0, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(Event, OnlyItsOwnSignals)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_object_signal(event, 0, 0x1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_signal(event, 0x4, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_signal(event, 0, ZX_SIGNAL_HANDLE_CLOSED), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(signals_of(event), 0);
    CLOSE(event);
}

TEST(Event, HasNoPeer)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    EXPECT_STATUS(zx_object_signal_peer(event, 0, ZX_USER_SIGNAL_0), ZX_ERR_ACCESS_DENIED);
    CLOSE(event);
}

TEST(Event, SignalNeedsTheRight)
{
    zx_handle_t event, weak;

    ASSERT_OK(zx_event_create(0, &event));
    weak = without_rights(event, ZX_RIGHT_SIGNAL);
    EXPECT_STATUS(zx_object_signal(weak, 0, ZX_USER_SIGNAL_0), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(event);
}

TEST(EventPair, Create)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    EXPECT_EQ(basic_info(a).type, ZX_OBJ_TYPE_EVENTPAIR);
    EXPECT_EQ(basic_info(a).rights, ZX_DEFAULT_EVENTPAIR_RIGHTS);
    EXPECT_EQ(basic_info(a).related_koid, basic_info(b).koid);
    EXPECT_EQ(basic_info(b).related_koid, basic_info(a).koid);
    EXPECT_EQ(signals_of(a), 0);
    CLOSE(a);
    CLOSE(b);
}

TEST(EventPair, BadOptions)
{
    zx_handle_t a, b;

    EXPECT_STATUS(zx_eventpair_create(1, &a, &b), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_eventpair_create(0, UNMAPPED, &b), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_eventpair_create(0, &a, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(EventPair, SignalSelfAndPeer)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    EXPECT_OK(zx_object_signal(a, 0, ZX_EVENTPAIR_SIGNALED));
    EXPECT_EQ(signals_of(a), ZX_EVENTPAIR_SIGNALED);
    EXPECT_EQ(signals_of(b), 0);
    EXPECT_OK(zx_object_signal_peer(a, 0, ZX_USER_SIGNAL_2));
    EXPECT_EQ(signals_of(a), ZX_EVENTPAIR_SIGNALED);
    EXPECT_EQ(signals_of(b), ZX_USER_SIGNAL_2);
    EXPECT_OK(zx_object_signal_peer(b, ZX_EVENTPAIR_SIGNALED, 0));
    EXPECT_EQ(signals_of(a), 0);
    EXPECT_STATUS(zx_object_signal_peer(a, 0, ZX_EVENTPAIR_PEER_CLOSED), ZX_ERR_INVALID_ARGS);
    CLOSE(a);
    CLOSE(b);
}

TEST(EventPair, PeerClosed)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    CLOSE(b);
    EXPECT_EQ(signals_of(a), ZX_EVENTPAIR_PEER_CLOSED);
    EXPECT_OK(zx_object_signal(a, 0, ZX_USER_SIGNAL_0));
    EXPECT_STATUS(zx_object_signal_peer(a, 0, ZX_USER_SIGNAL_0), ZX_ERR_PEER_CLOSED);
    CLOSE(a);
}

TEST(EventPair, PeerClosedWithTheLastHandle)
{
    zx_handle_t a, b, copy;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    ASSERT_OK(zx_handle_duplicate(b, ZX_RIGHT_SAME_RIGHTS, &copy));
    CLOSE(b);
    EXPECT_EQ(signals_of(a), 0);
    CLOSE(copy);
    EXPECT_EQ(signals_of(a), ZX_EVENTPAIR_PEER_CLOSED);
    CLOSE(a);
}

TEST(EventPair, SignalPeerNeedsTheRight)
{
    zx_handle_t a, b, weak;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    weak = without_rights(a, ZX_RIGHT_SIGNAL_PEER);
    EXPECT_STATUS(zx_object_signal_peer(weak, 0, ZX_USER_SIGNAL_0), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    CLOSE(a);
    CLOSE(b);
}

TEST(EventPair, KnowsItsPeerEvenIfGone)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    zx_koid_t koid = basic_info(b).koid;
    CLOSE(b);
    EXPECT_EQ(basic_info(a).related_koid, koid);
    CLOSE(a);
}

TEST(EventPair, UserSignals)
{
    zx_handle_t a, b;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    EXPECT_OK(zx_object_signal_peer(a, 0, ZX_USER_SIGNAL_ALL));
    EXPECT_EQ(signals_of(b), ZX_USER_SIGNAL_ALL);
    EXPECT_OK(zx_object_signal_peer(a, ZX_USER_SIGNAL_ALL, ZX_USER_SIGNAL_1));
    EXPECT_EQ(signals_of(b), ZX_USER_SIGNAL_1);
    EXPECT_STATUS(zx_object_signal(a, ZX_EVENTPAIR_PEER_CLOSED, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_object_signal(a, 0, 0x1), ZX_ERR_INVALID_ARGS);
    CLOSE(a);
    CLOSE(b);
}

/* An end on its way in a message is not closed; with the message it is. */
TEST(EventPair, PeerInAMessage)
{
    zx_handle_t a, b, channel[2];

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    ASSERT_OK(zx_channel_create(0, &channel[0], &channel[1]));
    ASSERT_OK(zx_channel_write(channel[0], 0, NULL, 0, &b, 1));
    EXPECT_EQ(signals_of(a), 0);
    EXPECT_OK(zx_object_signal_peer(a, 0, ZX_USER_SIGNAL_4));
    ASSERT_OK(zx_channel_read(channel[1], 0, NULL, &b, 0, 1, NULL, NULL));
    EXPECT_EQ(signals_of(b), ZX_USER_SIGNAL_4);
    ASSERT_OK(zx_channel_write(channel[0], 0, NULL, 0, &b, 1));
    CLOSE(channel[0]);
    CLOSE(channel[1]);
    EXPECT_EQ(signals_of(a), ZX_EVENTPAIR_PEER_CLOSED);
    CLOSE(a);
}
