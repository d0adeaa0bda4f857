/* pace.c - looks at the processor's pace, and which pace is its full one. */
#include "pace.h"

#include "clock.h"

enum {
    TURNS = 1200, /* of the loop, for a look */
    FIRST_TURNS = 16,
    TICKS_A_BIN = 4,
    BINS = 4096, /* the last has everything slower */
    LOOK_AGAIN = 32,
};

static unsigned seen[BINS]; /* how often */
static unsigned total;
static uint64_t full; /* in ticks */

/*
 * Six instructions a turn that wait for nothing are as much as a processor of 2022 starts in a cycle:
 * whatever else the core starts is missing here, were it only a program that mostly waits for memory,
 * of which a loop of sums that depend on each other sees nothing.
 */
static __attribute__((noinline)) uint64_t time_loop(uint64_t turns)
{
    uint64_t start = bench_ticks(), a = 0, b = 0, c = 0, d = 0;

    __asm__ volatile(".p2align 6\n"
                     "1:\n\t"
                     "add $1, %1\n\tadd $1, %2\n\tadd $1, %3\n\tadd $1, %4\n\tnop\n\t"
                     "dec %0\n\tjnz 1b"
                     : "+r"(turns), "+r"(a), "+r"(b), "+r"(c), "+r"(d)
                     :
                     : "cc");
    return bench_ticks() - start;
}

/* What a sample has left in the caches must not matter: the first turns fetch the code. */
uint64_t pace(void)
{
    time_loop(FIRST_TURNS);
    return time_loop(TURNS);
}

/* Bins [first, end) are a 32nd of their height: one pace, as far as it can be measured. */
static unsigned end_of_pace(unsigned first)
{
    unsigned end = first + first / PACE_TOLERANCE + 1;

    return end < BINS ? end : BINS;
}

static unsigned count_in(unsigned first, unsigned end)
{
    unsigned count = 0;

    while (first < end)
        count += seen[first++];
    return count;
}

/* The middle of the fastest pace that is not an exception. */
static uint64_t find_full(void)
{
    unsigned first = 0, count, below = 0;

    while (seen[first] == 0 || count_in(first, end_of_pace(first)) * PACE_RARE < total)
        first++;
    count = count_in(first, end_of_pace(first));
    while ((below + seen[first]) * 2 < count)
        below += seen[first++];
    return (uint64_t)first * TICKS_A_BIN + TICKS_A_BIN / 2;
}

void pace_note(uint64_t ticks)
{
    uint64_t bin = ticks / TICKS_A_BIN;

    seen[bin < BINS ? bin : BINS - 1]++;
    if (++total % LOOK_AGAIN == 0 || total < LOOK_AGAIN)
        full = find_full();
}

bool pace_is_full(uint64_t ticks)
{
    uint64_t tolerance = full / PACE_TOLERANCE + TICKS_A_BIN;

    return ticks + tolerance >= full && ticks <= full + tolerance;
}
