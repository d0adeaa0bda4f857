/*
 * Kernel clock objects.
 */
#include "test.h"

#define VERSION_1 ZX_CLOCK_ARGS_VERSION(1)
#define VALUE     ZX_CLOCK_UPDATE_OPTION_VALUE_VALID
#define RATE      ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID
#define ERROR     ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID

static zx_handle_t make_clock(uint64_t options)
{
    zx_handle_t clock;

    ASSERT_OK(zx_clock_create(options, NULL, &clock));
    return clock;
}

static zx_clock_details_v1_t details_of(zx_handle_t clock)
{
    zx_clock_details_v1_t details;

    ASSERT_OK(zx_clock_get_details(clock, VERSION_1, &details));
    return details;
}

static zx_status_t update(zx_handle_t clock, uint64_t options, int64_t value, int32_t rate)
{
    const zx_clock_update_args_v1_t args = {.rate_adjust = rate, .value = value, .error_bound = 77};

    return zx_clock_update(clock, VERSION_1 | options, &args);
}

static zx_time_t read_clock(zx_handle_t clock)
{
    zx_time_t now = -1;

    EXPECT_OK(zx_clock_read(clock, &now));
    return now;
}

TEST(Clock, Create)
{
    zx_handle_t clock = make_clock(0);

    EXPECT_EQ(basic_info(clock).type, ZX_OBJ_TYPE_CLOCK);
    EXPECT_EQ(basic_info(clock).rights, ZX_DEFAULT_CLOCK_RIGHTS);
    EXPECT_EQ(signals_of(clock), 0);
    EXPECT_EQ(read_clock(clock), 0); /* it stands still */
    EXPECT_EQ(details_of(clock).mono_to_synthetic.rate.synthetic_ticks, 0);
    EXPECT_EQ(details_of(clock).error_bound, ZX_CLOCK_UNKNOWN_ERROR);
    CLOSE(clock);
}

