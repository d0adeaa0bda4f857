/* vm.c - building a machine, in the order in which it has to happen. */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "cpuid.h"
#include "finding.h"
#include "longmode.h"
#include "probe.h"
#include "replay/determinism.h"
#include "snapshot/file.h"
#include "snapshot/reset.h"
#include "stats.h"

void zvmm_config_defaults(struct zvmm_config *config)
{
    *config = (struct zvmm_config){
        .kvm_path = "/dev/kvm",
        .memory_bytes = 128ull << 20,
        .cmdline = "",
        .pin_cpu = -1,
        .in_fd = STDIN_FILENO,
        .out_fd = STDOUT_FILENO,
    };
}

/* A machine under construction: what the steps hand on to each other. */
struct build {
    struct zvmm *vm;
    uint64_t cr3;
    struct cpuid_facts cpuid;
    struct zvmm_error *error;
};

int vm_pin(const struct zvmm *vm, struct zvmm_error *error)
{
    cpu_set_t set;
    int cpu = vm->config.pin_cpu;
    if (cpu < 0)
        return 0;
    CPU_ZERO(&set);
    if (cpu < CPU_SETSIZE)
        CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        return error_set(error,
                         "--pin: cannot run on CPU %d: %s; use one of those that "
                         "nproc and taskset allow",
                         cpu, strerror(errno));
    return 0;
}

