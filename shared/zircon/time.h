/*
 * Units of time. Durations and deadlines are counted in nanoseconds in 63 bits, which lasts 292
 * years. The arguments are converted before they are multiplied, so that int arguments do not
 * overflow; the saturating helpers keep an infinite deadline infinite.
 */
#ifndef ZIRCON_TIME_H
#define ZIRCON_TIME_H

#include <zircon/types.h>

#define ZX_NSEC(n) ((zx_duration_t)(n))
#define ZX_USEC(n) ((zx_duration_t)(n)*1000)
#define ZX_MSEC(n) ((zx_duration_t)(n)*1000000)
#define ZX_SEC(n)  ((zx_duration_t)(n)*1000000000)
#define ZX_MIN(n)  (ZX_SEC(n) * 60)
#define ZX_HOUR(n) (ZX_MIN(n) * 60)

/* time + duration, stopping at the infinities instead of wrapping round. */
static inline zx_time_t zx_time_add_duration(zx_time_t time, zx_duration_t duration)
{
    zx_time_t sum;
    if (!__builtin_add_overflow(time, duration, &sum))
        return sum;
    return duration > 0 ? ZX_TIME_INFINITE : ZX_TIME_INFINITE_PAST;
}

/* time - duration, likewise. */
static inline zx_time_t zx_time_sub_duration(zx_time_t time, zx_duration_t duration)
{
    zx_time_t difference;
    if (!__builtin_sub_overflow(time, duration, &difference))
        return difference;
    return duration > 0 ? ZX_TIME_INFINITE_PAST : ZX_TIME_INFINITE;
}

/* The duration from then until now, likewise. */
static inline zx_duration_t zx_time_sub_time(zx_time_t now, zx_time_t then)
{
    return zx_time_sub_duration(now, then);
}

#endif