TEST(Clock, CreateBadArguments)
{
    zx_clock_create_args_v1_t args = {.backstop_time = -1};
    zx_handle_t clock;

    EXPECT_STATUS(zx_clock_create(0x8, NULL, &clock), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(ZX_CLOCK_OPT_CONTINUOUS, NULL, &clock), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(0, &args, &clock), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(VERSION_1, &args, &clock), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(ZX_CLOCK_ARGS_VERSION(2), &args, &clock), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(VERSION_1, UNMAPPED, &clock), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_create(0, NULL, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(Clock, StartsWithItsFirstValue)
{
    zx_handle_t clock = make_clock(0);

    EXPECT_STATUS(update(clock, RATE, 0, 0), ZX_ERR_BAD_STATE); /* it has no value yet */
    zx_time_t before = zx_clock_get_monotonic();
    EXPECT_OK(update(clock, VALUE, SECONDS(1000), 0));
    EXPECT_EQ(signals_of(clock), ZX_CLOCK_STARTED);
    zx_time_t now = read_clock(clock), after = zx_clock_get_monotonic();
    EXPECT_TRUE(now >= SECONDS(1000));
    EXPECT_TRUE(now - SECONDS(1000) <= after - before);
    CLOSE(clock);
}

TEST(Clock, Backstop)
{
    const zx_clock_create_args_v1_t args = {.backstop_time = SECONDS(500)};
    zx_handle_t clock;

    ASSERT_OK(zx_clock_create(VERSION_1, &args, &clock));
    EXPECT_EQ(read_clock(clock), SECONDS(500));
    EXPECT_EQ(details_of(clock).backstop_time, SECONDS(500));
    EXPECT_STATUS(update(clock, VALUE, SECONDS(500) - 1, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(signals_of(clock), 0);
    EXPECT_OK(update(clock, VALUE, SECONDS(500), 0));
    CLOSE(clock);
}

TEST(Clock, Monotonic)
{
    zx_handle_t clock = make_clock(ZX_CLOCK_OPT_MONOTONIC);

    EXPECT_OK(update(clock, VALUE, SECONDS(1000), 0));
    EXPECT_STATUS(update(clock, VALUE, SECONDS(999), 0), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(update(clock, VALUE, SECONDS(100000), 0)); /* forwards is allowed */
    EXPECT_TRUE(read_clock(clock) >= SECONDS(100000));
    CLOSE(clock);
}

TEST(Clock, Continuous)
{
    zx_handle_t clock = make_clock(ZX_CLOCK_OPT_MONOTONIC | ZX_CLOCK_OPT_CONTINUOUS);

    EXPECT_OK(update(clock, VALUE, SECONDS(1000), 0));
    EXPECT_STATUS(update(clock, VALUE, SECONDS(2000), 0), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(update(clock, RATE, 0, 100));
    EXPECT_TRUE(read_clock(clock) < SECONDS(2000));
    CLOSE(clock);
}

/* A change of the rate does not change the time it is done at. */
TEST(Clock, Rate)
{
    zx_handle_t clock = make_clock(0);

    EXPECT_OK(update(clock, VALUE, SECONDS(1000), 0));
    for (int32_t rate = -1000; rate <= 1000; rate += 500) {
        zx_time_t start = zx_clock_get_monotonic(), before = read_clock(clock);
        EXPECT_OK(update(clock, RATE, 0, rate));
        zx_time_t after = read_clock(clock), end = zx_clock_get_monotonic();
        zx_clock_details_v1_t details = details_of(clock);
        EXPECT_TRUE(after >= before);
        EXPECT_TRUE(after - before <= (end - start) + (end - start) / 900 + 2);
        EXPECT_EQ((uint64_t)details.mono_to_synthetic.rate.synthetic_ticks * 1000000,
                  (uint64_t)details.mono_to_synthetic.rate.reference_ticks *
                      (uint64_t)(1000000 + rate));
    }
    EXPECT_STATUS(update(clock, RATE, 0, 1001), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(update(clock, RATE, 0, -1001), ZX_ERR_INVALID_ARGS);
    CLOSE(clock);
}

TEST(Clock, Details)
{
    zx_handle_t clock = make_clock(ZX_CLOCK_OPT_MONOTONIC);
    zx_clock_details_v1_t before = details_of(clock), after;

    EXPECT_EQ(before.options, ZX_CLOCK_OPT_MONOTONIC);
    EXPECT_OK(update(clock, VALUE | ERROR, SECONDS(1), 0));
    after = details_of(clock);
    EXPECT_EQ(after.error_bound, 77);
    EXPECT_EQ(after.generation_counter, before.generation_counter + 2);
    EXPECT_EQ(after.last_value_update_ticks, after.last_error_bounds_update_ticks);
    EXPECT_TRUE(after.last_value_update_ticks <= after.query_ticks);
    EXPECT_TRUE(after.query_ticks <= zx_ticks_get());
    CLOSE(clock);
}

TEST(Clock, UpdateBadArguments)
{
    zx_handle_t clock = make_clock(0), weak = without_rights(clock, ZX_RIGHT_WRITE);
    const zx_clock_update_args_v1_t args = {.value = 1};

    EXPECT_STATUS(zx_clock_update(clock, VERSION_1 | VALUE, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, VERSION_1 | VALUE, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, VALUE, &args), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, VERSION_1, &args), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(clock, VERSION_1 | 0x8, &args), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_update(weak, VERSION_1 | VALUE, &args), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_clock_update(closed_handle(), VERSION_1 | VALUE, &args), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_clock_update(zx_process_self(), VERSION_1 | VALUE, &args), ZX_ERR_WRONG_TYPE);
    EXPECT_EQ(signals_of(clock), 0);
    CLOSE(weak);
    CLOSE(clock);
}

TEST(Clock, ReadBadArguments)
{
    zx_handle_t clock = make_clock(0), weak = without_rights(clock, ZX_RIGHT_READ);
    zx_clock_details_v1_t details;
    zx_time_t now;

    EXPECT_STATUS(zx_clock_read(weak, &now), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_clock_get_details(weak, VERSION_1, &details), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_clock_read(clock, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_get_details(clock, VERSION_1, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_get_details(clock, VERSION_1, UNMAPPED), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_get_details(clock, 0, &details), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_clock_get_details(clock, VERSION_1 | 1, &details), ZX_ERR_INVALID_ARGS);
    CLOSE(weak);
    CLOSE(clock);
}

/* mid-2020: a copy of the monotonic clock. */
TEST(Clock, AutoStart)
{
    zx_handle_t clock = make_clock(ZX_CLOCK_OPT_AUTO_START);
    zx_time_t before = zx_clock_get_monotonic(), now = read_clock(clock),
              after = zx_clock_get_monotonic();
    const zx_clock_create_args_v1_t args = {.backstop_time = INT64_MAX};
    zx_handle_t other;

    EXPECT_EQ(signals_of(clock), ZX_CLOCK_STARTED);
    EXPECT_TRUE(before <= now);
    EXPECT_TRUE(now <= after);
    EXPECT_STATUS(zx_clock_create(VERSION_1 | ZX_CLOCK_OPT_AUTO_START, &args, &other),
                  ZX_ERR_INVALID_ARGS); /* the backstop lies ahead */
    CLOSE(clock);
}
