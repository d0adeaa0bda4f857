/* cpuid.c - what CPUID tells the guest. */
#include "cpuid.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

enum { MAX_ENTRIES = 256 };

/* The variable-length structure of KVM_SET_CPUID2, with room for MAX_ENTRIES. */
union table {
    struct kvm_cpuid2 head;
    uint8_t space[sizeof(struct kvm_cpuid2) + MAX_ENTRIES * sizeof(struct kvm_cpuid_entry2)];
};

#define LEAF1_ECX_FMA          (1u << 12)
#define LEAF1_ECX_X2APIC       (1u << 21)
#define LEAF1_ECX_TSC_DEADLINE (1u << 24)
#define LEAF1_ECX_XSAVE        (1u << 26)
#define LEAF1_ECX_OSXSAVE      (1u << 27)
#define LEAF1_ECX_AVX          (1u << 28)
#define LEAF1_ECX_F16C         (1u << 29)
#define LEAF1_ECX_RDRAND       (1u << 30)
#define LEAF1_ECX_HYPERVISOR   (1u << 31)
#define LEAF7_EBX_FSGSBASE     (1u << 0)

/* Plain instructions of leaf 7: BMI1, BMI2, ERMS, RDSEED, ADX, CLFLUSHOPT, CLWB, SHA. */
#define LEAF7_EBX_PLAIN                                                                            \
    (1u << 3 | 1u << 8 | 1u << 9 | 1u << 18 | 1u << 19 | 1u << 23 | 1u << 24 | 1u << 29)

static struct kvm_cpuid_entry2 *find(union table *table, uint32_t function, uint32_t index)
{
    for (uint32_t i = 0; i < table->head.nent; i++)
        if (table->head.entries[i].function == function && table->head.entries[i].index == index)
            return &table->head.entries[i];
    return NULL;
}

static int set(const struct kvm *kvm, union table *table, struct zvmm_error *error)
{
    if (ioctl(kvm->vcpu_fd, KVM_SET_CPUID2, &table->head) != 0)
        return error_set(error, "KVM: cannot set CPUID: %s; check the host's kernel log",
                         strerror(errno));
    return 0;
}

static void note_features(union table *table, struct cpuid_facts *facts)
{
    const struct kvm_cpuid_entry2 *leaf1 = find(table, 1, 0), *leaf7 = find(table, 7, 0);
    memset(facts, 0, sizeof(*facts));
    facts->rdrand = leaf1 != NULL && (leaf1->ecx & LEAF1_ECX_RDRAND) != 0;
    facts->fsgsbase = leaf7 != NULL && (leaf7->ebx & LEAF7_EBX_FSGSBASE) != 0;
}

/* XCR0 and its area: 512 bytes x87/SSE, 64 bytes header, then AVX where leaf 0xd says. */
static void note_xsave(union table *table, struct cpuid_facts *facts)
{
    const struct kvm_cpuid_entry2 *leaf1 = find(table, 1, 0), *states = find(table, 0xd, 0);
    if (leaf1 == NULL || (leaf1->ecx & LEAF1_ECX_XSAVE) == 0 || states == NULL)
        return;
    facts->xcr0 = 3;
    facts->xsave_bytes = 512 + 64;
    const struct kvm_cpuid_entry2 *avx = find(table, 0xd, 2);
    if ((states->eax & 4) != 0 && avx != NULL) {
        facts->xcr0 |= 4;
        facts->xsave_bytes = avx->ebx + avx->eax;
    }
}

