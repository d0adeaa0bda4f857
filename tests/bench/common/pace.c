/* pace.c - which pace is the processor's full one. */
#include "pace.h"

enum {
    TICKS_A_BIN = 4,
    BINS = 4096, /* the last has everything slower */
    LOOK_AGAIN = 32,
};

static unsigned seen[BINS]; /* how often */
static unsigned total;
static uint64_t full; /* in ticks */

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
