/*
 * clock.c - the monotonic clock is one function of the ticks, the same that the vDSO computes in
 * user mode: floor(ticks * numerator / denominator), saturating. Ticks are the TSC, plus an offset
 * where zvmm can move time in no other way (shared/hypercall.h).
 */
#include "clock.h"

#include "machine.h"
#include "x86.h"

static struct {
    uint64_t numerator, denominator;
} ratio;

void clock_init(void)
{
    ratio.numerator = machine.info->ticks_numerator;
    ratio.denominator = machine.info->ticks_denominator;
}

/* a * b / c with a 128-bit product, which C can only divide by a library call; saturates. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c, uint64_t *remainder)
{
    uint64_t low, high, quotient;

    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "rm"(b) : "cc");
    *remainder = 0;
    if (high >= c)
        return UINT64_MAX;
    __asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "rm"(c) : "cc");
    return quotient;
}

static zx_time_t time_of(uint64_t ticks)
{
    uint64_t remainder;
    uint64_t time = scale(ticks, ratio.numerator, ratio.denominator, &remainder);

    return time > INT64_MAX ? INT64_MAX : (zx_time_t)time;
}

uint64_t clock_ticks(zx_time_t time)
{
    uint64_t remainder, ticks;

    if (time <= 0)
        return 0;
    if (time == ZX_TIME_INFINITE)
        return UINT64_MAX;
    ticks = scale((uint64_t)time, ratio.denominator, ratio.numerator, &remainder);
    return ticks + (remainder != 0);
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
    return time_of(clock_now());
}

zx_time_t hal_wall_clock_offset(void)
{
    return (zx_time_t)machine.info->wall_clock_ns - time_of(machine.info->wall_clock_tsc);
}