/* Take away XSAVE and all that needs it. */
static void mask_xsave(union table *table)
{
    for (uint32_t i = 0; i < table->head.nent; i++) {
        struct kvm_cpuid_entry2 *entry = &table->head.entries[i];
        if (entry->function == 1) {
            entry->ecx &= ~(LEAF1_ECX_FMA | LEAF1_ECX_XSAVE | LEAF1_ECX_OSXSAVE | LEAF1_ECX_AVX |
                            LEAF1_ECX_F16C);
        } else if (entry->function == 7) {
            entry->ebx &= entry->index == 0 ? LEAF7_EBX_FSGSBASE | LEAF7_EBX_PLAIN : 0;
            entry->eax = entry->ecx = entry->edx = 0;
        } else if (entry->function == 0xd) {
            entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
        }
    }
}

int cpuid_set_supported(const struct kvm *kvm, bool xsave, struct cpuid_facts *facts,
                        struct zvmm_error *error)
{
    union table table = {.head.nent = MAX_ENTRIES};
    if (ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, &table.head) != 0)
        return error_set(error,
                         "KVM: cannot read the supported CPUID: %s; check the host's "
                         "kernel log",
                         strerror(errno));
    struct kvm_cpuid_entry2 *leaf1 = find(&table, 1, 0), *topology = find(&table, 0xb, 0);
    if (leaf1 != NULL) {
        /* KVM reports the host CPU's APIC id; the guest's only vCPU is number 0. */
        leaf1->ebx = (leaf1->ebx & 0xffff) | 1u << 16;
        leaf1->ecx |= LEAF1_ECX_HYPERVISOR;
        if (kvm->irqchip)
            leaf1->ecx |= LEAF1_ECX_X2APIC | LEAF1_ECX_TSC_DEADLINE;
    }
    for (; topology != NULL && topology < &table.head.entries[table.head.nent] &&
           topology->function == 0xb;
         topology++)
        topology->edx = 0;
    if (!xsave)
        mask_xsave(&table);
    note_features(&table, facts);
    note_xsave(&table, facts);
    return set(kvm, &table, error);
}

/* Leaf 1 of every x86-64 processor: FPU TSC MSR CX8 CMOV CLFSH MMX FXSR SSE SSE2, 64-byte lines. */
#define BASE_LEAF1_EBX (8u << 8 | 1u << 16)
#define BASE_LEAF1_EDX                                                                             \
    (1u << 0 | 1u << 4 | 1u << 5 | 1u << 8 | 1u << 15 | 1u << 19 | 1u << 23 | 1u << 24 |           \
     1u << 25 | 1u << 26)
/* Leaf 0x80000001: SYSCALL NX LM. */
#define BASE_EXTENDED_EDX (1u << 11 | 1u << 20 | 1u << 29)

/*
 * Where ring 0 is emulated, user mode's CPUID is the processor's own whatever is set here; KVM and
 * the kernel need no more than the base. Asking KVM for what it supports takes 0.6 ms there, asking
 * the processor 9 us a leaf. A table without leaf 0xd gets that host's from KVM, by a dozen such
 * questions: so it is there, and says what it says on a processor without XSAVE.
 */
int cpuid_set_basic(const struct kvm *kvm, struct cpuid_facts *facts, struct zvmm_error *error)
{
    static const struct kvm_cpuid_entry2 base[] = {
        {.function = 0, .eax = 1},
        {.function = 1, .ebx = BASE_LEAF1_EBX, .ecx = LEAF1_ECX_HYPERVISOR, .edx = BASE_LEAF1_EDX},
        {.function = 0xd, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX},
        {.function = 0x80000000, .eax = 0x80000008},
        {.function = 0x80000001, .edx = BASE_EXTENDED_EDX},
        {.function = 0x80000008, .eax = 48u << 8 | 40u}, /* address bits: virtual, physical */
    };
    union table table;
    table.head.nent = sizeof(base) / sizeof(base[0]);
    table.head.padding = 0;
    memcpy(table.head.entries, base, sizeof(base));
    if (kvm->irqchip)
        find(&table, 1, 0)->ecx |= LEAF1_ECX_X2APIC | LEAF1_ECX_TSC_DEADLINE;
    note_features(&table, facts);
    return set(kvm, &table, error);
}
