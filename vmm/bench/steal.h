/*
 * steal.h - time that the hypervisor below this host took from a processor, as /proc/stat counts it
 * (in hundredths of a second, so a span is as long as the time between two readings).
 */
#ifndef ZVMM_BENCH_STEAL_H
#define ZVMM_BENCH_STEAL_H

#include <stdbool.h>

#include "bench/vouch.h"

/* A processor's line of /proc/stat, in ticks. */
struct steal_counters {
    uint64_t busy, idle, steal;
};

/* Read the line of `cpu` in the file `path`. */
bool steal_read(const char *path, int cpu, struct steal_counters *out);

struct steal {
    const char *path; /* "/proc/stat"; the caller's */
    int cpu;
    uint64_t last, last_tsc;
    bool known;
};

void steal_begin(struct steal *steal, const char *path, int cpu, uint64_t now_tsc);

/* Read again; if the counter has grown, all since the last reading is a span. */
void steal_poll(struct steal *steal, uint64_t now_tsc, struct vouch_facts *to);

#endif
