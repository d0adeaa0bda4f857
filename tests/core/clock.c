/*
 * Time: clocks, ticks, sleeping; kernel clock objects.
 */
#include "test.h"

TEST(Time, MonotonicGoesUp)
{
    zx_time_t last = zx_clock_get_monotonic();

    for (int i = 0; i < 1000; i++) {
        zx_time_t now = zx_clock_get_monotonic();
        EXPECT_TRUE(now >= last);
        last = now;
    }
    EXPECT_TRUE(last > 0);
}

TEST(Time, KernelAndVdsoAgree)
{
    zx_time_t before = zx_clock_get_monotonic(), kernel, after;

    ASSERT_OK(zx_clock_get(ZX_CLOCK_MONOTONIC, &kernel));
    after = zx_clock_get_monotonic();
    EXPECT_TRUE(before <= kernel);
    EXPECT_TRUE(kernel <= after);
}

/* Each reading of the ticks is between two of the clock, whatever happens in between. */
TEST(Ticks, MatchTheClock)
{
    zx_ticks_t per_second = zx_ticks_per_second(), first, last;
    zx_time_t before_first, after_first, before_last, after_last;

    EXPECT_TRUE(per_second > 1000000);
    before_first = zx_clock_get_monotonic();
    first = zx_ticks_get();
    after_first = zx_clock_get_monotonic();
    zx_nanosleep(zx_deadline_after(MS(20)));
    before_last = zx_clock_get_monotonic();
    last = zx_ticks_get();
    after_last = zx_clock_get_monotonic();

    double elapsed = (double)(last - first) / (double)per_second * 1e9;
    EXPECT_TRUE(elapsed > (double)(before_last - after_first) * 0.99);
    EXPECT_TRUE(elapsed < (double)(after_last - before_first) * 1.01);
}

TEST(Time, DeadlineAfter)
{
    zx_time_t now = zx_clock_get_monotonic(), later = zx_deadline_after(SECONDS(1));

    EXPECT_TRUE(later >= now + SECONDS(1));
    EXPECT_TRUE(later < now + SECONDS(11));
    EXPECT_EQ(zx_deadline_after(INT64_MAX), ZX_TIME_INFINITE);
    EXPECT_TRUE(zx_deadline_after(-SECONDS(1)) < now + SECONDS(10));
}

TEST(Time, Nanosleep)
{
    zx_time_t deadline = zx_deadline_after(MS(5));

    EXPECT_OK(zx_nanosleep(deadline));
    EXPECT_TRUE(zx_clock_get_monotonic() >= deadline);
    EXPECT_OK(zx_nanosleep(0));
    EXPECT_OK(zx_nanosleep(ZX_TIME_INFINITE_PAST));
}

TEST(Time, ClockGet)
{
    zx_time_t time = -1, again = -1;

    EXPECT_OK(zx_clock_get(ZX_CLOCK_UTC, &time));
    EXPECT_OK(zx_clock_get(ZX_CLOCK_UTC, &again));
    EXPECT_TRUE(again >= time);
    EXPECT_OK(zx_clock_get(ZX_CLOCK_THREAD, &time));
    EXPECT_TRUE(time >= 0);
    EXPECT_TRUE(time <= zx_clock_get_monotonic());
    EXPECT_STATUS(zx_clock_get(99, &time), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_get(ZX_CLOCK_MONOTONIC, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

/* Whether the thread's time went on for less than half of a sleep. What the host does around the
 * sleep, which counts, may be longer than the sleep. */
static bool sleeps_for_nothing(void)
{
    zx_time_t start = zx_clock_get_monotonic(), before, after;

    ASSERT_OK(zx_clock_get(ZX_CLOCK_THREAD, &before));
    zx_nanosleep(zx_deadline_after(MS(20)));
    ASSERT_OK(zx_clock_get(ZX_CLOCK_THREAD, &after));
    EXPECT_TRUE(after >= before);
    return after - before < (zx_clock_get_monotonic() - start) / 2;
}

TEST(Time, ThreadTimeDoesNotCountSleep)
{
    bool once = false;

    for (int i = 0; i < 100 && !once; i++)
        once = sleeps_for_nothing();
    EXPECT_TRUE(once);
}

TEST(Time, ClockAdjust)
{
    zx_time_t before, after;

    EXPECT_STATUS(zx_clock_adjust(root_resource(), ZX_CLOCK_MONOTONIC, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_clock_adjust(root_resource(), 99, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_adjust(closed_handle(), ZX_CLOCK_UTC, 0), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_clock_adjust(zx_process_self(), ZX_CLOCK_UTC, 0), ZX_ERR_WRONG_TYPE);
    ASSERT_OK(zx_clock_get(ZX_CLOCK_UTC, &before));
    zx_time_t offset = before - zx_clock_get_monotonic();
    ASSERT_OK(zx_clock_adjust(root_resource(), ZX_CLOCK_UTC, offset + SECONDS(3600)));
    ASSERT_OK(zx_clock_get(ZX_CLOCK_UTC, &after));
    EXPECT_TRUE(after - before >= SECONDS(3590));
    EXPECT_TRUE(after - before <= SECONDS(3700));
    ASSERT_OK(zx_clock_adjust(root_resource(), ZX_CLOCK_UTC, offset));
}
