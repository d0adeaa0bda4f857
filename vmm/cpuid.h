/* cpuid.h - what CPUID tells the guest. */
#ifndef ZVMM_CPUID_H
#define ZVMM_CPUID_H

#include "kvm.h"

/* The facts of the offered CPUID that the rest of zvmm needs. */
struct cpuid_facts {
    bool fsgsbase;
    bool rdrand;
    uint64_t xcr0;        /* x87|SSE|AVX as far as they are there; 0 without XSAVE */
    uint32_t xsave_bytes; /* size of an xsave area for xcr0 */
};

/* Offer everything that this KVM supports (hardware KVM), the extended state only with `xsave`. */
int cpuid_set_supported(const struct kvm *kvm, bool xsave, struct cpuid_facts *facts,
                        struct zvmm_error *error);

/*
 * Offer a small fixed set of leaves read from the processor (software-ring-0 KVM), where
 * KVM_GET_SUPPORTED_CPUID costs as much as making the VM: each of the 76 CPUID instructions in it
 * is trapped by the outer hypervisor. Without XSAVE, and so without AVX: user programs must not
 * use registers that nobody saves. (kvm_pvm shows ring 3 its processor's AVX bits regardless, but
 * OSXSAVE as clear, which is what programs have to look at.)
 */
int cpuid_set_basic(const struct kvm *kvm, struct cpuid_facts *facts, struct zvmm_error *error);

#endif
