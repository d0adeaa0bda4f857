/*
 * preempt.h - when user code that does not enter the kernel by itself loses the processor.
 *
 * The limit is CPU time of the vCPU's thread since the last entry, so that other load on the host
 * does not count: between one and two periods.
 */
#ifndef ZVMM_REPLAY_PREEMPT_H
#define ZVMM_REPLAY_PREEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "error.h"

enum { PREEMPT_LIMIT_MS = 100 };

struct preempt {
    bool created;
    timer_t id;
    uint64_t seen;  /* the guest's clock at the last look */
    unsigned still; /* looks in a row at which user code ran and the clock stood */
};

void preempt_init(struct preempt *preempt);

/* Start the timer that kicks `thread`, which is the calling one. */
int preempt_begin(struct preempt *preempt, pid_t thread, struct zvmm_error *error);

/* Whether to preempt now. `tsc` is the guest's clock, `in_user` says whether user code runs. */
bool preempt_due(struct preempt *preempt, uint64_t tsc, bool in_user);

void preempt_destroy(struct preempt *preempt);

#endif
