/* clock.h - the guest's ticks, which are its TSC, and how they relate to host time. */
#ifndef ZVMM_CLOCK_H
#define ZVMM_CLOCK_H

#include "kvm.h"

/* Found once per machine. The guest's ticks = host TSC + offset, khz of them a millisecond. */
struct clock {
    uint64_t offset;
    uint32_t khz;
    bool untouched; /* KVM has been told to add nothing */
};

/* Learn the frequency; make the guest's TSC equal to the host's, or learn the offset. */
int clock_init(struct clock *clock, const struct kvm *kvm, struct zvmm_error *error);

/* Who moves the guest's time. */
enum clock_mover {
    CLOCK_MOVED_BY_KVM,
    /* Ring 3 runs without hardware virtualisation and reads the processor's own TSC whatever KVM
     * is told; the guest adds an offset to it. */
    CLOCK_MOVED_BY_GUEST,
    /* The same, but the guest does not know how to: for it time passes while it stands still. */
    CLOCK_NOT_MOVED,
};

/* Learn the frequency, and let the guest's ticks go on from `ticks` now. */
int clock_resume(struct clock *clock, const struct kvm *kvm, uint64_t ticks, enum clock_mover mover,
                 struct zvmm_error *error);

/* The guest's ticks now. */
uint64_t clock_guest_tsc(const struct clock *clock);

/* Nanoseconds from now until the guest's ticks are `tsc`: 0 if it is past, at most about a year. */
uint64_t clock_ns_until(const struct clock *clock, uint64_t tsc);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t clock_monotonic_ns(void);

#endif
