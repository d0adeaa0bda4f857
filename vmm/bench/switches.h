/*
 * switches.h - when a thread was not on a processor: the kernel's own record of its context
 * switches (perf_event_open, PERF_RECORD_SWITCH), each with a time. Costs the thread nothing
 * between switches, and needs nothing of it.
 */
#ifndef ZVMM_BENCH_SWITCHES_H
#define ZVMM_BENCH_SWITCHES_H

#include <stdbool.h>
#include <sys/types.h>

#include "bench/vouch.h"

/* Two clocks at one moment. */
struct switches_moment {
    uint64_t tsc, ns;
};

struct switches {
    int fd; /* -1: not available, `reason` says why */
    int reason;
    void *ring;
    uint64_t tail;
    uint64_t out_ns; /* when the thread went off the processor; 0: it is on it */
    struct switches_moment start;
    struct vouch_facts raw; /* spans in nanoseconds, until switches_finish() */
};

/* Begin to record the thread `tid`. Never fails: see `fd`. */
void switches_open(struct switches *switches, pid_t tid);

/* Take what is new; call it some times a second. */
void switches_drain(struct switches *switches);

/* The last of it: adds all spans to `to`, in TSC time. Where there is no record, all is blind. */
void switches_finish(struct switches *switches, struct vouch_facts *to);

/* One line: why there is no record and what to do. */
const char *switches_explain(int reason);

#endif
