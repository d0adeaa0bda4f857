/*
 * clock.c - the monotonic clock is a ratio of the ticks (clock_ratio.h). Ticks are the TSC, plus an
 * offset where zvmm can move time in no other way (shared/hypercall.h).
 */
#include "clock.h"

#include "clock_ratio.h"
#include "machine.h"
#include "x86.h"

static struct clock_ratio ratio;

void clock_init(void)
{
    ratio.numerator = machine.info->ticks_numerator;
    ratio.denominator = machine.info->ticks_denominator;
}

uint64_t clock_ticks(zx_time_t time)
{
    return clock_ratio_ticks(&ratio, time);
}

uint64_t clock_now_otherwise(void)
{
    uint64_t offset, tsc;

    if (machine.deterministic)
        return machine.shared->virtual_tsc;
    do {
        offset = machine.shared->tsc_offset;
        tsc = x86_rdtsc();
    } while (offset != machine.shared->tsc_offset);
    return tsc + offset;
}

void hal_set_ticks_offset(hal_paddr_t word)
{
    if (!machine.tsc_is_clock && !machine.deterministic)
        machine.shared->ticks_offset_paddr = word;
}

zx_ticks_t hal_ticks(void)
{
    return (zx_ticks_t)clock_now();
}

zx_time_t hal_now(void)
{
    return clock_ratio_time(&ratio, clock_now());
}

zx_time_t hal_wall_clock_offset(void)
{
    return (zx_time_t)machine.info->wall_clock_ns -
           clock_ratio_time(&ratio, machine.info->wall_clock_tsc);
}
