/* kvm.h - the host's KVM: opening it, one VM with one vCPU, and what to do when it refuses. */
#ifndef ZVMM_KVM_H
#define ZVMM_KVM_H

#include <linux/kvm.h>
#include <stdbool.h>

#include "memory.h"

struct kvm {
    int fd; /* the device node */
    int vm_fd;
    int vcpu_fd;
    struct kvm_run *run; /* shared with the kernel, run_bytes long */
    size_t run_bytes;
    uint32_t sync_regs;       /* KVM_SYNC_X86_*: what of the vCPU travels in struct kvm_run */
    uint32_t asked_regs;      /* what kvm_settle_begin() found asked for */
    bool settled;             /* run->s.regs has all of sync_regs: see kvm_settle_begin() */
    struct kvm_cpuid2 *cpuid; /* of the vCPU, once state_save() has read it; owned */
    bool irqchip;             /* interrupt controllers are the kernel's; else zvmm injects */
    bool want_ring;           /* set before kvm_create_vm(): written pages will have to be known */
    uint32_t ring_bytes;      /* of the dirty ring; 0: this KVM has none, or it was not wanted */
};

/* Open `path` and check the API version. Every way this fails has its own remedy in `error`. */
int kvm_open(struct kvm *kvm, const char *path, struct zvmm_error *error);

/*
 * Make the VM over `memory` and its vCPU. The order matters: on a software-ring-0 KVM an irqchip
 * made before the memory slot costs 7 ms, and on any KVM it must be there before the vCPU.
 */
int kvm_create_vm(struct kvm *kvm, const struct memory *memory, bool irqchip,
                  struct zvmm_error *error);

/* Have KVM tell which pages of `memory` the guest writes from now on; errno says why not. */
int kvm_set_logging(struct kvm *kvm, const struct memory *memory);

/*
 * Make a KVM that shadows the guest's page tables, for want of hardware that walks them, forget
 * what it knows: it has to when zvmm has written one, because it follows only the guest's stores.
 * The slots are made anew, with logging; errno says why not.
 */
int kvm_forget_tables(struct kvm *kvm, const struct memory *memory);

/*
 * A vCPU can be saved when its last exit is finished, which takes one KVM_RUN with immediate_exit.
 * Before it: have the registers left in run->s.regs. After it: whether it has `done` that (ended
 * with EINTR). kvm->settled then lasts until the next KVM_RUN.
 */
void kvm_settle_begin(struct kvm *kvm);
void kvm_settle_end(struct kvm *kvm, bool done);

/* Undo kvm_create_vm(); the device stays open. */
void kvm_destroy_vm(struct kvm *kvm);

void kvm_close(struct kvm *kvm);

#endif
