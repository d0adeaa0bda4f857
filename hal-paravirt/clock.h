/* clock.h - conversions between ticks (the TSC) and nanoseconds of the monotonic clock. */
#ifndef HAL_PARAVIRT_CLOCK_H
#define HAL_PARAVIRT_CLOCK_H

#include <hal.h>

void clock_init(void);

/* The time stamp counter, or what takes its place in deterministic mode. */
uint64_t clock_now(void);

/* The first tick at which hal_now() is `time` or later; 0 for the past, UINT64_MAX for infinity. */
uint64_t clock_ticks(zx_time_t time);

#endif
