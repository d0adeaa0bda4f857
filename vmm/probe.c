/*
 * probe.c - what this KVM does differently from hardware, found by its behaviour.
 *
 * The probe runs on the real VM's vCPU before the guest does: a separate VM would double the
 * start-up time. One run of some 40 instructions decides everything: ring 0 counts down from 16
 * between two reads of the TSC, leaves for ring 3 by iretq, and ring 3 executes syscall, whose
 * target writes a port (IOPL is 3) so that zvmm sees the time and the privilege level reached.
 *
 *   - Ring 0 is slow: it is emulated, one instruction at a time. Then three more findings follow,
 *     because KVM's instruction emulator has no xsave, raises no int3 in protected mode, and does
 *     not survive CR4.PCIDE for long. They are not tried out: each try ends KVM_RUN in an
 *     internal error, for which such a host writes a line to its console, and that alone takes
 *     2 ms, twice the whole start-up.
 *   - syscall keeps CPL 3: that is seen directly.
 *
 * Registers travel in struct kvm_run (KVM_CAP_SYNC_REGS): an ioctl for each would cost 9 us.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hypercall.h"
#include "longmode.h"

#define PROBE_PORT 0x5a
#define MSR_STAR   0xc0000081
#define MSR_LSTAR  0xc0000082

/*
 * 32 instructions take some 100 cycles on hardware and about 45,000 where ring 0 is emulated.
 * Being preempted in between once is possible, twice in a row is not believed.
 */
#define SLOW_CYCLES 10000u

#define RFLAGS_USER 0x3002u /* IOPL 3 */

/* Offsets in the probe's code page. */
enum {
    CODE_RING0 = 0x000,
    CODE_USER = 0x080,
    CODE_LANDING = 0x0c0, /* where syscall leads */
    GDT = 0x100,
    FRAME = 0xf00, /* for iretq */
};

static const uint8_t code_ring0[] = {
    0x0f, 0x31,                   /* rdtsc           */
    0x41, 0x89, 0xc0,             /* mov %eax, %r8d  */
    0xb9, 0x10, 0x00, 0x00, 0x00, /* mov $16, %ecx   */
    0xff, 0xc9,                   /* 1: dec %ecx     */
    0x75, 0xfc,                   /* jnz 1b          */
    0x0f, 0x31,                   /* rdtsc           */
    0x44, 0x29, 0xc0,             /* sub %r8d, %eax  */
    0x41, 0x89, 0xc0,             /* mov %eax, %r8d  */
    0x48, 0xcf,                   /* iretq           */
};
static const uint8_t code_user[] = {0x0f, 0x05};          /* syscall */
static const uint8_t code_landing[] = {0xe6, PROBE_PORT}; /* out %al, PROBE_PORT */

bool probe_is_hardware(void)
{
    return access("/sys/module/kvm_intel", F_OK) == 0 || access("/sys/module/kvm_amd", F_OK) == 0;
}

/* A parameter of a KVM module that is switched on. */
static bool is_on(const char *path)
{
    char value = 'N';
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool on = read(fd, &value, 1) == 1 && (value == 'Y' || value == '1');
    close(fd);
    return on;
}

bool probe_has_paging(void)
{
    return is_on("/sys/module/kvm_intel/parameters/ept") ||
           is_on("/sys/module/kvm_amd/parameters/npt");
}

/* Scratch pages: PML4, PDPT, PD with one 2 MiB identity page for ring 0 and 3, and the code. */
static void build_pages(uint8_t *pages, uint64_t scratch)
{
    uint64_t *table = (uint64_t *)pages;
    uint64_t code = scratch + 3 * PAGE_BYTES;
    const uint64_t bits = PTE_PRESENT | PTE_WRITE | PTE_USER;
    table[0] = (scratch + PAGE_BYTES) | bits;
    table[512 + ((code >> 30) & 511)] = (scratch + 2 * PAGE_BYTES) | bits;
    table[1024 + ((code >> 21) & 511)] = (code & ~((2ull << 20) - 1)) | bits | PTE_LARGE;

    uint8_t *page = pages + 3 * PAGE_BYTES;
    const uint64_t frame[] = {code + CODE_USER, ZV_SEL_USER_CODE, RFLAGS_USER, code + FRAME,
                              ZV_SEL_USER_DATA};
    memcpy(page + CODE_RING0, code_ring0, sizeof(code_ring0));
    memcpy(page + CODE_USER, code_user, sizeof(code_user));
    memcpy(page + CODE_LANDING, code_landing, sizeof(code_landing));
    memcpy(page + FRAME, frame, sizeof(frame));
    longmode_gdt((uint64_t *)(page + GDT));
}

