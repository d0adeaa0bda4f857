/*
 * The state of the floating-point unit belongs to each thread, also when threads are preempted.
 */
#include "test.h"

#include <math.h>
#include <stdatomic.h>
#include <threads.h>

#define THREADS 4

static _Atomic bool stop;

/* Fills all SSE registers with a pattern of its own and looks whether they keep it. */
static int keeps_sse_registers(void *argument)
{
    uint64_t pattern[2], found[16][2], mismatches = 0;

    pattern[0] = (uint64_t)(uintptr_t)argument * 0x0101010101010101;
    pattern[1] = ~pattern[0];
    while (!stop) {
        __asm__ volatile(
            "movups (%0), %%xmm0; movaps %%xmm0, %%xmm1; movaps %%xmm0, %%xmm2\n"
            "movaps %%xmm0, %%xmm3; movaps %%xmm0, %%xmm4; movaps %%xmm0, %%xmm5\n"
            "movaps %%xmm0, %%xmm6; movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm8\n"
            "movaps %%xmm0, %%xmm9; movaps %%xmm0, %%xmm10; movaps %%xmm0, %%xmm11\n"
            "movaps %%xmm0, %%xmm12; movaps %%xmm0, %%xmm13; movaps %%xmm0, %%xmm14\n"
            "movaps %%xmm0, %%xmm15\n"
            "mov $3000000, %%eax\n"
            "1: dec %%eax; jnz 1b\n"
            "movups %%xmm0, (%1); movups %%xmm1, 16(%1); movups %%xmm2, 32(%1)\n"
            "movups %%xmm3, 48(%1); movups %%xmm4, 64(%1); movups %%xmm5, 80(%1)\n"
            "movups %%xmm6, 96(%1); movups %%xmm7, 112(%1); movups %%xmm8, 128(%1)\n"
            "movups %%xmm9, 144(%1); movups %%xmm10, 160(%1); movups %%xmm11, 176(%1)\n"
            "movups %%xmm12, 192(%1); movups %%xmm13, 208(%1); movups %%xmm14, 224(%1)\n"
            "movups %%xmm15, 240(%1)"
            :
            : "r"(pattern), "r"(found)
            : "rax", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
        for (int i = 0; i < 16; i++)
            mismatches += memcmp(found[i], pattern, sizeof(pattern)) != 0;
    }
    EXPECT_EQ(mismatches, 0);
    return 0;
}

static void run_threads(int (*function)(void *))
{
    thrd_t threads[THREADS];

    stop = false;
    for (uintptr_t i = 0; i < THREADS; i++)
        ASSERT_EQ(thrd_create(&threads[i], function, (void *)(i + 1)), thrd_success);
    zx_nanosleep(zx_deadline_after(MS(400)));
    stop = true;
    for (int i = 0; i < THREADS; i++)
        thrd_join(threads[i], NULL);
}

TEST(Fpu, SseRegisters)
{
    run_threads(keeps_sse_registers);
}

/* A sum on the x87 stack, with values kept there over a long loop. */
static int keeps_x87_registers(void *argument)
{
    int64_t mine = (int64_t)(uintptr_t)argument, result = 0, mismatches = 0;

    while (!stop) {
        __asm__ volatile("fildll %1; fildll %1; faddp\n"
                         "mov $3000000, %%eax\n"
                         "1: dec %%eax; jnz 1b\n"
                         "fistpll %0"
                         : "=m"(result)
                         : "m"(mine)
                         : "rax", "cc", "st", "st(1)");
        mismatches += result != 2 * mine;
    }
    EXPECT_EQ(mismatches, 0);
    return 0;
}

TEST(Fpu, X87Registers)
{
    run_threads(keeps_x87_registers);
}

static uint32_t get_mxcsr(void)
{
    uint32_t value;

    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

static void set_mxcsr(uint32_t value)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static int has_its_own_mxcsr(void *argument)
{
    uint32_t mine = 0x1f80 | (uint32_t)((uintptr_t)argument & 3) << 13; /* rounding mode */

    EXPECT_EQ(get_mxcsr() & ~0x3fu, 0x1f80); /* a new thread has the default */
    set_mxcsr(mine);
    while (!stop) {
        for (volatile int i = 0; i < 1000000; i++)
            ;
        EXPECT_EQ(get_mxcsr() & ~0x3fu, mine);
    }
    return 0;
}

TEST(Fpu, ControlRegisters)
{
    run_threads(has_its_own_mxcsr);
    EXPECT_EQ(get_mxcsr() & ~0x3fu, 0x1f80);
}

static int computes(void *argument)
{
    double x = (double)(uintptr_t)argument;

    while (!stop) {
        double sum = 0;
        for (int i = 1; i < 20000; i++)
            sum += sqrt(x * i) / i;
        double again = 0;
        for (int i = 1; i < 20000; i++)
            again += sqrt(x * i) / i;
        EXPECT_TRUE(sum == again);
    }
    return 0;
}

TEST(Fpu, ArithmeticInManyThreads)
{
    run_threads(computes);
}
