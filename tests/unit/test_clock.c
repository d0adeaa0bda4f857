/*
 * test_clock.c - clock objects.
 */
#include "helpers.h"

#include "clock.h"

enum { OUT0 = 0, ARGS = 32, TIME = 64, DETAILS = 128 };
#define V1          ZX_CLOCK_ARGS_VERSION(1)
#define VALUE       ZX_CLOCK_UPDATE_OPTION_VALUE_VALID
#define RATE        ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID
#define ERROR_BOUND ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID

static int64_t create(uint64_t options, int64_t backstop)
{
    fixture_poke(ARGS, &backstop, sizeof backstop);
    return sys_clock_create(SELF, options | V1, U(ARGS), U(OUT0));
}

static zx_handle_t new_clock(uint64_t options, int64_t backstop)
{
    assert_status(create(options, backstop), ZX_OK);
    return fixture_handle_at(OUT0);
}

static zx_time_t now_of(zx_handle_t clock)
{
    assert_status(sys_clock_read(SELF, clock, U(TIME)), ZX_OK);
    return (zx_time_t)u64_at(TIME);
}

static int64_t update(zx_handle_t clock, uint64_t what, int64_t value, int32_t rate, uint64_t error)
{
    zx_clock_update_args_v1_t args = {.value = value, .rate_adjust = rate, .error_bound = error};

    fixture_poke(ARGS, &args, sizeof args);
    return sys_clock_update(SELF, clock, V1 | what, U(ARGS));
}

static zx_clock_details_v1_t details_of(zx_handle_t clock)
{
    zx_clock_details_v1_t details;

    assert_status(sys_clock_get_details(SELF, clock, V1, U(DETAILS)), ZX_OK);
    fixture_peek(DETAILS, &details, sizeof details);
    return details;
}

