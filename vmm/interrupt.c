/* interrupt.c - interrupts that zvmm raises: by message to the irqchip, or injected. */
#include "interrupt.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "signals.h"
#include "vm.h"

#define LAPIC_MESSAGE_ADDRESS 0xfee00000u /* physical destination 0: the only vCPU */

static uint32_t vector_of(uint32_t interrupt)
{
    return interrupt == INTERRUPT_TIMER ? ZV_VECTOR_TIMER : ZV_VECTOR_EVENT;
}

void interrupt_kick(struct zvmm *vm)
{
    syscall(SYS_tgkill, getpid(), vm->thread, KICK_SIGNAL);
}

void interrupt_raise(struct zvmm *vm, uint32_t interrupt, uint32_t events)
{
    atomic_fetch_or((_Atomic uint32_t *)&vm->shared->events, events);
    if (vm->kvm.irqchip) {
        struct kvm_msi message = {.address_lo = LAPIC_MESSAGE_ADDRESS,
                                  .data = vector_of(interrupt)};
        ioctl(vm->kvm.vm_fd, KVM_SIGNAL_MSI, &message);
        return;
    }
    atomic_fetch_or(&vm->pending, interrupt);
    if (gettid() != vm->thread)
        interrupt_kick(vm);
}

void interrupt_deliver(struct zvmm *vm)
{
    struct kvm_run *run = vm->kvm.run;
    uint32_t pending = atomic_load(&vm->pending);
    if (pending != 0 && run->ready_for_interrupt_injection) {
        uint32_t first = pending & -pending;
        struct kvm_interrupt interrupt = {.irq = vector_of(first)};
        if (ioctl(vm->kvm.vcpu_fd, KVM_INTERRUPT, &interrupt) == 0) {
            atomic_fetch_and(&vm->pending, ~first);
            pending &= ~first;
            vm->stats.injected++;
            run->ready_for_interrupt_injection = 0; /* one at a time; KVM_RUN sets it again */
        }
    }
    run->request_interrupt_window = pending != 0;
}
