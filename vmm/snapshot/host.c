/* host.c - whether a snapshot's machine can go on here. */
#include "snapshot/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "probe.h"

#define TSC_TOLERANCE_PPM                                                                          \
    250 /* KVM's own: closer frequencies are the same clock measured twice                         \
         */

const char *host_id(char text[HOST_ID_ROOM])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, HOST_ID_ROOM - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* ---- The processor's features ---------------------------------------------------------------- */

enum reg { EAX, EBX, ECX, EDX };

/* Leaves that are sets of features; the names are those that /proc/cpuinfo and others use. */
static const struct feature_word {
    uint32_t function, index;
    enum reg reg;
    const char *names[32];
} feature_words[] = {
    {1,
     0,
     ECX,
     {[0] = "sse3",
      [1] = "pclmulqdq",
      [9] = "ssse3",
      [12] = "fma",
      [13] = "cx16",
      [19] = "sse4_1",
      [20] = "sse4_2",
      [21] = "x2apic",
      [22] = "movbe",
      [23] = "popcnt",
      [24] = "tsc_deadline_timer",
      [25] = "aes",
      [26] = "xsave",
      [28] = "avx",
      [29] = "f16c",
      [30] = "rdrand"}},
    {1,
     0,
     EDX,
     {[0] = "fpu", [4] = "tsc", [5] = "msr", [24] = "fxsr", [25] = "sse", [26] = "sse2"}},
    {7,
     0,
     EBX,
     {[0] = "fsgsbase",
      [3] = "bmi1",
      [5] = "avx2",
      [7] = "smep",
      [8] = "bmi2",
      [9] = "erms",
      [10] = "invpcid",
      [16] = "avx512f",
      [18] = "rdseed",
      [19] = "adx",
      [20] = "smap",
      [23] = "clflushopt",
      [24] = "clwb",
      [29] = "sha"}},
    {7, 0, ECX, {[1] = "avx512vbmi", [2] = "umip", [3] = "pku", [9] = "vaes", [22] = "rdpid"}},
    {7, 0, EDX, {[4] = "fsrm", [26] = "spec_ctrl"}},
    {0xd, 0, EAX, {[0] = "x87 state", [1] = "sse state", [2] = "avx state"}},
    {0x80000001, 0, ECX, {[0] = "lahf_lm", [5] = "abm", [6] = "sse4a", [8] = "3dnowprefetch"}},
    {0x80000001,
     0,
     EDX,
     {[11] = "syscall", [20] = "nx", [26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm"}},
};
enum { FEATURE_WORDS = sizeof(feature_words) / sizeof(feature_words[0]) };

static uint32_t feature_bits(const struct kvm_cpuid_entry2 *entries, uint32_t count,
                             const struct feature_word *word)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct kvm_cpuid_entry2 *entry = &entries[i];
        const uint32_t regs[] = {entry->eax, entry->ebx, entry->ecx, entry->edx};
        if (entry->function == word->function && entry->index == word->index)
            return regs[word->reg];
    }
    return 0;
}

/* KVM keeps these by itself: they follow CR4, or say what KVM offers in any case. */
static uint32_t ignored_bits(const struct feature_word *word)
{
    if (word->function == 1 && word->reg == ECX)
        return 1u << 27 | 1u << 31 | 1u << 21 | 1u << 24; /* osxsave hypervisor x2apic deadline */
    if (word->function == 7 && word->reg == ECX)
        return 1u << 4; /* ospke */
    return 0;
}

static int check_features(const struct snapshot_file *file, const struct vcpu_state *state,
                          const struct kvm *kvm, struct zvmm_error *error)
{
    union {
        struct kvm_cpuid2 head;
        uint8_t space[sizeof(struct kvm_cpuid2) + STATE_CPUID * sizeof(struct kvm_cpuid_entry2)];
    } host = {.head.nent = STATE_CPUID};
    char missing[256] = "";
    if (ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, &host.head) != 0)
        return error_set(error, "KVM: cannot read the supported CPUID: %s", strerror(errno));
    for (unsigned w = 0; w < FEATURE_WORDS; w++) {
        const struct feature_word *word = &feature_words[w];
        uint32_t lacking = feature_bits(state->cpuid, state->num_cpuid, word) &
                           ~feature_bits(host.head.entries, host.head.nent, word) &
                           ~ignored_bits(word);
        for (unsigned bit = 0; bit < 32; bit++) {
            char name[48];
            size_t used = strlen(missing);
            if ((lacking >> bit & 1) == 0)
                continue;
            snprintf(name, sizeof(name), "leaf %#x register %u bit %u", word->function, word->reg,
                     bit);
            snprintf(missing + used, sizeof(missing) - used, "%s%s", used != 0 ? ", " : "",
                     word->names[bit] != NULL ? word->names[bit] : name);
        }
    }
    if (missing[0] == '\0')
        return 0;
    return error_set(error,
                     "%s: its guest has been told of processor features that this host lacks: "
                     "%s; restore it on a host that has them",
                     snapshot_path(file), missing);
}

