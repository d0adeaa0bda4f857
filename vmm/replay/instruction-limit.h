/*
 * instruction-limit.h - when user code that does not enter the kernel by itself loses the
 * processor, by the number of its instructions.
 *
 * The rule: at each multiple of `period` instructions of user code, counted from the start of the
 * run, the guest's clock is looked at. If it stands where it stood at the multiple before, so that
 * there was no entry in between, user code is preempted there.
 *
 * The counter is armed to interrupt early by its margin; the rest of the way is stepped, so that
 * the look is at the very instruction.
 */
#ifndef ZVMM_REPLAY_INSTRUCTION_LIMIT_H
#define ZVMM_REPLAY_INSTRUCTION_LIMIT_H

#include "counter.h"

struct instruction_limit {
    const struct counter_provider *provider; /* NULL: not in use */
    void *state;
    uint64_t period;
    uint64_t before; /* instructions before the counter was opened: a run that goes on */
    uint64_t next;   /* the multiple that comes next */
    uint64_t armed;  /* the multiple that the counter is armed for */
    uint64_t clock;  /* the guest's clock at the last one */
    uint64_t missed; /* how often the counter came too late: those looks were not exact */
};

enum limit_answer {
    LIMIT_RUN,     /* let the guest run */
    LIMIT_STEP,    /* step one instruction of user code */
    LIMIT_PREEMPT, /* preempt user code here */
};

/* False: there is no such counter here. `period` 0: the provider's. */
bool instruction_limit_open(struct instruction_limit *limit,
                            const struct counter_provider *provider, const struct kvm *kvm,
                            uint64_t period);

/* The run goes on: it has had `count` instructions, and the clock was `clock` at the last look. */
void instruction_limit_resume(struct instruction_limit *limit, uint64_t count, uint64_t clock);

/* Instructions of user code since the start of the run. */
bool instruction_limit_count(const struct instruction_limit *limit, uint64_t *count);

/* What to do next, before each entry into the guest; `clock` is the guest's. */
enum limit_answer instruction_limit_look(struct instruction_limit *limit, uint64_t clock);

void instruction_limit_close(struct instruction_limit *limit);

#endif
