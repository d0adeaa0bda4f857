/*
 * vouch.h - whether a sample may be believed. Pure: times and facts in, verdicts out.
 *
 * All times are the host's TSC. Facts come from providers (switches.h, facts.h, steal.h; fakes in
 * tests); each says of a stretch of time that something was wrong in it, or of a moment that the
 * guest was left.
 */
#ifndef ZVMM_BENCH_VOUCH_H
#define ZVMM_BENCH_VOUCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a sample is left out; bits. */
enum {
    VOUCH_DESCHEDULED = 1, /* the processor was given to somebody else meanwhile           */
    VOUCH_STOLEN = 2,      /* the hypervisor below took the processor away                 */
    VOUCH_EXITS = 4,       /* the guest was left more often than the work requires         */
    VOUCH_BLIND = 8,       /* the facts about this time were lost or could not be had      */
    VOUCH_PACE = 16,       /* the core was slower (somebody else works on it) or faster    */
    VOUCH_REASONS = 5,     /* how many bits there are                                      */
};

/* [begin, end] was disturbed, for this reason. */
struct vouch_span {
    uint64_t begin, end;
    unsigned reason;
};

/* Moments, ascending. */
struct vouch_moments {
    uint64_t *at;
    size_t count, room;
};

/* The facts of one run, growing. Zero-initialised is empty. */
struct vouch_facts {
    struct vouch_span *spans;
    size_t span_count, span_room;
    struct vouch_moments exits;  /* when the guest was left */
    struct vouch_moments blocks; /* when the process gave up the processor by itself */
    bool out_of_memory;          /* something could not be kept: nothing can be vouched for */
};

/* A sample's time, and the verdict: 0, or VOUCH_* bits. */
struct vouch_window {
    uint64_t begin, end;
    uint64_t pace; /* ticks that the same instructions took beside the sample; 0: not known */
    unsigned reasons;
};

void vouch_add_span(struct vouch_facts *facts, uint64_t begin, uint64_t end, unsigned reason);
void vouch_add_exit(struct vouch_facts *facts, uint64_t at);
void vouch_add_block(struct vouch_facts *facts, uint64_t at);
void vouch_clear(struct vouch_facts *facts);

/*
 * Judge the windows of one row. What the work requires in exits and in blocking is what most of its
 * samples needed; of two counts that are as frequent, the smaller. What disturbed a sample for less
 * than a hundredth of its time is overlooked, so that one of a tenth of a second has a chance.
 */
void vouch_judge(const struct vouch_facts *facts, struct vouch_window *windows, size_t count);

/*
 * Give each sample of a row, in the order in which they were taken, the slowest of its own pace and
 * its neighbours'. Who shares the core does so in bursts, and their ends are not seen.
 */
void vouch_spread_pace(struct vouch_window *windows, size_t count);

/*
 * The session's full pace: the middle of the fastest one that is no exception, which means that one
 * sample in fifty at least had it. Faster moments are those of a raised clock. Sorts `paces`. 0 if
 * there are none.
 */
uint64_t vouch_full_pace(uint64_t *paces, size_t count);

/* Whether a sample was taken at full pace, give or take a 32nd. Pace 0 is not known, and passes. */
bool vouch_is_full_pace(uint64_t pace, uint64_t full);

#endif
