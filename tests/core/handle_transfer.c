/*
 * Handles on their way to another process, and waits that are made through them.
 */
#include "child.h"

#include <threads.h>

static CHILD void returns_what_it_gets(zx_handle_t channel, const struct child_calls *calls)
{
    zx_handle_t handles[2];
    uint32_t count;

    calls->object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL);
    calls->channel_read(channel, 0, NULL, handles, 0, 2, NULL, &count);
    calls->channel_write(channel, 0, handles, sizeof(handles), handles, count);
    for (;;)
        calls->nanosleep(ZX_TIME_INFINITE);
}

/* There and back again: the same object with the same rights, under other values. */
TEST(HandleTransfer, ThroughAnotherProcess)
{
    struct child child = child_start(ZX_HANDLE_INVALID, returns_what_it_gets, 0);
    zx_handle_t sent[2], back[2], there[2];
    zx_koid_t koids[2];
    uint32_t count = 0;

    ASSERT_OK(zx_event_create(0, &sent[0]));
    ASSERT_OK(zx_vmo_create(4096, 0, &sent[1]));
    ASSERT_OK(zx_handle_replace(sent[1], ZX_RIGHT_READ | ZX_RIGHT_TRANSFER, &sent[1]));
    for (int i = 0; i < 2; i++)
        koids[i] = basic_info(sent[i]).koid;
    ASSERT_OK(zx_channel_write(child.channel, 0, NULL, 0, sent, 2));
    ASSERT_OK(zx_object_wait_one(child.channel, ZX_CHANNEL_READABLE, soon(), NULL));
    ASSERT_OK(zx_channel_read(child.channel, 0, there, back, sizeof(there), 2, NULL, &count));
    EXPECT_EQ(count, 2);
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(basic_info(back[i]).koid, koids[i]);
        /* What it was called there means nothing here. */
        EXPECT_STATUS(zx_object_get_info(sent[i], ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL),
                      ZX_ERR_BAD_HANDLE);
        EXPECT_TRUE(there[i] != back[i]);
    }
    EXPECT_EQ(basic_info(back[0]).rights, ZX_DEFAULT_EVENT_RIGHTS);
    EXPECT_EQ(basic_info(back[1]).rights, ZX_RIGHT_READ | ZX_RIGHT_TRANSFER);
    CLOSE(back[0]);
    CLOSE(back[1]);
    child_close(&child);
}

/* A channel works from its new home; both ends may travel. */
TEST(HandleTransfer, ChannelThroughAChannel)
{
    zx_handle_t outer[2], inner[2], received;
    char text[4] = "";

    ASSERT_OK(zx_channel_create(0, &outer[0], &outer[1]));
    ASSERT_OK(zx_channel_create(0, &inner[0], &inner[1]));
    ASSERT_OK(zx_channel_write(inner[0], 0, "abc", 4, NULL, 0));
    ASSERT_OK(zx_channel_write(outer[0], 0, NULL, 0, &inner[1], 1));
    ASSERT_OK(zx_channel_read(outer[1], 0, NULL, &received, 0, 1, NULL, NULL));
    ASSERT_OK(zx_channel_read(received, 0, text, NULL, sizeof(text), 0, NULL, NULL));
    EXPECT_EQ(strcmp(text, "abc"), 0);
    CLOSE(received);
    EXPECT_EQ(signals_of(inner[0]), ZX_CHANNEL_PEER_CLOSED);
    CLOSE(inner[0]);
    CLOSE(outer[0]);
    CLOSE(outer[1]);
}

struct moved {
    zx_handle_t waiter, handle, channel;
};

static int moves_it(void *argument)
{
    struct moved *moved = argument;

    EXPECT_TRUE(wait_until_blocked(moved->waiter, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    EXPECT_OK(zx_channel_write(moved->channel, 0, NULL, 0, &moved->handle, 1));
    return 0;
}

/* Whoever sends a handle away ends the waits through it, though the object lives on. */
TEST(HandleWait, CanceledByTransfer)
{
    zx_handle_t channel[2], event;
    zx_signals_t observed = 0;
    thrd_t thread;

    ASSERT_OK(zx_channel_create(0, &channel[0], &channel[1]));
    ASSERT_OK(zx_event_create(0, &event));
    struct moved moved = {zx_thread_self(), event, channel[0]};
    ASSERT_EQ(thrd_create(&thread, moves_it, &moved), thrd_success);
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, soon(), &observed), ZX_ERR_CANCELED);
    EXPECT_EQ(observed & ZX_SIGNAL_HANDLE_CLOSED, ZX_SIGNAL_HANDLE_CLOSED);
    thrd_join(thread, NULL);
    CLOSE(channel[0]);
    CLOSE(channel[1]);
}

static int signals_twin(void *argument)
{
    struct moved *moved = argument;

    EXPECT_TRUE(wait_until_blocked(moved->waiter, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    CLOSE(moved->channel);
    EXPECT_OK(zx_object_signal(moved->handle, 0, ZX_EVENT_SIGNALED));
    return 0;
}

/* Another handle to the same object may come and go meanwhile. */
TEST(HandleWait, OtherHandlesDoNotMatter)
{
    zx_handle_t event, twin, third;
    thrd_t thread;

    ASSERT_OK(zx_event_create(0, &event));
    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &twin));
    ASSERT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &third));
    struct moved moved = {zx_thread_self(), twin, third};
    ASSERT_EQ(thrd_create(&thread, signals_twin, &moved), thrd_success);
    EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, soon(), NULL));
    thrd_join(thread, NULL);
    CLOSE(twin);
    CLOSE(event);
}
