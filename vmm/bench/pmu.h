/*
 * pmu.h - cycles and instructions that the guest spent in a sample, on hosts that have a
 * performance monitoring unit. The counters are read whenever the guest sets a marker; zbench sets
 * one before and one after each sample, outside the time that it takes itself.
 */
#ifndef ZVMM_BENCH_PMU_H
#define ZVMM_BENCH_PMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/vouch.h"

struct pmu_reading {
    uint64_t tsc; /* host's */
    uint64_t cycles, instructions;
};

/* Where readings come from. `state` is the provider's own. */
struct pmu_provider {
    const char *name;
    /* For the calling thread; false: this host has none. */
    bool (*open)(void **state);
    bool (*read)(void *state, struct pmu_reading *out); /* fills all but tsc */
};

extern const struct pmu_provider pmu_perf; /* guest-only counters of perf_event_open */
extern const struct pmu_provider pmu_tsc;  /* TSC ticks as cycles, no instructions: for tests */

/* What a sample took. */
struct pmu_cost {
    bool known;
    double cycles, instructions; /* less what the markers themselves take */
};

/*
 * The cost of each window: the last reading before it and the first one after it. What markers take
 * is the least that lies between the reading after one window and the next reading. `readings` are
 * in order of time. Windows without both readings are not known.
 */
void pmu_attribute(const struct pmu_reading *readings, size_t reading_count,
                   const struct vouch_window *windows, size_t count, struct pmu_cost *costs);

#endif
