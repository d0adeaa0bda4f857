/*
 * pace.h - how fast the processor is at this moment: a few instructions that need all that its core
 * can start in a cycle. If somebody else works on that core, in another virtual machine, say, they
 * take longer; and caches are shared then, too.
 */
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The full pace is the fastest at which at least one look in PACE_RARE was taken. Faster ones are
 * moments in which the processor's clock was raised, and compare with the others as badly as slow
 * ones do.
 */
enum {
    PACE_TOLERANCE = 32, /* a 32nd beside it is the same pace */
    PACE_RARE = 50,
};

/* A look, in ticks; takes half a microsecond. */
uint64_t pace(void);

/* Remembers one look. */
void pace_note(uint64_t ticks);

/* As far as is known until now. */
bool pace_is_full(uint64_t ticks);

#endif