/* The guest's image, modules and boot block into a new guest memory. */
static int fill_memory(struct build *build)
{
    struct zvmm *vm = build->vm;
    const struct zvmm_config *config = &vm->config;
    uint64_t bytes = (config->memory_bytes + (2ull << 20) - 1) & ~((2ull << 20) - 1);
    int fd = open(config->guest_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(build->error, "%s: cannot open the guest kernel: %s; name its ELF file",
                         config->guest_path, strerror(errno));
    int result = loader_check(&vm->image, fd, config->guest_path, bytes, build->error);
    if (result == 0)
        result = memory_create(&vm->memory, bytes, build->error);
    if (result == 0) {
        layout_init(&vm->layout, bytes);
        result = loader_place(&vm->image, fd, config->guest_path, &vm->memory, &vm->layout,
                              build->error);
    }
    close(fd);
    if (result == 0)
        result =
            modules_load(&vm->modules, config, &vm->image, &vm->memory, &vm->layout, build->error);
    if (result == 0)
        result = bootinfo_place(&vm->boot, &vm->image, config->cmdline, &vm->memory, &vm->layout,
                                &build->cr3, build->error);
    if (result == 0)
        vm->shared = memory_at(&vm->memory, gpa(vm->boot.shared), sizeof(*vm->shared));
    return result;
}

/* A VM as hardware KVM wants it: the kernel's interrupt controllers, everything it supports. */
static int make_hardware_vm(struct build *build)
{
    struct zvmm *vm = build->vm;
    if (kvm_create_vm(&vm->kvm, &vm->memory, true, build->error) != 0)
        return -1;
    if (vm->config.baseline_cpu)
        return cpuid_set_basic(&vm->kvm, &build->cpuid, build->error);
    return cpuid_set_supported(&vm->kvm, (vm->quirks & ZV_QUIRK_NO_XSAVE) == 0, &build->cpuid,
                               build->error);
}

/* A VM as a software-ring-0 KVM wants it: zvmm injects interrupts. */
static int make_plain_vm(struct build *build)
{
    struct zvmm *vm = build->vm;
    if (kvm_create_vm(&vm->kvm, &vm->memory, false, build->error) != 0)
        return -1;
    return cpuid_set_basic(&vm->kvm, &build->cpuid, build->error);
}

/* Make the plain kind and look how it behaves; only a KVM without any quirk costs a second VM. */
static int make_probed_vm(struct build *build)
{
    struct zvmm *vm = build->vm;
    if (make_plain_vm(build) != 0 ||
        probe_run(&vm->kvm, &vm->memory, gpa(vm->boot.stack), &vm->quirks, &vm->stats.probe_runs,
                  build->error) != 0)
        return -1;
    vm_remark(vm, "probe found quirks %#x", vm->quirks);
    if (vm->config.keep_finding)
        finding_keep(vm->kvm.fd, vm->quirks);
    if (vm->quirks != 0)
        return 0;
    kvm_destroy_vm(&vm->kvm);
    return make_hardware_vm(build);
}

static int make_vm_for_quirks(struct build *build)
{
    return (build->vm->quirks & ZV_QUIRK_SLOW_RING0) != 0 ? make_plain_vm(build)
                                                          : make_hardware_vm(build);
}

/*
 * Choose the kind of VM. Where the modules say hardware, that is believed; elsewhere the finding
 * of an earlier run, and without one the probe's.
 */
static int make_vm(struct build *build)
{
    struct zvmm *vm = build->vm;
    if (vm->determinism != NULL) {
        vm->quirks = DETERMINISTIC_QUIRKS;
        return make_plain_vm(build);
    }
    if (vm->config.has_quirks) {
        vm->quirks = vm->config.quirks;
        return make_vm_for_quirks(build);
    }
    if (vm->config.force_probe)
        return make_probed_vm(build);
    if (probe_is_hardware())
        return make_hardware_vm(build);
    if (!vm->config.keep_finding || !finding_read(vm->kvm.fd, &vm->quirks))
        return make_probed_vm(build);
    vm_remark(vm, "an earlier run's probe found quirks %#x", vm->quirks);
    return make_vm_for_quirks(build);
}

static void choose_features(struct build *build)
{
    struct zvmm *vm = build->vm;
    if ((vm->quirks & ZV_QUIRK_NO_XSAVE) != 0)
        build->cpuid.xcr0 = 0;
    if (build->cpuid.xcr0 == 0)
        build->cpuid.xsave_bytes = 0;
    vm->features = (vm->kvm.irqchip ? ZV_FEATURE_LAPIC : 0) |
                   (build->cpuid.xcr0 != 0 ? ZV_FEATURE_XSAVE : 0) |
                   (build->cpuid.fsgsbase ? ZV_FEATURE_FSGSBASE : 0) |
                   (build->cpuid.rdrand ? ZV_FEATURE_RDRAND : 0) |
                   (vm->determinism != NULL ? ZV_FEATURE_DETERMINISTIC : 0);
}

/*
 * The entry state of shared/hypercall.h. The registers travel in struct kvm_run with the first
 * KVM_RUN, which saves three ioctls.
 */
static int set_entry_state(struct build *build)
{
    struct zvmm *vm = build->vm;
    struct kvm_sync_regs *state = &vm->kvm.run->s.regs;
    uint64_t cr4 = ((vm->features & ZV_FEATURE_XSAVE) != 0 ? CR4_OSXSAVE : 0) |
                   ((vm->features & ZV_FEATURE_FSGSBASE) != 0 ? CR4_FSGSBASE : 0);
    memset(state, 0, sizeof(*state));
    state->regs.rip = vm->image.entry;
    state->regs.rsp = ZV_DIRECT_MAP_BASE + vm->boot.stack_top;
    state->regs.rdi = ZV_DIRECT_MAP_BASE + vm->boot.info;
    state->regs.rflags = 0x2;
    longmode_sregs(&state->sregs, build->cr3, ZV_DIRECT_MAP_BASE + vm->boot.gdt, cr4);
    vm->kvm.run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;

    if (build->cpuid.xcr0 == 0)
        return 0;
    struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs = {{.xcr = 0, .value = build->cpuid.xcr0}}};
    if (ioctl(vm->kvm.vcpu_fd, KVM_SET_XCRS, &xcrs) != 0)
        return error_set(build->error, "KVM: cannot set XCR0 to %#llx: %s; try --quirks no-xsave",
                         (unsigned long long)build->cpuid.xcr0, strerror(errno));
    return 0;
}

static int write_bootinfo(struct build *build)
{
    struct zvmm *vm = build->vm;
    uint8_t seed[32];
    if (!vm->config.has_seed && getrandom(seed, sizeof(seed), 0) != sizeof(seed))
        return error_set(build->error, "random seed: %s; use --seed", strerror(errno));
    struct boot_facts facts = {
        .quirks = vm->quirks,
        .features = vm->features,
        .tsc_khz = vm->clock.khz,
        .tsc_offset = vm->clock.offset,
        .xcr0 = build->cpuid.xcr0,
        .xsave_bytes = build->cpuid.xsave_bytes,
        .seed = vm->config.has_seed ? vm->config.seed : seed,
    };
    bootinfo_wall_clock(&facts);
    if (vm->determinism != NULL) {
        facts.tsc_khz = DETERMINISTIC_KHZ;
        facts.wall_clock_ns = DETERMINISTIC_WALL_CLOCK;
        facts.wall_clock_tsc = 0;
    }
    bootinfo_write(&vm->boot, &facts, &vm->modules, &vm->layout, &vm->memory,
                   strlen(vm->config.cmdline));
    return 0;
}

