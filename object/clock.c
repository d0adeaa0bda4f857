/*
 * clock.c - clock objects.
 */
#include "clock.h"

#include <hal.h>
#include <zircon/errors.h>
#include <zircon/time.h>

#include "executor.h"
#include "heap.h"

#define MILLION 1000000

zx_status_t clock_create(uint64_t options, zx_time_t backstop, struct clock **out)
{
    bool auto_start = options & ZX_CLOCK_OPT_AUTO_START;
    struct clock *clock;

    if (options & ~(ZX_CLOCK_OPT_MONOTONIC | ZX_CLOCK_OPT_CONTINUOUS | ZX_CLOCK_OPT_AUTO_START))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_CLOCK_OPT_CONTINUOUS) && !(options & ZX_CLOCK_OPT_MONOTONIC))
        return ZX_ERR_INVALID_ARGS;
    if (backstop < 0 || (auto_start && backstop > hal_now()))
        return ZX_ERR_INVALID_ARGS;
    clock = heap_zalloc(sizeof *clock);
    if (!clock)
        return ZX_ERR_NO_MEMORY;
    object_init(&clock->object, &clock_ops, auto_start ? ZX_CLOCK_STARTED : 0);
    clock->options = options;
    clock->backstop = backstop;
    clock->started = auto_start;
    clock->synthetic = auto_start ? 0 : backstop;
    clock->rate = (zx_clock_rate_t){auto_start, 1};
    clock->error_bound = ZX_CLOCK_UNKNOWN_ERROR;
    *out = clock;
    return ZX_OK;
}

/*
 * a * rate without a 128-bit division: the whole part and the remainder are scaled on their own.
 * The rate's terms are below 2^21. a is not negative: the reference lies in the past.
 */
static int64_t scale(int64_t a, zx_clock_rate_t rate)
{
    int64_t whole = a / rate.reference_ticks, rest = a % rate.reference_ticks, product;

    if (__builtin_mul_overflow(whole, (int64_t)rate.synthetic_ticks, &product))
        return INT64_MAX;
    return zx_time_add_duration(product, rest * rate.synthetic_ticks / rate.reference_ticks);
}

static zx_time_t value_at(const struct clock *clock, zx_time_t now)
{
    return zx_time_add_duration(clock->synthetic, scale(now - clock->reference, clock->rate));
}

zx_time_t clock_read(const struct clock *clock)
{
    return value_at(clock, hal_now());
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* The clock's rate against ticks instead of nanoseconds, as exact as 32-bit terms allow. */
static zx_clock_rate_t ticks_rate(zx_clock_rate_t rate)
{
    const struct hal_boot *boot = kernel()->boot;
    uint64_t n = (uint64_t)rate.synthetic_ticks * boot->tick_numerator;
    uint64_t d = (uint64_t)rate.reference_ticks * boot->tick_denominator;
    uint64_t common = gcd(n, d);

    n /= common;
    d /= common;
    while (n > UINT32_MAX || d > UINT32_MAX) {
        n >>= 1;
        d >>= 1;
    }
    return (zx_clock_rate_t){(uint32_t)n, (uint32_t)d};
}

void clock_get_details(const struct clock *clock, zx_clock_details_v1_t *out)
{
    *out = (zx_clock_details_v1_t){
        .options = clock->options,
        .backstop_time = clock->backstop,
        .mono_to_synthetic = {clock->reference, clock->synthetic, clock->rate},
        .ticks_to_synthetic = {clock->reference_ticks, clock->synthetic, {0, 1}},
        .error_bound = clock->error_bound,
        .query_ticks = hal_ticks(),
        .last_value_update_ticks = clock->value_ticks,
        .last_rate_adjust_update_ticks = clock->rate_ticks,
        .last_error_bounds_update_ticks = clock->error_ticks,
        .generation_counter = clock->generation,
    };
    if (clock->started)
        out->ticks_to_synthetic.rate = ticks_rate(clock->rate);
}

/* Errors that depend on the clock's state, in the order of the rules. */
static zx_status_t check_update(const struct clock *clock, uint64_t what, int64_t value,
                                zx_time_t now)
{
    bool has_value = what & ZX_CLOCK_UPDATE_OPTION_VALUE_VALID;

    if (has_value && value < clock->backstop)
        return ZX_ERR_INVALID_ARGS;
    if (!clock->started)
        return has_value ? ZX_OK : ZX_ERR_BAD_STATE;
    if (has_value && (clock->options & ZX_CLOCK_OPT_CONTINUOUS))
        return ZX_ERR_INVALID_ARGS;
    if (has_value && (clock->options & ZX_CLOCK_OPT_MONOTONIC) && value < value_at(clock, now))
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

zx_status_t clock_update(struct clock *clock, uint64_t what, const zx_clock_update_args_v1_t *args)
{
    zx_time_t now = hal_now();
    zx_ticks_t ticks = hal_ticks();
    zx_status_t status = check_update(clock, what, args->value, now);

    if (status != ZX_OK)
        return status;
    if (what & (ZX_CLOCK_UPDATE_OPTION_VALUE_VALID | ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID)) {
        /* A new line from here: through the given value, or through the present one. */
        clock->synthetic =
            what & ZX_CLOCK_UPDATE_OPTION_VALUE_VALID ? args->value : value_at(clock, now);
        clock->reference = now;
        clock->reference_ticks = ticks;
    }
    if (what & ZX_CLOCK_UPDATE_OPTION_VALUE_VALID)
        clock->value_ticks = ticks;
    if (what & ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID) {
        clock->rate = (zx_clock_rate_t){(uint32_t)(MILLION + args->rate_adjust), MILLION};
        clock->rate_ticks = ticks;
    } else if (!clock->started) {
        clock->rate = (zx_clock_rate_t){1, 1};
    }
    if (what & ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID) {
        clock->error_bound = args->error_bound;
        clock->error_ticks = ticks;
    }
    clock->generation += 2;
    if (!clock->started) {
        clock->started = true;
        object_update_signals(&clock->object, 0, ZX_CLOCK_STARTED);
    }
    return ZX_OK;
}

static void clock_destroy(struct object *object)
{
    heap_free(container_of(object, struct clock, object));
}

const struct object_ops clock_ops = {
    .type = ZX_OBJ_TYPE_CLOCK,
    .name = "clock",
    .default_rights = ZX_DEFAULT_CLOCK_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = clock_destroy,
};
