/*
 * counter-pmu.c - the processor's counter of retired instructions, by perf_event_open: in the guest
 * only (exclude_host), user code only (exclude_kernel is about the guest's ring 0, too).
 *
 * Whether it counts exactly is not asked but tried: two loops in a VM of one page must differ by
 * the instructions by which they differ, and the interrupt must come within the margin.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counter.h"
#include "kvm.h"
#include "signals.h"

enum {
    MARGIN = 2000, /* processors are late by some ten to some hundred */
    PAGE_AT = 0x1000,
    PORT = 0x10,
    SHORT = 1000, /* rounds of the probe's loop, two instructions each */
    LONG = 3000,
    INTERRUPTED = 60000,
};

struct pmu {
    int fd;
};

/* ---- The counter ----------------------------------------------------------------------------- */

static int open_counter(bool user_only)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attributes),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .sample_period = INT64_MAX / 2,
        .wakeup_events = 1,
        .exclude_host = 1,
        .exclude_kernel = user_only,
        .pinned = 1,
    };
    struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = gettid()};
    int fd = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fcntl(fd, F_SETOWN_EX, &owner) == 0 && fcntl(fd, F_SETSIG, KICK_SIGNAL) == 0 &&
        fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool read_counter(int fd, uint64_t *count)
{
    return read(fd, count, sizeof(*count)) == (ssize_t)sizeof(*count);
}

static bool arm_counter(int fd, uint64_t more)
{
    return ioctl(fd, PERF_EVENT_IOC_PERIOD, &more) == 0;
}

/* ---- The probe ------------------------------------------------------------------------------- */

/* mov $rounds, %ecx; 1: dec %ecx; jnz 1b; out %al, $PORT - in real mode */
static void write_loop(uint8_t *page, uint32_t rounds)
{
    static const uint8_t code[] = {0x66, 0xb9, 0, 0, 0, 0, 0x66, 0x49, 0x75, 0xfc, 0xe6, PORT};
    memcpy(page, code, sizeof(code));
    memcpy(page + 2, &rounds, sizeof(rounds));
}

/* Run the loop; *count is what the counter has grown by. False: KVM_RUN has ended differently. */
static bool run_loop(const struct kvm *kvm, uint8_t *page, int fd, uint32_t rounds,
                     bool interrupted, uint64_t *count)
{
    struct kvm_regs regs = {.rip = PAGE_AT, .rflags = 2};
    struct kvm_sregs sregs;
    uint64_t before, after;
    write_loop(page, rounds);
    if (ioctl(kvm->vcpu_fd, KVM_GET_SREGS, &sregs) != 0 || !read_counter(fd, &before))
        return false;
    sregs.cs.base = sregs.cs.selector = 0;
    if (ioctl(kvm->vcpu_fd, KVM_SET_SREGS, &sregs) != 0 ||
        ioctl(kvm->vcpu_fd, KVM_SET_REGS, &regs) != 0)
        return false;
    int result = ioctl(kvm->vcpu_fd, KVM_RUN, 0);
    if (!read_counter(fd, &after))
        return false;
    *count = after - before;
    return interrupted ? result != 0 && errno == EINTR
                       : result == 0 && kvm->run->exit_reason == KVM_EXIT_IO;
}

static bool counts_exactly(const struct kvm *kvm, uint8_t *page, int fd)
{
    uint64_t first, second, third;
    if (!run_loop(kvm, page, fd, SHORT, false, &first) ||
        !run_loop(kvm, page, fd, LONG, false, &second) || second - first != 2 * (LONG - SHORT))
        return false;
    return arm_counter(fd, INTERRUPTED) && run_loop(kvm, page, fd, INTERRUPTED, true, &third) &&
           third >= INTERRUPTED && third - INTERRUPTED <= MARGIN;
}

static bool probe(const struct kvm *host)
{
    struct memory memory;
    struct zvmm_error error;
    struct kvm kvm = {.fd = host->fd, .vm_fd = -1, .vcpu_fd = -1};
    bool works = false;
    int fd = open_counter(false);
    if (fd < 0)
        return false;
    if (memory_create(&memory, 2ull << 20, &error) == 0) {
        if (kvm_create_vm(&kvm, &memory, false, &error) == 0) {
            works = counts_exactly(&kvm, memory.base + PAGE_AT, fd);
            kvm_destroy_vm(&kvm);
        }
        memory_destroy(&memory);
    }
    close(fd);
    return works;
}

/* ---- The provider ---------------------------------------------------------------------------- */

static bool pmu_open(const struct kvm *kvm, void **state)
{
    struct pmu *pmu = probe(kvm) ? calloc(1, sizeof(*pmu)) : NULL;
    if (pmu == NULL)
        return false;
    pmu->fd = open_counter(true);
    *state = pmu;
    if (pmu->fd >= 0)
        return true;
    free(pmu);
    return false;
}

static bool pmu_read(void *state, uint64_t *count)
{
    return read_counter(((struct pmu *)state)->fd, count);
}

static bool pmu_arm(void *state, uint64_t more)
{
    return arm_counter(((struct pmu *)state)->fd, more);
}

static void pmu_stepped(void *state)
{
    (void)state; /* the counter has seen it */
}

static void pmu_close(void *state)
{
    close(((struct pmu *)state)->fd);
    free(state);
}

const struct counter_provider counter_pmu = {.name = "pmu",
                                             .period = 100000000,
                                             .margin = MARGIN,
                                             .open = pmu_open,
                                             .read = pmu_read,
                                             .arm = pmu_arm,
                                             .stepped = pmu_stepped,
                                             .close = pmu_close};
