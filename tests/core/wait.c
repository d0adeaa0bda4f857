/*
 * object_wait_one and object_wait_many.
 */
#include "test.h"

#include <threads.h>

/* A thread that does something to a handle a little later. */
enum action { SIGNAL, CLOSE_HANDLE, REPLACE_HANDLE, DUPLICATE_AND_CLOSE };

struct later {
    enum action action;
    zx_handle_t handle;
    zx_handle_t waiter; /* acts when this thread is blocked */
    uint32_t state;
    zx_handle_t result;
};

static int act_later(void *argument)
{
    struct later *later = argument;

    EXPECT_TRUE(wait_until_blocked(later->waiter, later->state));
    switch (later->action) {
    case SIGNAL:
        EXPECT_OK(zx_object_signal(later->handle, 0, ZX_USER_SIGNAL_3));
        break;
    case CLOSE_HANDLE:
        EXPECT_OK(zx_handle_close(later->handle));
        break;
    case REPLACE_HANDLE:
        EXPECT_OK(zx_handle_replace(later->handle, ZX_RIGHT_SAME_RIGHTS, &later->result));
        break;
    case DUPLICATE_AND_CLOSE:
        EXPECT_OK(zx_handle_duplicate(later->handle, ZX_RIGHT_SAME_RIGHTS, &later->result));
        EXPECT_OK(zx_handle_close(later->handle));
        break;
    }
    return 0;
}

static thrd_t start_later(struct later *later, enum action action, zx_handle_t handle,
                          uint32_t state)
{
    thrd_t thread;

    *later = (struct later){
        .action = action, .handle = handle, .waiter = zx_thread_self(), .state = state};
    ASSERT_EQ(thrd_create(&thread, act_later, later), thrd_success);
    return thread;
}

static zx_handle_t make_event(void)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    return event;
}

TEST(ObjectWaitOne, AlreadySignaled)
{
    zx_handle_t event = make_event();
    zx_signals_t observed = 0;

    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0));
    EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, &observed));
    EXPECT_EQ(observed, ZX_EVENT_SIGNALED | ZX_USER_SIGNAL_0);
    EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL));
    CLOSE(event);
}

TEST(ObjectWaitOne, SignaledBeatsAnExpiredDeadline)
{
    zx_handle_t event = make_event();
    zx_signals_t observed = 0;

    ASSERT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
    EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, &observed));
    EXPECT_OK(zx_object_wait_one(event, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE_PAST, &observed));
    CLOSE(event);
}

TEST(ObjectWaitOne, TimesOut)
{
    zx_handle_t event = make_event();
    zx_signals_t observed = 0xffffffff;
    zx_time_t deadline = zx_deadline_after(MS(5));

    ASSERT_OK(zx_object_signal(event, 0, ZX_USER_SIGNAL_1));
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, deadline, &observed),
                  ZX_ERR_TIMED_OUT);
    EXPECT_TRUE(zx_clock_get_monotonic() >= deadline);
    EXPECT_EQ(observed, ZX_USER_SIGNAL_1);
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, NULL), ZX_ERR_TIMED_OUT);
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, -1, NULL), ZX_ERR_TIMED_OUT);
    CLOSE(event);
}

TEST(ObjectWaitOne, WokenByASignal)
{
    zx_handle_t event = make_event();
    zx_signals_t observed = 0;
    struct later later;
    thrd_t thread = start_later(&later, SIGNAL, event, ZX_THREAD_STATE_BLOCKED_WAIT_ONE);

    EXPECT_OK(zx_object_wait_one(event, ZX_USER_SIGNAL_3, soon(), &observed));
    EXPECT_EQ(observed, ZX_USER_SIGNAL_3);
    thrd_join(thread, NULL);
    CLOSE(event);
}

