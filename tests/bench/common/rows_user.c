/*
 * rows_user.c - work that never enters the kernel, and an instruction that makes the processor
 * leave the virtual machine.
 */
#include <cpuid.h>

#include "rows.h"

/* Multiplications that depend on each other: nothing but the processor's clock decides. */
static void loop(struct run *run, const struct row *row)
{
    uint64_t x = 3;

    RUN_TURNS(run)
        for (uint64_t i = 0; i < row->count; i++)
            __asm__ volatile("imul %0, %0" : "+r"(x));
}

static void ticks_get(struct run *run, const struct row *row)
{
    (void)row;
    RUN_TURNS(run)
        bench_ticks();
}

static void clock_get(struct run *run, const struct row *row)
{
    (void)row;
    RUN_TURNS(run)
        bench_clock();
}

/* CPUID leaves a virtual machine, and KVM answers it. Syscall/Marker goes on to zvmm. */
static void cpuid(struct run *run, const struct row *row)
{
    unsigned a, b, c, d;

    (void)row;
    RUN_TURNS(run)
        __cpuid(0, a, b, c, d);
}

const struct row user_rows[] = {
    {"User/Loop/4096", loop, .count = 4096},
    {"User/TicksGet", ticks_get, .batch = 64},
    {"User/ClockGet", clock_get, .batch = 64},
    {"Exit/Cpuid", cpuid, .batch = 8},
    {0},
};
