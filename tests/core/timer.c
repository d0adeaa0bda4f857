/*
 * Timers.
 */
#include "test.h"

static zx_handle_t make_timer(void)
{
    zx_handle_t timer;

    ASSERT_OK(zx_timer_create(ZX_TIMER_SLACK_CENTER, ZX_CLOCK_MONOTONIC, &timer));
    return timer;
}

static zx_info_timer_t timer_info(zx_handle_t timer)
{
    zx_info_timer_t info;

    ASSERT_OK(zx_object_get_info(timer, ZX_INFO_TIMER, &info, sizeof(info), NULL, NULL));
    return info;
}

TEST(Timer, Create)
{
    zx_handle_t timer = make_timer();

    EXPECT_EQ(basic_info(timer).type, ZX_OBJ_TYPE_TIMER);
    EXPECT_EQ(basic_info(timer).rights, ZX_DEFAULT_TIMER_RIGHTS);
    EXPECT_EQ(signals_of(timer), 0);
    EXPECT_EQ(timer_info(timer).deadline, 0);
    CLOSE(timer);
}

TEST(Timer, CreateOptions)
{
    zx_handle_t timer;

    for (uint32_t mode = 0; mode <= ZX_TIMER_SLACK_LATE; mode++) {
        ASSERT_OK(zx_timer_create(mode, ZX_CLOCK_MONOTONIC, &timer));
        EXPECT_EQ(timer_info(timer).options, mode);
        CLOSE(timer);
    }
    EXPECT_STATUS(zx_timer_create(3, ZX_CLOCK_MONOTONIC, &timer), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_timer_create(0, ZX_CLOCK_UTC, &timer), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_timer_create(0, ZX_CLOCK_MONOTONIC, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(Timer, Fires)
{
    zx_handle_t timer = make_timer();
    zx_time_t deadline = zx_deadline_after(SECONDS(1000));

    ASSERT_OK(zx_timer_set(timer, deadline, 0));
    EXPECT_EQ(signals_of(timer), 0);
    EXPECT_EQ(timer_info(timer).deadline, deadline);
    deadline = zx_deadline_after(MS(5));
    ASSERT_OK(zx_timer_set(timer, deadline, 0));
    EXPECT_OK(zx_object_wait_one(timer, ZX_TIMER_SIGNALED, soon(), NULL));
    EXPECT_TRUE(zx_clock_get_monotonic() >= deadline);
    EXPECT_EQ(timer_info(timer).deadline, 0);
    EXPECT_EQ(signals_of(timer), ZX_TIMER_SIGNALED); /* until it is set again */
    CLOSE(timer);
}

TEST(Timer, PastDeadlineFiresAtOnce)
{
    zx_handle_t timer = make_timer();

    ASSERT_OK(zx_timer_set(timer, 0, 0));
    EXPECT_EQ(signals_of(timer), ZX_TIMER_SIGNALED);
    ASSERT_OK(zx_timer_set(timer, zx_clock_get_monotonic() - 1, 0));
    EXPECT_EQ(signals_of(timer), ZX_TIMER_SIGNALED);
    CLOSE(timer);
}

TEST(Timer, SettingAgainReplaces)
{
    zx_handle_t timer = make_timer();

    ASSERT_OK(zx_timer_set(timer, 0, 0));
    ASSERT_OK(zx_timer_set(timer, zx_deadline_after(SECONDS(1000)), 0));
    EXPECT_EQ(signals_of(timer), 0);
    ASSERT_OK(zx_timer_set(timer, zx_deadline_after(MS(2)), 0));
    EXPECT_OK(zx_object_wait_one(timer, ZX_TIMER_SIGNALED, soon(), NULL));
    CLOSE(timer);
}

TEST(Timer, Cancel)
{
    zx_handle_t timer = make_timer();

    EXPECT_OK(zx_timer_cancel(timer)); /* nothing to cancel is fine */
    ASSERT_OK(zx_timer_set(timer, zx_deadline_after(MS(5)), 0));
    EXPECT_OK(zx_timer_cancel(timer));
    EXPECT_EQ(timer_info(timer).deadline, 0);
    EXPECT_STATUS(zx_object_wait_one(timer, ZX_TIMER_SIGNALED, zx_deadline_after(MS(20)), NULL),
                  ZX_ERR_TIMED_OUT);
    ASSERT_OK(zx_timer_set(timer, 0, 0));
    EXPECT_OK(zx_timer_cancel(timer));
    EXPECT_EQ(signals_of(timer), 0);
    CLOSE(timer);
}

TEST(Timer, Slack)
{
    zx_handle_t timer = make_timer();

    EXPECT_STATUS(zx_timer_set(timer, zx_deadline_after(MS(5)), -1), ZX_ERR_OUT_OF_RANGE);
    ASSERT_OK(zx_timer_set(timer, zx_deadline_after(SECONDS(1000)), MS(3)));
    EXPECT_EQ(timer_info(timer).slack, MS(3));
    CLOSE(timer);
}

TEST(Timer, InfiniteDeadline)
{
    zx_handle_t timer = make_timer();

    EXPECT_OK(zx_timer_set(timer, ZX_TIME_INFINITE, 0));
    EXPECT_STATUS(zx_object_wait_one(timer, ZX_TIMER_SIGNALED, zx_deadline_after(MS(2)), NULL),
                  ZX_ERR_TIMED_OUT);
    CLOSE(timer);
}

TEST(Timer, ManyFireInOrder)
{
    enum { COUNT = 8 };
    zx_handle_t timers[COUNT], port;
    zx_port_packet_t packet;

    ASSERT_OK(zx_port_create(0, &port));
    for (uint64_t i = 0; i < COUNT; i++) {
        timers[i] = make_timer();
        ASSERT_OK(zx_object_wait_async(timers[i], port, i, ZX_TIMER_SIGNALED, 0));
    }
    zx_time_t base = zx_deadline_after(SECONDS(1)); /* later than the last is armed */
    for (uint64_t i = 0; i < COUNT; i++)            /* armed in another order than they fire in */
        ASSERT_OK(zx_timer_set(timers[(i * 3) % COUNT], base + MS(2) * ((i * 3) % COUNT), 0));
    for (uint64_t i = 0; i < COUNT; i++) {
        ASSERT_OK(zx_port_wait(port, soon(), &packet));
        EXPECT_EQ(packet.key, i);
    }
    for (int i = 0; i < COUNT; i++)
        CLOSE(timers[i]);
    CLOSE(port);
}

TEST(Timer, ClosedWhileArmed)
{
    for (int i = 0; i < 10; i++) {
        zx_handle_t timer = make_timer();
        ASSERT_OK(zx_timer_set(timer, zx_deadline_after(MS(1)), 0));
        CLOSE(timer);
    }
    zx_nanosleep(zx_deadline_after(MS(5)));
}

TEST(Timer, Rights)
{
    zx_handle_t timer = make_timer(), weak = without_rights(timer, ZX_RIGHT_WRITE);

    EXPECT_STATUS(zx_timer_set(weak, 0, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_timer_cancel(weak), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_timer_set(closed_handle(), 0, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_timer_set(zx_process_self(), 0, 0), ZX_ERR_WRONG_TYPE);
    CLOSE(weak);
    CLOSE(timer);
}
