/*
 * clock.c - the monotonic clock is floor(ticks * numerator / denominator), saturating, the same
 * function that the vDSO computes in user mode.
 */
#include "clock.h"

#include <cpuid.h>
#include <time.h>

#include "machine.h"
#include "x86.h"

#define NUMERATOR   1000000u /* denominator: ticks per millisecond */
#define MEASURED_NS 10000000
#define LONGEST_NS  (365ull * 24 * 3600 * 1000000000)

static struct {
    uint64_t khz;
    zx_time_t wall_offset;
} the_clock;

/* ---- Conversions ----------------------------------------------------------------------------- */

/* a * b / c with a 128-bit product, saturating. `div` at once: libgcc's division is ten times as
 * slow. */
static inline uint64_t scale(uint64_t a, uint64_t b, uint64_t c, uint64_t *remainder)
{
    uint64_t low, high, quotient;

    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "rm"(b) : "cc");
    *remainder = 0;
    if (high >= c)
        return UINT64_MAX;
    __asm__("divq %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "rm"(c) : "cc");
    return quotient;
}

static inline zx_time_t time_of(uint64_t ticks)
{
    uint64_t remainder, time = scale(ticks, NUMERATOR, the_clock.khz, &remainder);

    return time > INT64_MAX ? INT64_MAX : (zx_time_t)time;
}

uint64_t clock_ticks(zx_time_t time)
{
    uint64_t remainder, ticks;

    if (time <= 0)
        return 0;
    if (time == ZX_TIME_INFINITE)
        return UINT64_MAX;
    ticks = scale((uint64_t)time, the_clock.khz, NUMERATOR, &remainder);
    return ticks + (remainder != 0);
}

uint64_t clock_ns_until(uint64_t ticks)
{
    uint64_t now = x86_rdtsc(), remainder, ns;

    if (ticks <= now)
        return 0;
    ns = scale(ticks - now, NUMERATOR, the_clock.khz, &remainder) + 1;
    return ns < LONGEST_NS ? ns : LONGEST_NS;
}

/* ---- Frequency ------------------------------------------------------------------------------- */

static uint64_t host_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Leaf 0x15: the crystal's frequency and its ratio to the TSC, where both are told. */
static uint64_t khz_by_cpuid(void)
{
    uint32_t a, b, c, d;

    if (!__get_cpuid(0x15, &a, &b, &c, &d) || !a || !b || !c)
        return 0;
    return (uint64_t)c * b / a / 1000;
}

/* One reading of both clocks: the one of several that took the shortest time. */
static void read_both(uint64_t *ticks, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 8; i++) {
        uint64_t before = x86_rdtsc(), now = host_ns(CLOCK_MONOTONIC), after = x86_rdtsc();

        if (after - before >= best)
            continue;
        best = after - before;
        *ticks = before + best / 2;
        *ns = now;
    }
}

static uint64_t khz_by_measuring(void)
{
    struct timespec wait = {.tv_nsec = MEASURED_NS};
    uint64_t ticks, ns, ticks_then, ns_then;

    read_both(&ticks, &ns);
    nanosleep(&wait, NULL);
    read_both(&ticks_then, &ns_then);
    return (ticks_then - ticks) * 1000000 / (ns_then - ns);
}

void clock_init(struct hal_boot *boot)
{
    the_clock.khz = khz_by_cpuid();
    if (the_clock.khz == 0)
        the_clock.khz = khz_by_measuring();
    if (the_clock.khz == 0 || the_clock.khz > UINT32_MAX)
        machine_fail("the time stamp counter does not count; zlibos needs a constant one");
    machine_remark("time stamp counter: %llu kHz", (unsigned long long)the_clock.khz);
    the_clock.wall_offset = (zx_time_t)host_ns(CLOCK_REALTIME) - time_of(x86_rdtsc());
    boot->tick_numerator = NUMERATOR;
    boot->tick_denominator = (uint32_t)the_clock.khz;
    boot->ticks_per_second = the_clock.khz * 1000;
}

/* ---- Contract -------------------------------------------------------------------------------- */

zx_ticks_t hal_ticks(void)
{
    return (zx_ticks_t)x86_rdtsc();
}

zx_time_t hal_now(void)
{
    return time_of(x86_rdtsc());
}

zx_time_t hal_wall_clock_offset(void)
{
    return the_clock.wall_offset;
}

/* Nobody moves a process's time. */
void hal_set_ticks_offset(hal_paddr_t word)
{
    (void)word;
}
