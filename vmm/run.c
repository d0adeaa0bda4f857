/* run.c - the exit loop. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "gdb/gdb.h"
#include "interrupt.h"
#include "panic.h"
#include "replay/determinism.h"
#include "replay/user-traps.h"
#include "signals.h"
#include "terminal.h"
#include "vm.h"

static void guest_failed(struct zvmm *vm)
{
    vm_end(vm, ZVMM_END_GUEST, 0);
}

/* A port that nobody has: writes vanish, reads are all ones. */
static void handle_unknown_port(struct zvmm *vm, const struct kvm_run *run, uint8_t *data)
{
    bool in = run->io.direction == KVM_EXIT_IO_IN;
    if (in)
        memset(data, 0xff, (size_t)run->io.size * run->io.count);
    vm_remark(vm, "%s unknown port %#x, %u bytes", in ? "read from" : "write to", run->io.port,
              run->io.size);
}

static void handle_io(struct zvmm *vm)
{
    struct kvm_run *run = vm->kvm.run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    if (run->io.port == ZV_STOP_PORT && vm->determinism != NULL) {
        determinism_stop(vm, *(const uint32_t *)data);
        return;
    }
    if (run->io.port != ZV_CALL_PORT || run->io.direction != KVM_EXIT_IO_OUT ||
        run->io.size != sizeof(uint32_t)) {
        handle_unknown_port(vm, run, data);
        return;
    }
    for (uint32_t i = 0; i < run->io.count && !vm->ended; i++) {
        uint32_t address;
        memcpy(&address, data + i * sizeof(address), sizeof(address));
        door_enter(vm, address);
    }
}

/* An access outside RAM: the same rule as for ports. */
static void handle_mmio(struct zvmm *vm)
{
    struct kvm_run *run = vm->kvm.run;
    if (!run->mmio.is_write)
        memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
    vm_remark(vm, "%s unknown address %#llx, %u bytes",
              run->mmio.is_write ? "write to" : "read from",
              (unsigned long long)run->mmio.phys_addr, run->mmio.len);
}

static void handle_halt(struct zvmm *vm)
{
    if (vm->kvm.irqchip)
        return; /* the kernel halts by itself; a host may still report it */
    if (!vm->kvm.run->if_flag) {
        panic_report(vm, "it halted with interrupts off, so nothing can wake it");
        guest_failed(vm);
        return;
    }
    timer_halt(vm);
}

static void handle_internal_error(struct zvmm *vm)
{
    const struct kvm_run *run = vm->kvm.run;
    if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
        panic_report(vm, "KVM cannot emulate the instruction at rip (internal error, suberror 1)");
    else
        panic_report(vm, "KVM internal error, suberror %u", run->internal.suberror);
    guest_failed(vm);
}

