/* exact.h - a vCPU whose user code is preempted at an exact instruction. */
#ifndef ZVMM_REPLAY_EXACT_H
#define ZVMM_REPLAY_EXACT_H

#include "instruction-limit.h"

struct zvmm;

struct exact {
    struct instruction_limit limit;
    bool debugging; /* KVM has been told to step */
    bool user;      /* user code was about to run */
    bool window;    /* KVM has to say when it is, as the last interrupt to be delivered does */
};

/*
 * Before each KVM_RUN: step, or let go; whether user code is to be preempted here and now, given
 * that somebody `wanted` that. The caller then raises the interrupt.
 */
bool exact_before_run(struct exact *exact, struct zvmm *vm, bool wanted);

/* A debug exit: whether it is the end of a step. */
bool exact_stepped(struct exact *exact);

#endif
