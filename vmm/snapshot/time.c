/* time.c - the guest's time goes on from where it stood. */
#include "snapshot/time.h"

#include "probe.h"
#include "vm.h"

bool time_is_native(const struct zvmm *vm)
{
    return !vm->kvm.irqchip && !probe_is_hardware();
}

/* The offset for the guest's programs, or NULL if it has not said where that is. */
static uint64_t *users_offset(const struct zvmm *vm)
{
    uint64_t paddr = vm->shared->ticks_offset_paddr;
    if ((vm->quirks & ZV_QUIRK_SLOW_RING0) == 0 || paddr == 0 || paddr % sizeof(uint64_t) != 0)
        return NULL;
    return memory_at(&vm->memory, gpa(paddr), sizeof(uint64_t));
}

int time_resume(struct zvmm *vm, uint64_t ticks, struct zvmm_error *error)
{
    uint64_t *user = users_offset(vm);
    enum clock_mover mover = !vm->native_tsc ? CLOCK_MOVED_BY_KVM
                             : user != NULL  ? CLOCK_MOVED_BY_GUEST
                                             : CLOCK_NOT_MOVED;
    if (clock_resume(&vm->clock, &vm->kvm, ticks, mover, error) != 0)
        return -1;
    if (user != NULL)
        vm->shared->tsc_offset = *user = mover == CLOCK_MOVED_BY_GUEST ? vm->clock.offset : 0;
    return 0;
}
