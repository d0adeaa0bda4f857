/* clock.h - conversions between ticks and nanoseconds of the monotonic clock. */
#ifndef HAL_PARAVIRT_CLOCK_H
#define HAL_PARAVIRT_CLOCK_H

#include "machine.h"
#include "x86.h"

void clock_init(void);

/* What takes the place of the time stamp counter in deterministic mode, or adds an offset. It keeps
 * all registers. */
uint64_t clock_now_otherwise(void) __attribute__((no_caller_saved_registers, used));

/*
 * The call is hidden from the compiler: functions that read the clock, which each switch of threads
 * does, would have to make a frame for it. It writes no memory.
 */
static inline uint64_t clock_now(void)
{
    uint64_t now;

    if (__builtin_expect(machine.tsc_is_clock, true))
        return x86_rdtsc();
    __asm__ volatile("call clock_now_otherwise" : "=a"(now) : : "cc");
    return now;
}

/* The first tick at which hal_now() is `time` or later; 0 for the past, UINT64_MAX for infinity. */
uint64_t clock_ticks(zx_time_t time);

#endif