/* ---- The rest -------------------------------------------------------------------------------- */

static int check_frequency(const struct snapshot_file *file, const struct zsnap_machine *machine,
                           const struct kvm *kvm, struct zvmm_error *error)
{
    int khz = ioctl(kvm->vcpu_fd, KVM_GET_TSC_KHZ, 0);
    int64_t there = machine->tsc_khz, off = there - khz;
    if (khz > 0 && (off < 0 ? -off : off) * 1000000 <= there * TSC_TOLERANCE_PPM)
        return 0;
    /* A processor that can scale takes another frequency. */
    if (ioctl(kvm->vcpu_fd, KVM_SET_TSC_KHZ, (unsigned long)machine->tsc_khz) == 0)
        return 0;
    return error_set(error,
                     "%s: its guest's clock ticks at %u kHz, this host's at %d kHz, and its "
                     "processor cannot scale the TSC; restore it on a host with the same frequency",
                     snapshot_path(file), machine->tsc_khz, khz);
}

/* A guest that was told nothing of quirks needs a KVM without any: look how this one behaves. */
static int check_quirks(const struct snapshot_file *file, const struct zsnap_machine *machine,
                        const struct kvm *kvm, struct zvmm_error *error)
{
    enum { PROBE_BYTES = 2 << 20 };
    struct memory memory;
    uint32_t quirks = 0;
    uint64_t runs = 0;
    if ((machine->quirks & ZV_QUIRK_SLOW_RING0) != 0 || probe_is_hardware())
        return 0;
    if (memory_create(&memory, PROBE_BYTES, error) != 0)
        return -1;
    struct kvm probe = {.fd = kvm->fd, .vm_fd = -1, .vcpu_fd = -1};
    int result = kvm_create_vm(&probe, &memory, false, error);
    if (result == 0) {
        result = probe_run(&probe, &memory, gpa(PAGE_BYTES), &quirks, &runs, error);
        kvm_destroy_vm(&probe);
    }
    memory_destroy(&memory);
    if (result != 0)
        return -1;
    if ((quirks & ~machine->quirks) == 0)
        return 0;
    return error_set(error,
                     "%s: was taken on a KVM with hardware virtualisation and this host's KVM has "
                     "quirks that its guest does not know of (%#x); restore it on hardware KVM",
                     snapshot_path(file), quirks & ~machine->quirks);
}

int host_check(const struct snapshot_file *file, const struct zsnap_machine *machine,
               const struct vcpu_state *state, const struct kvm *kvm, struct zvmm_error *error)
{
    char here[HOST_ID_ROOM];
    const char *there = snapshot_text(file, ZSNAP_HOST);
    if (there[0] != '\0' && strcmp(there, host_id(here)) == 0)
        return 0;
    if (check_frequency(file, machine, kvm, error) != 0 ||
        check_quirks(file, machine, kvm, error) != 0)
        return -1;
    return kvm->irqchip ? check_features(file, state, kvm, error) : 0;
}
