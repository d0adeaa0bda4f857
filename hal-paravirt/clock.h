/* clock.h - conversions between ticks and nanoseconds of the monotonic clock. */
#ifndef HAL_PARAVIRT_CLOCK_H
#define HAL_PARAVIRT_CLOCK_H

#include "machine.h"
#include "x86.h"

void clock_init(void);

/* What takes the time stamp counter's place in deterministic mode, or needs an offset to it. */
uint64_t clock_now_otherwise(void);

static inline uint64_t clock_now(void)
{
    return __builtin_expect(machine.tsc_is_clock, true) ? x86_rdtsc() : clock_now_otherwise();
}

/* The first tick at which hal_now() is `time` or later; 0 for the past, UINT64_MAX for infinity. */
uint64_t clock_ticks(zx_time_t time);

#endif