static int open_kvm(const struct build *build)
{
    struct zvmm *vm = build->vm;
    int result = kvm_open(&vm->kvm, vm->config.kvm_path, build->error);
    vm->kvm.want_ring = vm->config.resettable || vm->config.incremental;
    return result;
}

struct zvmm *vm_new(const struct zvmm_config *config, struct zvmm_error *error)
{
    uint64_t now = clock_monotonic_ns();
    struct zvmm *vm = calloc(1, sizeof(*vm));
    if (vm == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    vm->config = *config;
    vm->config.incremental |= config->snapshot_parent != NULL;
    vm->stats.created_ns = now;
    vm->kvm = (struct kvm){.fd = -1, .vm_fd = -1, .vcpu_fd = -1};
    console_init(&vm->console, config->in_fd, config->out_fd);
    timer_init(&vm->timer);
    pauses_init(&vm->pauses);
    return vm;
}

int zvmm_create(const struct zvmm_config *config, struct zvmm **out, struct zvmm_error *error)
{
    struct zvmm *vm = vm_new(config, error);
    if (vm == NULL)
        return -1;
    struct build build = {.vm = vm, .error = error};

    if (config->deterministic && determinism_create(vm, error) != 0)
        goto destroy;
    if (vm_pin(vm, error) != 0 || fill_memory(&build) != 0 ||
        open_kvm(&build) != 0 || make_vm(&build) != 0 || track_init(vm, error) != 0 ||
        clock_init(&vm->clock, &vm->kvm, error) != 0)
        goto destroy;
    choose_features(&build);
    if (set_entry_state(&build) != 0 || write_bootinfo(&build) != 0)
        goto destroy;
    *out = vm;
    return 0;

destroy:
    zvmm_destroy(vm);
    return -1;
}

const struct zvmm_stats *zvmm_stats(const struct zvmm *vm)
{
    return &vm->stats;
}

void *zvmm_memory(const struct zvmm *vm, uint64_t paddr, uint64_t length)
{
    return memory_at(&vm->memory, gpa(paddr), length);
}

void zvmm_print_stats(const struct zvmm *vm)
{
    stats_print(vm);
}

void zvmm_destroy(struct zvmm *vm)
{
    if (vm == NULL)
        return;
    console_close(&vm->console);
    timer_destroy(&vm->timer);
    determinism_destroy(vm);
    track_free(&vm->track);
    mark_free(vm->mark, &vm->memory);
    kvm_close(&vm->kvm);
    memory_destroy(&vm->memory);
    snapshot_close(vm->origin);
    free(vm);
}

bool zvmm_has_irqchip(const struct zvmm *vm)
{
    return vm->kvm.irqchip;
}

int zvmm_exit_status(const struct zvmm_result *result)
{
    switch (result->end) {
    case ZVMM_END_EXIT:
        if (result->code >= 0 && result->code <= 255)
            return (int)result->code;
        if (result->code <= -1024 && result->code >= -1029)
            return ZVMM_EXIT_KILLED + (int)(-1024 - result->code);
        return ZVMM_EXIT_OTHER;
    case ZVMM_END_GUEST:
        return ZVMM_EXIT_GUEST;
    case ZVMM_END_STOP:
        return 0;
    case ZVMM_END_SIGNAL:
        return 128 + (int)result->code;
    default:
        return 130;
    }
}

void vm_end(struct zvmm *vm, enum zvmm_end end, int64_t code)
{
    vm->ended = true;
    vm->result = (struct zvmm_result){.end = end, .code = code};
}

void vm_remark(const struct zvmm *vm, const char *format, ...)
{
    va_list args;
    if (!vm->config.verbose)
        return;
    fputs("zvmm: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}
