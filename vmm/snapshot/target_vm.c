/* target_vm.c - a VM that is not running, as target.h wants to see it. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "replay/determinism.h"
#include "snapshot/file.h"
#include "vm.h"

int target_from_vm(struct zvmm *vm, struct target *target, struct zvmm_error *error)
{
    *target = (struct target){
        .memory = vm->memory.base,
        .memory_bytes = vm->memory.bytes,
        .tsc = clock_guest_tsc(&vm->clock),
        .tsc_hz = vm->clock.khz * 1000ull,
        .guest_path = vm->config.guest_path,
        .build_id_bytes = vm->image.build_id_bytes,
    };
    if (vm->determinism != NULL) {
        target->tsc = determinism_clock(vm);
        target->tsc_hz = DETERMINISTIC_KHZ * 1000ull;
    }
    memcpy(target->build_id, vm->image.build_id, sizeof(target->build_id));
    if (ioctl(vm->kvm.vcpu_fd, KVM_GET_REGS, &target->regs) != 0 ||
        ioctl(vm->kvm.vcpu_fd, KVM_GET_SREGS, &target->sregs) != 0)
        return error_set(error, "KVM: cannot read the vCPU's registers: %s", strerror(errno));
    return 0;
}
