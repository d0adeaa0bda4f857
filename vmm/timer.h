/* timer.h - the guest's deadline without LAPIC: a host timer that kicks the vCPU. */
#ifndef ZVMM_TIMER_H
#define ZVMM_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct zvmm;

/* Times are guest TSC values, UINT64_MAX = none. Used by the vCPU's thread only. */
struct timer {
    bool created;
    timer_t id;
    bool has_alarm;
    timer_t alarm;  /* for timer_alarm() */
    uint64_t armed; /* the host timer goes off then; mirrored in the shared page */
    uint64_t fired; /* the deadline that was answered last and needs no other interrupt */
};

void timer_init(struct timer *timer);

/* Before each KVM_RUN: read the guest's deadline; raise it if it is past, else see to it that the
 * host timer is set for it. */
void timer_update(struct zvmm *vm);

/* ZV_CALL_TIMER_ARM: set the host timer for `deadline`, or off. */
void timer_arm(struct zvmm *vm, uint64_t deadline);

/* Sleep until the deadline, a kick or a signal; the vCPU is halted. */
void timer_halt(struct zvmm *vm);

/* Kick the vCPU once, `ns` from now. At most one is under way. */
int timer_alarm(struct zvmm *vm, uint64_t ns);

void timer_destroy(struct timer *timer);

#endif