static void handle_exit(struct zvmm *vm)
{
    const struct kvm_run *run = vm->kvm.run;
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        handle_io(vm);
        break;
    case KVM_EXIT_HLT:
        handle_halt(vm);
        break;
    case KVM_EXIT_DEBUG:
        if (vm->determinism != NULL && determinism_stepped(vm))
            break;
        panic_report(vm, "an unexpected debug exception");
        guest_failed(vm);
        break;
    case KVM_EXIT_IRQ_WINDOW_OPEN:
    case KVM_EXIT_INTR:
        break;
    case KVM_EXIT_DIRTY_RING_FULL:
        vm->failed = track_make_room(vm) != 0;
        break;
    case KVM_EXIT_MMIO:
        handle_mmio(vm);
        break;
    case KVM_EXIT_SHUTDOWN:
        panic_report(vm, "triple fault");
        guest_failed(vm);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        handle_internal_error(vm);
        break;
    case KVM_EXIT_FAIL_ENTRY:
        panic_report(vm, "KVM cannot enter it: hardware reason %#llx",
                     (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
        guest_failed(vm);
        break;
    default:
        panic_report(vm, "unexpected KVM exit reason %u", run->exit_reason);
        guest_failed(vm);
        break;
    }
}

static void count_exit(struct zvmm *vm, uint32_t reason)
{
    vm->stats.exits[reason < ZVMM_STATS_REASONS ? reason : 0]++;
}

/* KVM_RUN has failed: interrupted by a signal, or for good. */
static void handle_run_failure(struct zvmm *vm, int reason)
{
    if (reason == EINTR || reason == EAGAIN) {
        vm->kvm.run->exit_reason = KVM_EXIT_INTR; /* not the last stay's */
        vm->kvm.run->immediate_exit = 0; /* before the reasons for the kick are looked at */
        count_exit(vm, KVM_EXIT_INTR);
        if (atomic_load(&vm->pauses.wanted))
            pause_serve(vm);
        return;
    }
    error_set(&vm->error, "KVM: cannot run the guest: %s%s", strerror(reason),
              reason == ENOMEM ? "; the host is out of memory: free some or raise the limit"
                               : "; check the host's kernel log");
    vm->failed = true;
}

static void check_wish_to_stop(struct zvmm *vm)
{
    int number = vm->config.own_process ? signals_stop() : 0;
    if (vm->ended)
        return;
    if (number != 0)
        vm_end(vm, ZVMM_END_SIGNAL, number);
    else if (atomic_load(&vm->quit))
        vm_end(vm, ZVMM_END_QUIT, 0);
}

static void note_first_run(struct zvmm *vm)
{
    struct timespec cpu;
    if (vm->stats.first_run_ns != 0)
        return;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    vm->stats.first_run_cpu_ns = (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec;
    vm->stats.first_run_ns = clock_monotonic_ns() - vm->stats.created_ns;
}

/* One stay in the guest and what follows from it. */
static void run_once(struct zvmm *vm)
{
    gdb_attend(vm);
    if (vm->ended)
        return;
    if (vm->determinism != NULL) {
        determinism_before_run(vm);
    } else if (!vm->kvm.irqchip) {
        timer_update(vm);
        interrupt_deliver(vm);
    }
    bool settle = atomic_load(&vm->pauses.wanted);
    if (settle)
        kvm_settle_begin(&vm->kvm);
    vm->kvm.settled = false;
    int result =
        vm->determinism != NULL ? user_traps_run(&vm->kvm) : ioctl(vm->kvm.vcpu_fd, KVM_RUN, 0);
    int reason = errno;
    if (settle)
        kvm_settle_end(&vm->kvm, result != 0 && reason == EINTR);
    vm->stats.runs++;
    if (vm->config.observer.left != NULL)
        vm->config.observer.left(vm->config.observer.context);
    if (!console_drain(vm))
        return;
    if (result != 0) {
        handle_run_failure(vm, reason);
    } else {
        count_exit(vm, vm->kvm.run->exit_reason);
        if (!gdb_take_exit(vm))
            handle_exit(vm);
    }
    if (!vm->ended && !vm->failed && vm->determinism == NULL)
        console_poll(vm);
    plan_see_exit(vm);
    check_wish_to_stop(vm);
}

int vm_finish_exit(struct zvmm *vm, struct zvmm_error *error)
{
    vm->kvm.run->immediate_exit = 1;
    int result = ioctl(vm->kvm.vcpu_fd, KVM_RUN, 0);
    int reason = errno;
    vm->kvm.run->immediate_exit = 0;
    if (result != 0 && (reason == EINTR || reason == EAGAIN))
        return 0;
    return error_set(error, "KVM: the vCPU cannot be stopped: %s",
                     result != 0 ? strerror(reason) : "an exit of the guest is in the way");
}

int vm_settle(struct zvmm *vm, struct zvmm_error *error)
{
    kvm_settle_begin(&vm->kvm);
    int result = vm_finish_exit(vm, error);
    kvm_settle_end(&vm->kvm, result == 0);
    return result;
}

int zvmm_run(struct zvmm *vm, struct zvmm_result *result, struct zvmm_error *error)
{
    vm->thread = gettid();
    signals_begin(vm->kvm.run, vm->config.own_process);
    note_first_run(vm);
    if (vm->result.end == ZVMM_END_STOP)
        vm->ended = false;
    if (plan_begin(vm, &vm->error) != 0)
        vm->failed = true;
    if (!vm->failed && vm->determinism != NULL && determinism_begin(vm, &vm->error) != 0)
        vm->failed = true;
    bool gdb_later = vm->config.replay_to != 0; /* at that event: replay/determinism.c */
    if (!vm->failed && vm->config.gdb != NULL && !gdb_later &&
        gdb_open(vm, vm->config.gdb, &vm->error) != 0)
        vm->failed = true;
    pause_open(vm);
    if (!vm->failed && control_begin(vm, &vm->error) != 0)
        vm->failed = true;
    if (vm->determinism == NULL)
        console_poll(vm); /* a restored guest may be waiting for input */
    while (!vm->ended && !vm->failed)
        run_once(vm);
    pause_close(vm);
    control_end(vm);
    gdb_close(vm);
    if (plan_end(vm, &vm->error) != 0)
        vm->failed = true;
    vm->stats.end_ns = clock_monotonic_ns() - vm->stats.created_ns;
    if (vm->determinism != NULL)
        determinism_end(vm);
    signals_end();
    console_close(&vm->console);
    timer_destroy(&vm->timer);
    *result = vm->result;
    if (!vm->failed)
        return 0;
    *error = vm->error;
    return -1;
}
