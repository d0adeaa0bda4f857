/* clock.c - the guest's ticks, which are its TSC, and how they relate to host time. */
#include "clock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <x86intrin.h>

#include "msr.h"

#define MSR_IA32_TSC 0x10
#define LONGEST_NS   (365ull * 24 * 3600 * 1000000000)

/* The guest's TSC as KVM reckons it. */
static int read_tsc(const struct kvm *kvm, uint64_t *tsc, struct zvmm_error *error)
{
    if (msr_read(kvm, MSR_IA32_TSC, tsc) != 0)
        return error_set(error,
                         "KVM: cannot read the guest's TSC: %s; check the host's kernel "
                         "log",
                         strerror(errno));
    return 0;
}

/*
 * A KVM that was loaded before its kernel had measured the TSC well, on a processor that cannot
 * scale it, leaves the scale of new vCPUs at 0: the TSC by which it sets their timers stands still,
 * and none goes off in time (Linux 6.1, kvm_set_tsc_khz(); its log has "user requested TSC rate").
 * Where the timers are zvmm's it does not matter, and looking would take 30 us.
 */
static int check_tsc(const struct kvm *kvm, struct zvmm_error *error)
{
    uint64_t first, second;
    if (read_tsc(kvm, &first, error) != 0 || read_tsc(kvm, &second, error) != 0)
        return -1;
    if (first == second)
        return error_set(error, "KVM: the guest's TSC stands still, so its timers would not go "
                                "off: reload the host's kvm modules, they hold a wrong frequency");
    return 0;
}

/* The frequency: asking the VM is cheap but new (5.18), asking the vCPU always works. */
static int find_frequency(struct clock *clock, const struct kvm *kvm, struct zvmm_error *error)
{
    int khz = ioctl(kvm->vm_fd, KVM_GET_TSC_KHZ, 0);
    if (khz <= 0)
        khz = ioctl(kvm->vcpu_fd, KVM_GET_TSC_KHZ, 0);
    if (khz <= 0)
        return error_set(error,
                         "KVM: the TSC's frequency is unknown: %s; zvmm needs a host with "
                         "a constant TSC",
                         strerror(errno));
    clock->khz = (uint32_t)khz;
    return kvm->irqchip ? check_tsc(kvm, error) : 0;
}

/* Before 5.16 there is no offset to set: read the guest's TSC between two reads of the host's. */
static int measure_offset(struct clock *clock, const struct kvm *kvm, struct zvmm_error *error)
{
    uint64_t before = __rdtsc(), tsc;
    if (read_tsc(kvm, &tsc, error) != 0)
        return -1;
    uint64_t after = __rdtsc();
    clock->offset = tsc - (before + (after - before) / 2);
    return 0;
}

/* Whether KVM (5.16 or later) has taken the offset. */
static bool set_offset(struct clock *clock, const struct kvm *kvm, uint64_t offset)
{
    struct kvm_device_attr attribute = {.group = KVM_VCPU_TSC_CTRL,
                                        .attr = KVM_VCPU_TSC_OFFSET,
                                        .addr = (uint64_t)(uintptr_t)&offset};
    clock->offset = offset;
    return ioctl(kvm->vcpu_fd, KVM_SET_DEVICE_ATTR, &attribute) == 0;
}

int clock_init(struct clock *clock, const struct kvm *kvm, struct zvmm_error *error)
{
    if (find_frequency(clock, kvm, error) != 0)
        return -1;
    return set_offset(clock, kvm, 0) ? 0 : measure_offset(clock, kvm, error);
}

/* The guest sees the host's TSC, as it is. */
static int resume_native(struct clock *clock, const struct kvm *kvm, uint64_t ticks,
                         enum clock_mover mover, struct zvmm_error *error)
{
    uint64_t now = __rdtsc();
    if (mover == CLOCK_NOT_MOVED && now < ticks)
        return error_set(error, "this KVM cannot set the guest's TSC, the guest's vDSO has no "
                                "offset to it, and the host's is behind the snapshot's: time would "
                                "run backwards; restore it on hardware KVM");
    if (!clock->untouched)
        set_offset(clock, kvm, 0);
    clock->untouched = true;
    clock->offset = mover == CLOCK_MOVED_BY_GUEST ? ticks - now : 0;
    return 0;
}

int clock_resume(struct clock *clock, const struct kvm *kvm, uint64_t ticks, enum clock_mover mover,
                 struct zvmm_error *error)
{
    if (clock->khz == 0 && find_frequency(clock, kvm, error) != 0)
        return -1;
    if (mover != CLOCK_MOVED_BY_KVM)
        return resume_native(clock, kvm, ticks, mover, error);
    if (set_offset(clock, kvm, ticks - __rdtsc()))
        return 0;
    if (msr_write(kvm, MSR_IA32_TSC, ticks) != 0)
        return error_set(error, "KVM: cannot set the guest's TSC: %s; check the host's kernel log",
                         strerror(errno));
    return measure_offset(clock, kvm, error);
}

uint64_t clock_guest_tsc(const struct clock *clock)
{
    return __rdtsc() + clock->offset;
}

uint64_t clock_ns_until(const struct clock *clock, uint64_t tsc)
{
    uint64_t now = clock_guest_tsc(clock);
    if (tsc <= now)
        return 0;
    unsigned __int128 ns = (unsigned __int128)(tsc - now) * 1000000 / clock->khz + 1;
    return ns < LONGEST_NS ? (uint64_t)ns : LONGEST_NS;
}

uint64_t clock_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
