/*
 * clock.h - the clock of rows on Linux: the time stamp counter, as zbench reads it.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t bench_ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low | (uint64_t)high << 32;
}

double bench_ticks_per_second(void);

/* By the vDSO, for zx_clock_get_monotonic. */
static inline void bench_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
}

/* There is no VMM to tell. */
static inline void bench_marker(unsigned id)
{
    (void)id;
}

#endif
