/*
 * facts.h - what the process that runs the virtual machine tells the one that watches it: each time
 * the guest was left, and each marker with counters. A ring in memory that both share, one writer
 * and one reader; writing costs some nanoseconds and happens only when the guest is left anyway.
 */
#ifndef ZVMM_BENCH_FACTS_H
#define ZVMM_BENCH_FACTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/pmu.h"
#include "bench/vouch.h"

enum { FACTS_RING = 1 << 16, FACTS_READINGS = 1 << 14 };

struct facts_ring {
    _Atomic(uint64_t) head; /* free-running; fact i is in at[i % FACTS_RING] */
    uint64_t tail;          /* the reader's */
    uint64_t tsc_offset;    /* guest TSC less the host's; set before the guest runs */
    uint64_t at[FACTS_RING];
    /* Readings of the counters, all of one boot; those beyond the array are dropped. */
    _Atomic(uint64_t) reading_count;
    struct pmu_reading readings[FACTS_READINGS];
};

/* NULL without memory. Shared with children that are forked later. */
struct facts_ring *facts_create(void);
void facts_destroy(struct facts_ring *ring);

/* Writer: the guest was left now. */
void facts_note_exit(struct facts_ring *ring);

/* Writer: the counters were read now. */
void facts_note_reading(struct facts_ring *ring, const struct pmu_reading *reading);

/* Reader: take what is new. What was overwritten before it was read becomes a blind span. */
void facts_drain(struct facts_ring *ring, struct vouch_facts *to);

#endif
