/*
 * clock.h - the clock of our kernel's programs, and markers for the VMM.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <zircon/syscalls.h>

static inline uint64_t bench_ticks(void)
{
    return (uint64_t)zx_ticks_get();
}

static inline double bench_ticks_per_second(void)
{
    return (double)zx_ticks_per_second();
}

/* The time of day's kind of clock, read without the kernel. */
static inline void bench_clock(void)
{
    zx_clock_get_monotonic();
}

/* ZV_CALL_MARKER: names this point of the run. */
void bench_marker(unsigned id);

#endif