TEST(ObjectWaitOne, CanceledByClose)
{
    zx_handle_t event = make_event();
    zx_signals_t observed = 0;
    struct later later;
    thrd_t thread = start_later(&later, CLOSE_HANDLE, event, ZX_THREAD_STATE_BLOCKED_WAIT_ONE);

    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, soon(), &observed), ZX_ERR_CANCELED);
    EXPECT_EQ(observed & ZX_SIGNAL_HANDLE_CLOSED, ZX_SIGNAL_HANDLE_CLOSED);
    thrd_join(thread, NULL);
}

TEST(ObjectWaitOne, CanceledByReplace)
{
    zx_handle_t event = make_event();
    zx_signals_t observed = 0;
    struct later later;
    thrd_t thread = start_later(&later, REPLACE_HANDLE, event, ZX_THREAD_STATE_BLOCKED_WAIT_ONE);

    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, soon(), &observed), ZX_ERR_CANCELED);
    thrd_join(thread, NULL);
    CLOSE(later.result);
}

/* The wait belongs to the handle, not to the object. */
TEST(ObjectWaitOne, CanceledThoughADuplicateIsLeft)
{
    zx_handle_t event = make_event();
    struct later later;
    thrd_t thread =
        start_later(&later, DUPLICATE_AND_CLOSE, event, ZX_THREAD_STATE_BLOCKED_WAIT_ONE);

    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, soon(), NULL), ZX_ERR_CANCELED);
    thrd_join(thread, NULL);
    CLOSE(later.result);
}

TEST(ObjectWaitOne, BadArguments)
{
    zx_handle_t event = make_event(), weak;

    EXPECT_STATUS(zx_object_wait_one(closed_handle(), ZX_EVENT_SIGNALED, 0, NULL),
                  ZX_ERR_BAD_HANDLE);
    weak = without_rights(event, ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_object_wait_one(weak, ZX_EVENT_SIGNALED, 0, NULL), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, UNMAPPED), ZX_ERR_INVALID_ARGS);
    CLOSE(weak);
    CLOSE(event);
}

TEST(ObjectWaitOne, NotWaitable)
{
    zx_handle_t port;

    /* Ports have no WAIT right by default, and no signals. */
    ASSERT_OK(zx_port_create(0, &port));
    EXPECT_STATUS(zx_object_wait_one(port, ZX_USER_SIGNAL_0, 0, NULL), ZX_ERR_ACCESS_DENIED);
    CLOSE(port);
}

TEST(ObjectWaitMany, None)
{
    zx_time_t deadline = zx_deadline_after(MS(5));

    EXPECT_STATUS(zx_object_wait_many(NULL, 0, deadline), ZX_ERR_TIMED_OUT);
    EXPECT_TRUE(zx_clock_get_monotonic() >= deadline);
}

TEST(ObjectWaitMany, TooMany)
{
    zx_wait_item_t items[ZX_WAIT_MANY_MAX_ITEMS + 1];
    zx_handle_t event = make_event();

    for (size_t i = 0; i <= ZX_WAIT_MANY_MAX_ITEMS; i++)
        items[i] = (zx_wait_item_t){.handle = event, .waitfor = ZX_EVENT_SIGNALED};
    EXPECT_STATUS(zx_object_wait_many(items, ZX_WAIT_MANY_MAX_ITEMS + 1, 0), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_object_wait_many(items, ZX_WAIT_MANY_MAX_ITEMS, 0), ZX_ERR_TIMED_OUT);
    CLOSE(event);
}

TEST(ObjectWaitMany, AlreadySignaled)
{
    zx_handle_t a = make_event(), b = make_event();
    zx_wait_item_t items[] = {{a, ZX_EVENT_SIGNALED, 77}, {b, ZX_EVENT_SIGNALED, 77}};

    ASSERT_OK(zx_object_signal(b, 0, ZX_EVENT_SIGNALED));
    ASSERT_OK(zx_object_signal(a, 0, ZX_USER_SIGNAL_0));
    EXPECT_OK(zx_object_wait_many(items, 2, 0));
    EXPECT_EQ(items[0].pending, ZX_USER_SIGNAL_0);
    EXPECT_EQ(items[1].pending, ZX_EVENT_SIGNALED);
    CLOSE(a);
    CLOSE(b);
}

