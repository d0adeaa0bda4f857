/* clock.h - the guest's TSC, and how it relates to host time. */
#ifndef ZVMM_CLOCK_H
#define ZVMM_CLOCK_H

#include "kvm.h"

/* Found once per machine. guest TSC = host TSC + offset, khz ticks per millisecond. */
struct clock {
    uint64_t offset;
    uint32_t khz;
};

/* Learn the frequency; make the guest's TSC equal to the host's, or learn the offset. */
int clock_init(struct clock *clock, const struct kvm *kvm, struct zvmm_error *error);

/*
 * Learn the frequency, and let the guest's TSC go on from `tsc` now. Where ring 3 runs without
 * hardware virtualisation (`native`) it reads the processor's own TSC whatever KVM is told, so
 * there the TSC goes on from the host's: for the guest time has passed meanwhile.
 */
int clock_resume(struct clock *clock, const struct kvm *kvm, uint64_t tsc, bool native,
                 struct zvmm_error *error);

/* The guest's TSC now. */
uint64_t clock_guest_tsc(const struct clock *clock);

/* Nanoseconds from now until the guest's TSC reads `tsc`: 0 if it is past, at most about a year. */
uint64_t clock_ns_until(const struct clock *clock, uint64_t tsc);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t clock_monotonic_ns(void);

#endif
