/*
 * Clocks and sleeping.
 */
#include "zx_time.h"

#include <errno.h>
#include <time.h>
#include <zircon/clock.h>
#include <zircon/errors.h>
#include <zircon/syscalls.h>

#define SECOND 1000000000l

int __clock_gettime(clockid_t clock, struct timespec *time);
int __clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                      struct timespec *remaining);

static int read_clock(clockid_t clock, zx_time_t *now)
{
    switch (clock) {
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *now = zx_clock_get_monotonic();
        return 0;
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        return zx_clock_get(ZX_CLOCK_UTC, now) == ZX_OK ? 0 : EINVAL;
    case CLOCK_THREAD_CPUTIME_ID:
        return zx_clock_get(ZX_CLOCK_THREAD, now) == ZX_OK ? 0 : EINVAL;
    }
    return EINVAL;
}

int __clock_gettime(clockid_t clock, struct timespec *time)
{
    zx_time_t now;
    int error = read_clock(clock, &now);

    if (error) {
        errno = error;
        return -1;
    }
    time->tv_sec = now / SECOND;
    time->tv_nsec = now % SECOND;
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    return __clock_gettime(clock, time);
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    struct timespec now;

    if (__clock_gettime(clock, &now) != 0)
        return -1;
    if (resolution)
        *resolution = (struct timespec){.tv_nsec = 1};
    return 0;
}

int zx_deadline_from(clockid_t clock, const struct timespec *time, zx_time_t *deadline)
{
    zx_time_t now, nanoseconds;

    if (time->tv_nsec < 0 || time->tv_nsec >= SECOND)
        return EINVAL;
    int error = read_clock(clock, &now);
    if (error)
        return error;
    if (__builtin_mul_overflow(time->tv_sec, SECOND, &nanoseconds) ||
        __builtin_add_overflow(nanoseconds, time->tv_nsec, &nanoseconds))
        nanoseconds = time->tv_sec < 0 ? ZX_TIME_INFINITE_PAST : ZX_TIME_INFINITE;
    if (__builtin_sub_overflow(nanoseconds, now, &nanoseconds))
        *deadline = now < 0 ? ZX_TIME_INFINITE : ZX_TIME_INFINITE_PAST;
    else
        *deadline = zx_deadline_after(nanoseconds);
    return 0;
}

int __clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                      struct timespec *remaining)
{
    zx_time_t deadline;

    if (remaining && !(flags & TIMER_ABSTIME))
        *remaining = (struct timespec){0}; /* nothing interrupts a sleep */
    if (flags & TIMER_ABSTIME) {
        int error = zx_deadline_from(clock, request, &deadline);
        if (error)
            return error;
    } else {
        zx_duration_t duration;
        if (request->tv_sec < 0 || request->tv_nsec < 0 || request->tv_nsec >= SECOND)
            return EINVAL;
        if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
            return EINVAL;
        if (__builtin_mul_overflow(request->tv_sec, SECOND, &duration) ||
            __builtin_add_overflow(duration, request->tv_nsec, &duration))
            duration = INT64_MAX;
        deadline = zx_deadline_after(duration);
    }
    zx_nanosleep(deadline);
    return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                    struct timespec *remaining)
{
    return __clock_nanosleep(clock, flags, request, remaining);
}

int nanosleep(const struct timespec *request, struct timespec *remaining)
{
    int error = __clock_nanosleep(CLOCK_MONOTONIC, 0, request, remaining);

    if (error)
        errno = error;
    return error ? -1 : 0;
}
