/*
 * counter.h - what can count the instructions of guest user code.
 *
 * A counter that can interrupt does so a little late; one that cannot has user code stepped.
 */
#ifndef ZVMM_REPLAY_COUNTER_H
#define ZVMM_REPLAY_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#define COUNTER_NEVER UINT64_MAX

struct kvm;

struct counter_provider {
    const char *name;
    uint64_t period; /* instructions between two looks, unless the user says otherwise */
    uint64_t margin; /* it interrupts at most this many late; COUNTER_NEVER: it does not */

    /* Count what the calling thread runs in the guest from now on; `state` is the provider's.
     * False: there is no such counter, or it does not count exactly. */
    bool (*open)(const struct kvm *kvm, void **state);

    /* Instructions of user code that have retired in the guest since open(). */
    bool (*read)(void *state, uint64_t *count);

    /* Send the thread KICK_SIGNAL when `more` have retired, or up to `margin` later. */
    bool (*arm)(void *state, uint64_t more);

    /* One has been stepped. */
    void (*stepped)(void *state);

    void (*close)(void *state);
};

extern const struct counter_provider counter_pmu;  /* a performance counter: counter-pmu.c */
extern const struct counter_provider counter_step; /* steps and counts: counter-step.c */

#endif
