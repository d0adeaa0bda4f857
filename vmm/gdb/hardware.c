/*
 * hardware.c - whether KVM's debug registers work here, found by trying them in a VM of one page:
 * one that can be thrown away, in real mode, as a vCPU is when it is new.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gdb/session.h"
#include "vm.h"

enum { PAGE_AT = 0x1000, CODE_END = 0x1005, DATA_AT = 0x1800, PORT = 0x10 };

/* movb $1, DATA_AT; out %al, $PORT */
static const uint8_t code[] = {0xc6, 0x06, 0x00, 0x18, 0x01, 0xe6, PORT};

/* Run the code with one debug register set; whether that stops it. */
static bool try_register(const struct kvm *kvm, uint64_t address, uint64_t control)
{
    struct kvm_regs regs = {.rip = PAGE_AT, .rflags = 2};
    struct kvm_sregs sregs;
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP};
    debug.arch.debugreg[0] = address;
    debug.arch.debugreg[7] = control | 0x402;
    if (ioctl(kvm->vcpu_fd, KVM_GET_SREGS, &sregs) != 0)
        return false;
    sregs.cs.base = sregs.cs.selector = 0;
    return ioctl(kvm->vcpu_fd, KVM_SET_SREGS, &sregs) == 0 &&
           ioctl(kvm->vcpu_fd, KVM_SET_REGS, &regs) == 0 &&
           ioctl(kvm->vcpu_fd, KVM_SET_GUEST_DEBUG, &debug) == 0 &&
           ioctl(kvm->vcpu_fd, KVM_RUN, 0) == 0 && kvm->run->exit_reason == KVM_EXIT_DEBUG;
}

void hardware_probe(struct hardware *hardware, const struct zvmm *vm)
{
    struct memory memory;
    struct zvmm_error error;
    struct kvm kvm = {.fd = vm->kvm.fd, .vm_fd = -1, .vcpu_fd = -1};
    if (hardware->known)
        return;
    hardware->known = true;
    if (memory_create(&memory, 2ull << 20, &error) != 0)
        return;
    memcpy(memory.base + PAGE_AT, code, sizeof(code));
    if (kvm_create_vm(&kvm, &memory, false, &error) == 0) {
        hardware->execute = try_register(&kvm, CODE_END, 0);
        hardware->watch = try_register(&kvm, DATA_AT, 1u << 16);
        kvm_destroy_vm(&kvm);
    }
    memory_destroy(&memory);
}