static void test_create(void **state)
{
    zx_handle_t clock;
    zx_clock_details_v1_t d;

    (void)state;
    assert_status(sys_clock_create(SELF, 0, U(ARGS), U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_clock_create(SELF, V1, NONE, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_clock_create(SELF, ZX_CLOCK_ARGS_VERSION(2), U(ARGS), U(OUT0)),
                  ZX_ERR_INVALID_ARGS);
    assert_status(sys_clock_create(SELF, 8, NONE, U(OUT0)), ZX_ERR_INVALID_ARGS);
    assert_status(create(ZX_CLOCK_OPT_CONTINUOUS, 0), ZX_ERR_INVALID_ARGS);
    assert_status(create(0, -1), ZX_ERR_INVALID_ARGS);
    assert_status(create(ZX_CLOCK_OPT_AUTO_START, hal_now() + 1), ZX_ERR_INVALID_ARGS);
    assert_status(sys_clock_create(SELF, 0, NONE, U(OUT0)), ZX_OK);
    clock = new_clock(0, 1234);
    assert_int_equal(now_of(clock), 1234);
    assert_int_equal(signals_of(clock), 0);
    d = details_of(clock);
    assert_int_equal(d.backstop_time, 1234);
    assert_int_equal(d.mono_to_synthetic.rate.synthetic_ticks, 0);
    assert_int_equal(d.mono_to_synthetic.rate.reference_ticks, 1);
    assert_int_equal(d.error_bound, ZX_CLOCK_UNKNOWN_ERROR);
    assert_int_equal(d.query_ticks, hal_ticks());
    assert_int_equal(d.generation_counter, 0);
    clock = new_clock(ZX_CLOCK_OPT_AUTO_START, 5);
    assert_int_equal(signals_of(clock), ZX_CLOCK_STARTED);
    assert_int_equal(now_of(clock), hal_now());
    assert_status(sys_clock_get_details(SELF, clock, 0, U(DETAILS)), ZX_ERR_INVALID_ARGS);
    assert_status(sys_clock_get_details(SELF, clock, V1, NONE), ZX_ERR_INVALID_ARGS);
    clock = with_rights(clock, 0);
    assert_status(sys_clock_read(SELF, clock, U(TIME)), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_clock_get_details(SELF, clock, V1, U(DETAILS)), ZX_ERR_ACCESS_DENIED);
    assert_status(update(clock, VALUE, 5, 0, 0), ZX_ERR_ACCESS_DENIED);
    heap_fail_nth(1);
    assert_status(create(0, 0), ZX_ERR_NO_MEMORY);
}

static void test_update_errors(void **state)
{
    zx_handle_t clock = new_clock(0, 100), mono, cont;

    (void)state;
    assert_status(sys_clock_update(SELF, clock, V1 | VALUE, NONE), ZX_ERR_INVALID_ARGS);
    assert_status(sys_clock_update(SELF, clock, VALUE, U(ARGS)), ZX_ERR_INVALID_ARGS);
    assert_status(update(clock, 0, 0, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_status(update(clock, 8 | VALUE, 200, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_status(update(clock, RATE, 0, 1001, 0), ZX_ERR_INVALID_ARGS);
    assert_status(update(clock, RATE, 0, -1001, 0), ZX_ERR_INVALID_ARGS);
    assert_status(update(clock, RATE, 0, 10, 0), ZX_ERR_BAD_STATE);
    assert_status(update(clock, ERROR_BOUND, 0, 0, 5), ZX_ERR_BAD_STATE);
    assert_status(update(clock, VALUE, 99, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_status(update(clock, VALUE, 100, 0, 0), ZX_OK);
    mono = new_clock(ZX_CLOCK_OPT_MONOTONIC, 0);
    assert_status(update(mono, VALUE, 1000, 0, 0), ZX_OK);
    fixture_advance(10);
    assert_status(update(mono, VALUE, 1009, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_status(update(mono, VALUE, 1010, 0, 0), ZX_OK);
    cont = new_clock(ZX_CLOCK_OPT_MONOTONIC | ZX_CLOCK_OPT_CONTINUOUS, 0);
    assert_status(update(cont, VALUE, 1000, 0, 0), ZX_OK);
    assert_status(update(cont, VALUE, 2000, 0, 0), ZX_ERR_INVALID_ARGS);
    assert_status(update(cont, RATE, 0, 7, 0), ZX_OK);
}

static void test_update(void **state)
{
    zx_handle_t clock = new_clock(0, 0);
    zx_clock_details_v1_t d;
    zx_ticks_t start;

    (void)state;
    assert_status(update(clock, VALUE, 5000, 0, 0), ZX_OK);
    assert_int_equal(signals_of(clock), ZX_CLOCK_STARTED);
    fixture_advance(1000);
    assert_int_equal(now_of(clock), 6000);
    start = hal_ticks();
    assert_status(update(clock, RATE, 0, 1000, 0), ZX_OK);
    assert_int_equal(now_of(clock), 6000); /* continuous */
    fixture_advance(1000000);
    assert_int_equal(now_of(clock), 6000 + 1001000);
    assert_status(update(clock, RATE | ERROR_BOUND, 0, -1000, 77), ZX_OK);
    fixture_advance(10000000000000);
    assert_int_equal(now_of(clock), 6000 + 1001000 + 9990000000000);
    d = details_of(clock);
    assert_int_equal(d.mono_to_synthetic.rate.synthetic_ticks, 999000);
    assert_int_equal(d.mono_to_synthetic.rate.reference_ticks, 1000000);
    assert_int_equal(d.mono_to_synthetic.synthetic_offset, 6000 + 1001000);
    assert_int_equal(d.ticks_to_synthetic.rate.synthetic_ticks, 999);
    assert_int_equal(d.ticks_to_synthetic.rate.reference_ticks, 1000);
    assert_int_equal(d.error_bound, 77);
    assert_int_equal(d.generation_counter, 6);
    assert_int_equal(d.last_rate_adjust_update_ticks, start + 1000000);
    assert_int_equal(d.last_error_bounds_update_ticks, start + 1000000);
    assert_int_equal(d.last_value_update_ticks, start - 1000);
    /* Values at the ends of time do not overflow. */
    assert_status(update(clock, VALUE, INT64_MAX, 0, 0), ZX_OK);
    fixture_advance(1000);
    assert_int_equal(now_of(clock), INT64_MAX);
}

/* A tick that is not a nanosecond, with terms that do not fit 32 bits together. */
static void test_ticks(void **state)
{
    zx_handle_t clock = new_clock(0, 0);
    zx_clock_rate_t rate;

    (void)state;
    fake_boot.tick_numerator = 999999937;
    fake_boot.tick_denominator = 2399999963u;
    assert_status(update(clock, VALUE | RATE, 5000, 999, 0), ZX_OK);
    rate = details_of(clock).ticks_to_synthetic.rate;
    assert_in_range((uint64_t)rate.synthetic_ticks * 1000000000ull / rate.reference_ticks,
                    417082893, 417082913);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create),
        TEST(test_update_errors),
        TEST(test_update),
        TEST(test_ticks),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
