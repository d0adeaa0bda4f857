/* clock.h - the monotonic clock: a function of the TSC, whose frequency is found at start. */
#ifndef HAL_LIBOS_CLOCK_H
#define HAL_LIBOS_CLOCK_H

#include <hal.h>

/* Takes 10 ms where neither the processor nor the host's kernel tells the frequency. */
void clock_init(struct hal_boot *boot);

/* The first tick at which hal_now() is `time` or later; 0 for the past, UINT64_MAX for infinity. */
uint64_t clock_ticks(zx_time_t time);

/* Nanoseconds from now until the TSC reads `ticks`: 0 if it does already, at most a year. */
uint64_t clock_ns_until(uint64_t ticks);

#endif
