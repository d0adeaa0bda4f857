/*
 * exact.c - stepping guest user code to an exact instruction.
 *
 * KVM steps by the processor's trap flag, which an entry into the kernel takes away. So the kernel
 * tells of entries while zv_shared_page.stepping is set (ZV_STOP_STEP); then KVM is asked for an
 * exit when interrupts can come, which is before the next instruction of user code, and stepping
 * goes on there. The kernel's own instructions are neither stepped nor counted.
 */
#include "exact.h"

#include <sys/ioctl.h>

#include "determinism.h"
#include "vm.h"

#define RFLAGS_TRAP 0x100ull

static void set_debugging(struct exact *exact, struct zvmm *vm, bool on)
{
    struct kvm_guest_debug debug = {.control =
                                        on ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0};
    /* Each step uses the flag up. */
    if (on || exact->debugging)
        ioctl(vm->kvm.vcpu_fd, KVM_SET_GUEST_DEBUG, &debug);
    exact->debugging = on;
}

/* A program that a debugger of its own steps enters the kernel at each instruction. */
static bool steps_itself(const struct exact *exact, const struct zvmm *vm)
{
    struct kvm_regs regs;
    return !exact->debugging && ioctl(vm->kvm.vcpu_fd, KVM_GET_REGS, &regs) == 0 &&
           (regs.rflags & RFLAGS_TRAP) != 0;
}

bool exact_before_run(struct exact *exact, struct zvmm *vm, bool wanted)
{
    uint64_t clock = determinism_clock(vm);
    enum limit_answer answer = instruction_limit_look(&exact->limit, clock);
    exact->user = vm->kvm.run->if_flag != 0; /* the kernel has interrupts off */
    bool preempt = answer == LIMIT_PREEMPT && exact->user && wanted;
    if (answer == LIMIT_PREEMPT)
        answer = instruction_limit_look(&exact->limit, clock); /* on to the next multiple */
    bool stepping = answer == LIMIT_STEP && !(exact->user && steps_itself(exact, vm));
    vm->shared->stepping = stepping;
    set_debugging(exact, vm, stepping && exact->user && !preempt);
    exact->window = stepping && !exact->user;
    return preempt;
}

bool exact_stepped(struct exact *exact)
{
    if (!exact->debugging)
        return false;
    if (exact->user)
        exact->limit.provider->stepped(exact->limit.state);
    return true;
}