static int set_syscall_target(const struct kvm *kvm, uint64_t target, struct zvmm_error *error)
{
    union {
        struct kvm_msrs head;
        uint8_t space[sizeof(struct kvm_msrs) + 2 * sizeof(struct kvm_msr_entry)];
    } msrs = {.head.nmsrs = 2};
    msrs.head.entries[0] = (struct kvm_msr_entry){.index = MSR_STAR,
                                                  .data = (uint64_t)ZV_SEL_KERNEL_CODE << 32 |
                                                          (uint64_t)ZV_SEL_USER_CODE32 << 48};
    msrs.head.entries[1] = (struct kvm_msr_entry){.index = MSR_LSTAR, .data = target};
    if (ioctl(kvm->vcpu_fd, KVM_SET_MSRS, &msrs) != 2)
        return error_set(error,
                         "KVM: cannot set the syscall registers: %s; check the host's "
                         "kernel log",
                         strerror(errno));
    return 0;
}

/* Run the probe's code once; 0 if KVM_RUN came back for whatever reason. */
static int run_once(const struct kvm *kvm, uint64_t scratch, uint64_t *runs,
                    struct zvmm_error *error)
{
    struct kvm_run *run = kvm->run;
    struct kvm_sync_regs *state = &run->s.regs;
    uint64_t code = scratch + 3 * PAGE_BYTES;
    int result;
    memset(state, 0, sizeof(*state));
    state->regs.rip = code + CODE_RING0;
    state->regs.rsp = code + FRAME;
    state->regs.rflags = 0x2;
    longmode_sregs(&state->sregs, scratch, code + GDT, 0);
    run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
    do {
        result = ioctl(kvm->vcpu_fd, KVM_RUN, 0);
        ++*runs;
    } while (result != 0 && (errno == EINTR || errno == EAGAIN));
    run->kvm_valid_regs = 0;
    if (result != 0)
        return error_set(error, "KVM: cannot run the probe: %s; check the host's kernel log",
                         strerror(errno));
    return 0;
}

/* Let KVM complete a port write, so that it does not skip an instruction of what runs next. */
static void finish_io(const struct kvm *kvm, uint64_t *runs)
{
    kvm->run->immediate_exit = 1;
    ioctl(kvm->vcpu_fd, KVM_RUN, 0);
    ++*runs;
    kvm->run->immediate_exit = 0;
}

int probe_run(const struct kvm *kvm, struct memory *memory, gpa_t scratch, uint32_t *quirks,
              uint64_t *runs, struct zvmm_error *error)
{
    uint8_t *pages = memory_at(memory, scratch, PROBE_PAGES * PAGE_BYTES);
    uint32_t cycles = UINT32_MAX;
    if (pages == NULL)
        return error_set(error, "KVM: no guest memory for the probe; use a larger --memory");
    *quirks = 0;
    build_pages(pages, scratch.value);
    if (set_syscall_target(kvm, scratch.value + 3 * PAGE_BYTES + CODE_LANDING, error) != 0)
        return -1;
    for (int attempt = 0; attempt < 2 && cycles > SLOW_CYCLES; attempt++) {
        if (run_once(kvm, scratch.value, runs, error) != 0)
            return -1;
        const struct kvm_sync_regs *state = &kvm->run->s.regs;
        bool arrived = kvm->run->exit_reason == KVM_EXIT_IO;
        cycles = (uint32_t)state->regs.r8;
        if (!arrived || (state->sregs.cs.selector & 3) != 0)
            *quirks |= ZV_QUIRK_SYSCALL_BROKEN;
        if (arrived)
            finish_io(kvm, runs);
        if (*quirks != 0)
            break; /* it is not hardware: one measurement is enough */
    }
    if (cycles > SLOW_CYCLES)
        *quirks |=
            ZV_QUIRK_SLOW_RING0 | ZV_QUIRK_NO_XSAVE | ZV_QUIRK_NO_INT3_RING0 | ZV_QUIRK_NO_PCID;
    memset(pages, 0, PROBE_PAGES * PAGE_BYTES);
    return 0;
}
