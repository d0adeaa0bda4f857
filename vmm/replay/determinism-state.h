/* determinism-state.h - struct determinism, as the files of vmm/replay see it. */
#ifndef ZVMM_REPLAY_DETERMINISM_STATE_H
#define ZVMM_REPLAY_DETERMINISM_STATE_H

#include "exact.h"
#include "input-script.h"
#include "preempt.h"
#include "record.h"

struct determinism {
    struct input_script input;
    uint64_t taken;         /* bytes of it */
    struct exact exact;     /* preempts user code, if the host can count instructions; */
    struct preempt preempt; /* otherwise this does */
    uint64_t instructions;  /* of user code before this run, if it was restored, ... */
    uint64_t looked_at;     /* ... and the clock when they were last looked at */
    uint32_t preemptions;   /* those that are not guaranteed to repeat */
    struct record record;
    uint64_t events; /* those that the guest has handed over */
    uint64_t stop;   /* the event at which it stops next, 0: none */
};

/* Make vm->determinism, empty; config.deterministic is true from then on. */
int determinism_new(struct zvmm *vm, struct zvmm_error *error);

/* Tell the guest where to stop next, after event number `after`. */
void determinism_plan_stop(struct zvmm *vm, uint64_t after);

#endif
