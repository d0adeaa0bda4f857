/*
 * state.h - all of a vCPU and its local APIC, in and out.
 *
 * Both functions want the vCPU settled: no exit half finished, which one KVM_RUN with
 * immediate_exit sees to (run.c does that before it takes a snapshot).
 */
#ifndef ZVMM_SNAPSHOT_STATE_H
#define ZVMM_SNAPSHOT_STATE_H

#include "kvm.h"
#include "snapshot.h"

enum { STATE_MSRS = 24, STATE_CPUID = 256 };

struct vcpu_state {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_xsave xsave;
    struct kvm_xcrs xcrs;
    struct kvm_debugregs debugregs;
    struct kvm_vcpu_events events;
    struct kvm_mp_state mp_state;
    struct zsnap_msr msrs[STATE_MSRS];
    uint32_t num_msrs;
    bool has_xcrs, has_irqchip;
    struct kvm_lapic_state lapic;
    struct kvm_cpuid_entry2 cpuid[STATE_CPUID];
    uint32_t num_cpuid;
};

/* What can be read ahead, from the vCPU's thread: state_save() then takes less. -1: errno says why,
 * and state_save() will try again. */
int state_prepare(struct kvm *kvm);

/* Read everything. `xsave`: the guest has XCR0. The guest's TSC is clock.h's. */
int state_save(struct vcpu_state *state, struct kvm *kvm, bool xsave, struct zvmm_error *error);

/*
 * Give a new vCPU the state, in the order in which KVM needs it. The TSC must have been set, or a
 * deadline would go off. Registers travel in struct kvm_run with the next KVM_RUN.
 */
int state_load(const struct vcpu_state *state, const struct kvm *kvm, struct zvmm_error *error);

/*
 * Give the state back to the vCPU it was saved from, leaving out what cannot have changed since.
 * `was_running`: it was last left because of an instruction, so it is runnable.
 */
int state_reset(const struct vcpu_state *state, const struct kvm *kvm, bool was_running,
                struct zvmm_error *error);

#endif
