/*
 * rows_user.c - Linux: work that never enters the kernel (the vDSO's clock for zx_clock_get), and
 * CPUID, which leaves this machine if it is a virtual one.
 */
#include "linux.h"

#include <cpuid.h>
#include <time.h>

static void loop(struct run *run, const struct row *row)
{
    uint64_t x = 3;

    while (run_next(run))
        for (uint64_t i = 0; i < row->count; i++)
            __asm__ volatile("imul %0, %0" : "+r"(x));
}

static void ticks_get(struct run *run, const struct row *row)
{
    (void)row;
    while (run_next(run))
        bench_ticks();
}

static void clock_get(struct run *run, const struct row *row)
{
    struct timespec now;

    (void)row;
    while (run_next(run))
        clock_gettime(CLOCK_MONOTONIC, &now);
}

static void cpuid(struct run *run, const struct row *row)
{
    unsigned a, b, c, d;

    (void)row;
    while (run_next(run))
        __cpuid(0, a, b, c, d);
}

const struct row user_rows[] = {
    {"User/Loop/4096", loop, .count = 4096},
    {"User/TicksGet", ticks_get, .batch = 64},
    {"User/ClockGet", clock_get, .batch = 64},
    {"Exit/Cpuid", cpuid, .batch = 8},
    {0},
};
