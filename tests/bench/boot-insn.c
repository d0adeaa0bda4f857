/*
 * boot-insn.c - how many instructions the guest kernel executes from its entry to the first user
 * instruction, counted one by one with KVM's single step.
 *
 *   boot-insn GUEST.elf [MEMORY-MIB]...
 *
 * Prints a line of TAP for each memory size and fails above BUDGET, the figure that the project
 * promises, or if a size costs more than 2 % more than the first one. The end of the count is the
 * hypercall ZV_MARKER_FIRST_USER, which the option kernel.markers asks the kernel for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "door.h"
#include "vm.h"

#define BUDGET 100000u

static int set_step(struct zvmm *vm)
{
    struct kvm_guest_debug debug = {
        .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
    };

    return ioctl(vm->kvm.vcpu_fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* Serves the hypercalls of start-up; returns false for anything that ends the count early. */
static bool serve(struct zvmm *vm)
{
    struct kvm_run *run = vm->kvm.run;
    uint32_t address;

    if (run->exit_reason != KVM_EXIT_IO || run->io.port != ZV_CALL_PORT)
        return false;
    memcpy(&address, (uint8_t *)run + run->io.data_offset, sizeof address);
    door_enter(vm, address);
    return !vm->ended;
}

static long count(struct zvmm *vm)
{
    long steps = 0;

    if (set_step(vm) != 0)
        return -1;
    while (vm->stats.marker_ns[ZV_MARKER_FIRST_USER] == 0) {
        if (ioctl(vm->kvm.vcpu_fd, KVM_RUN, 0) != 0) {
            if (errno == EINTR || errno == EAGAIN)
                continue;
            return -1;
        }
        if (vm->kvm.run->exit_reason == KVM_EXIT_DEBUG)
            steps++;
        else if (!serve(vm))
            return -1;
    }
    return steps;
}

static long measure(const char *guest, unsigned long mib, struct zvmm_error *error)
{
    struct zvmm_config config;
    struct zvmm *vm;
    long steps;

    zvmm_config_defaults(&config);
    config.guest_path = guest;
    config.memory_bytes = (uint64_t)mib << 20;
    config.cmdline = "kernel.markers";
    config.in_fd = -1;
    if (zvmm_create(&config, &vm, error) != 0)
        return -1;
    steps = count(vm);
    if (steps < 0)
        snprintf(error->text, sizeof error->text, "the guest did not get to its first process");
    zvmm_destroy(vm);
    return steps;
}

int main(int argc, char *argv[])
{
    struct zvmm_error error;
    long first = 0;
    int failed = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: boot-insn GUEST.elf MEMORY-MIB...\n");
        return 125;
    }
    for (int i = 2; i < argc; i++) {
        unsigned long mib = strtoul(argv[i], NULL, 10);
        long steps = measure(argv[1], mib, &error);
        bool good = steps > 0 && steps < BUDGET && (!first || steps * 100 <= first * 102);

        if (steps < 0 && access("/dev/kvm", W_OK) != 0) {
            printf("1..0 # SKIP %s\n", error.text);
            return 0;
        }
        if (steps < 0)
            printf("# %s\n", error.text);
        if (!first)
            first = steps;
        printf("%sok %d - %lu MiB: %ld instructions to the first user instruction\n",
               good ? "" : "not ", i - 1, mib, steps);
        failed |= !good;
    }
    printf("1..%d\n", argc - 2);
    return failed;
}
