/* msr.c - one model-specific register of the vCPU. */
#include "msr.h"

#include <sys/ioctl.h>

/* The kernel's way of passing one MSR. */
union msr {
    struct kvm_msrs head;
    uint8_t space[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

int msr_read(const struct kvm *kvm, uint32_t index, uint64_t *value)
{
    union msr msr = {.head.nmsrs = 1};
    msr.head.entries[0].index = index;
    if (ioctl(kvm->vcpu_fd, KVM_GET_MSRS, &msr) != 1)
        return -1;
    *value = msr.head.entries[0].data;
    return 0;
}

int msr_write(const struct kvm *kvm, uint32_t index, uint64_t value)
{
    union msr msr = {.head.nmsrs = 1};
    msr.head.entries[0] = (struct kvm_msr_entry){.index = index, .data = value};
    return ioctl(kvm->vcpu_fd, KVM_SET_MSRS, &msr) == 1 ? 0 : -1;
}
