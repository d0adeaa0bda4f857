/* clock.h - conversions between ticks (the TSC) and nanoseconds of the monotonic clock. */
#ifndef HAL_PARAVIRT_CLOCK_H
#define HAL_PARAVIRT_CLOCK_H

#include "machine.h"
#include "x86.h"

void clock_init(void);

/* The time stamp counter, or what takes its place in deterministic mode. */
static inline uint64_t clock_now(void)
{
    if (__builtin_expect(machine.deterministic, false))
        return machine.shared->virtual_tsc;
    return x86_rdtsc();
}

/* The first tick at which hal_now() is `time` or later; 0 for the past, UINT64_MAX for infinity. */
uint64_t clock_ticks(zx_time_t time);

#endif
