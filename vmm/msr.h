/* msr.h - one model-specific register of the vCPU, as KVM keeps it. */
#ifndef ZVMM_MSR_H
#define ZVMM_MSR_H

#include "kvm.h"

/* 0, or -1: KVM does not let it be read or written. */
int msr_read(const struct kvm *kvm, uint32_t index, uint64_t *value);
int msr_write(const struct kvm *kvm, uint32_t index, uint64_t value);

#endif