TEST(ObjectWaitMany, TimesOutAndFillsPending)
{
    zx_handle_t a = make_event(), b = make_event();
    zx_wait_item_t items[] = {{a, ZX_EVENT_SIGNALED, 77}, {b, ZX_EVENT_SIGNALED, 77}};

    ASSERT_OK(zx_object_signal(b, 0, ZX_USER_SIGNAL_5));
    EXPECT_STATUS(zx_object_wait_many(items, 2, zx_deadline_after(MS(5))), ZX_ERR_TIMED_OUT);
    EXPECT_EQ(items[0].pending, 0);
    EXPECT_EQ(items[1].pending, ZX_USER_SIGNAL_5);
    CLOSE(a);
    CLOSE(b);
}

TEST(ObjectWaitMany, WokenByASignal)
{
    zx_handle_t a = make_event(), b = make_event();
    zx_wait_item_t items[] = {{a, ZX_USER_SIGNAL_3, 0}, {b, ZX_USER_SIGNAL_3, 0}};
    struct later later;
    thrd_t thread = start_later(&later, SIGNAL, b, ZX_THREAD_STATE_BLOCKED_WAIT_MANY);

    EXPECT_OK(zx_object_wait_many(items, 2, soon()));
    EXPECT_EQ(items[0].pending, 0);
    EXPECT_EQ(items[1].pending, ZX_USER_SIGNAL_3);
    thrd_join(thread, NULL);
    CLOSE(a);
    CLOSE(b);
}

TEST(ObjectWaitMany, CanceledByClose)
{
    zx_handle_t a = make_event(), b = make_event();
    zx_wait_item_t items[] = {{a, ZX_EVENT_SIGNALED, 0}, {b, ZX_EVENT_SIGNALED, 0}};
    struct later later;
    thrd_t thread = start_later(&later, CLOSE_HANDLE, a, ZX_THREAD_STATE_BLOCKED_WAIT_MANY);

    EXPECT_STATUS(zx_object_wait_many(items, 2, soon()), ZX_ERR_CANCELED);
    EXPECT_EQ(items[0].pending & ZX_SIGNAL_HANDLE_CLOSED, ZX_SIGNAL_HANDLE_CLOSED);
    EXPECT_EQ(items[1].pending, 0);
    thrd_join(thread, NULL);
    CLOSE(b);
}

TEST(ObjectWaitMany, SameHandleTwice)
{
    zx_handle_t a = make_event();
    zx_wait_item_t items[] = {{a, ZX_USER_SIGNAL_0, 0}, {a, ZX_USER_SIGNAL_3, 0}};
    struct later later;
    thrd_t thread = start_later(&later, SIGNAL, a, ZX_THREAD_STATE_BLOCKED_WAIT_MANY);

    EXPECT_OK(zx_object_wait_many(items, 2, soon()));
    EXPECT_EQ(items[1].pending, ZX_USER_SIGNAL_3);
    thrd_join(thread, NULL);
    CLOSE(a);
}

TEST(ObjectWaitMany, BadItems)
{
    zx_handle_t a = make_event(), weak = without_rights(a, ZX_RIGHT_WAIT);
    zx_wait_item_t items[] = {{a, ZX_EVENT_SIGNALED, 0}, {0, ZX_EVENT_SIGNALED, 0}};

    ASSERT_OK(zx_object_signal(a, 0, ZX_EVENT_SIGNALED));
    EXPECT_STATUS(zx_object_wait_many(items, 2, ZX_TIME_INFINITE), ZX_ERR_BAD_HANDLE);
    items[1].handle = weak;
    EXPECT_STATUS(zx_object_wait_many(items, 2, ZX_TIME_INFINITE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_object_wait_many(UNMAPPED, 2, ZX_TIME_INFINITE), ZX_ERR_INVALID_ARGS);
    CLOSE(weak);
    CLOSE(a);
}
