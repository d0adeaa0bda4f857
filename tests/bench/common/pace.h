/*
 * pace.h - how fast the processor is at this moment: a few instructions that keep all of its units
 * busy. If its core is shared, with another virtual machine, say, they take up to twice as long. A
 * loop of dependent instructions would not show that.
 */
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

#include <stdbool.h>

#include "clock.h"

/* In ticks. The caches may be cold: call it twice. */
static inline uint64_t pace_once(void)
{
    uint64_t start = bench_ticks(), a = 1, b = 2, c = 3, d = 4;

    for (unsigned i = 0; i < 600; i++)
        __asm__ volatile("add %1, %0\n\tadd %2, %1\n\tadd %3, %2\n\tadd %0, %3\n\t"
                         "lea 1(%0), %0\n\tlea 2(%1), %1\n\tlea 3(%2), %2\n\tlea 4(%3), %3"
                         : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
    return bench_ticks() - start;
}

/* In ticks; takes about a microsecond and a half. */
static inline uint64_t pace(void)
{
    uint64_t best = pace_once();

    for (unsigned i = 0; i < 2; i++) {
        uint64_t now = pace_once();

        best = now < best ? now : best;
    }
    return best;
}

/*
 * The full pace is the fastest at which at least one look in PACE_RARE was taken. Faster ones are
 * moments in which the processor's clock was raised, and compare with the others as badly as slow
 * ones do.
 */
enum {
    PACE_TOLERANCE = 32, /* a 32nd beside it is the same pace */
    PACE_RARE = 50,
};

/* Remembers one look. */
void pace_note(uint64_t ticks);

/* As far as is known until now. */
bool pace_is_full(uint64_t ticks);

#endif
