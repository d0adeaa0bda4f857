/*
 * clock_ratio.h - ticks to nanoseconds and back: floor(ticks * numerator / denominator),
 * saturating, the same function that the vDSO computes in user mode.
 */
#ifndef HAL_COMMON_CLOCK_RATIO_H
#define HAL_COMMON_CLOCK_RATIO_H

#include <stdint.h>

#include <zircon/types.h>

struct clock_ratio {
    uint64_t numerator, denominator;
};

/* a * b / c with a 128-bit product, saturating. `div` at once: libgcc's division is ten times as
 * slow, and the kernel has none. */
static inline uint64_t clock_scale(uint64_t a, uint64_t b, uint64_t c, uint64_t *remainder)
{
    uint64_t low, high, quotient;

    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "rm"(b) : "cc");
    *remainder = 0;
    if (high >= c)
        return UINT64_MAX;
    __asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "rm"(c) : "cc");
    return quotient;
}

static inline zx_time_t clock_ratio_time(const struct clock_ratio *ratio, uint64_t ticks)
{
    uint64_t remainder;
    uint64_t time = clock_scale(ticks, ratio->numerator, ratio->denominator, &remainder);

    return time > INT64_MAX ? INT64_MAX : (zx_time_t)time;
}

/* The first tick at which `time` has come; UINT64_MAX: never. */
static inline uint64_t clock_ratio_ticks(const struct clock_ratio *ratio, zx_time_t time)
{
    uint64_t remainder, ticks;

    if (time <= 0)
        return 0;
    if (time == ZX_TIME_INFINITE)
        return UINT64_MAX;
    ticks = clock_scale((uint64_t)time, ratio->denominator, ratio->numerator, &remainder);
    return ticks + (remainder != 0);
}

#endif
