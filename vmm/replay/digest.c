/* digest.c - one number for the state of a stopped machine. */
#include "digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xxhash.h>

#include "gdb/gdb.h"
#include "snapshot/backed.h"
#include "vm.h"

/* CF PF AF ZF SF OF: some instructions leave some of them undefined. */
#define ARITHMETIC_FLAGS 0x8d5ull

/* ---- The vCPU ------------------------------------------------------------------------------- */

static const uint32_t msr_numbers[] = {
    0xc0000081, /* STAR */
    0xc0000082, /* LSTAR */
    0xc0000084, /* SFMASK */
    0xc0000102, /* KERNEL_GS_BASE */
};
enum { MSRS = sizeof(msr_numbers) / sizeof(msr_numbers[0]) };

/*
 * What programs and the kernel can see of the vCPU. Hidden parts of segments are left out: KVMs
 * keep them differently, and in 64-bit mode they mean nothing. So is SS: in ring 0 it is what the
 * last entry left, 0 or the kernel's.
 */
struct vcpu_state {
    struct kvm_regs regs;
    uint64_t control[6]; /* cr0 cr2 cr3 cr4 cr8 efer */
    uint64_t bases[2];   /* fs gs */
    uint64_t tables[4];  /* gdt and idt: base, limit */
    uint64_t task[2];    /* tr: base, selector */
    uint64_t selectors[5];
    uint64_t msrs[MSRS];
    uint8_t fpu[8][16], xmm[16][16];
    uint32_t fcw, fsw, ftw, mxcsr;
};

static void take_sregs(struct vcpu_state *state, const struct kvm_sregs *sregs)
{
    const struct kvm_segment *segments[5] = {&sregs->cs, &sregs->ds, &sregs->es, &sregs->fs,
                                             &sregs->gs};
    state->control[0] = sregs->cr0;
    state->control[1] = sregs->cr2;
    state->control[2] = sregs->cr3;
    state->control[3] = sregs->cr4;
    state->control[4] = sregs->cr8;
    state->control[5] = sregs->efer;
    state->bases[0] = sregs->fs.base;
    state->bases[1] = sregs->gs.base;
    state->tables[0] = sregs->gdt.base;
    state->tables[1] = sregs->gdt.limit;
    state->tables[2] = sregs->idt.base;
    state->tables[3] = sregs->idt.limit;
    state->task[0] = sregs->tr.base;
    state->task[1] = sregs->tr.selector;
    for (int i = 0; i < 5; i++)
        state->selectors[i] = segments[i]->selector;
}

static void take_fpu(struct vcpu_state *state, const struct kvm_fpu *fpu)
{
    for (int i = 0; i < 8; i++)
        memcpy(state->fpu[i], fpu->fpr[i], 10);
    memcpy(state->xmm, fpu->xmm, sizeof(state->xmm));
    state->fcw = fpu->fcw;
    state->fsw = fpu->fsw;
    state->ftw = fpu->ftwx;
    state->mxcsr = fpu->mxcsr;
}

static int take_vcpu(const struct kvm *kvm, struct vcpu_state *state)
{
    union {
        struct kvm_msrs head;
        uint8_t space[sizeof(struct kvm_msrs) + MSRS * sizeof(struct kvm_msr_entry)];
    } msrs = {.head.nmsrs = MSRS};
    struct kvm_sregs sregs;
    struct kvm_fpu fpu;
    for (int i = 0; i < MSRS; i++)
        msrs.head.entries[i] = (struct kvm_msr_entry){.index = msr_numbers[i]};
    memset(state, 0, sizeof(*state));
    if (ioctl(kvm->vcpu_fd, KVM_GET_REGS, &state->regs) != 0 ||
        ioctl(kvm->vcpu_fd, KVM_GET_SREGS, &sregs) != 0 ||
        ioctl(kvm->vcpu_fd, KVM_GET_FPU, &fpu) != 0 ||
        ioctl(kvm->vcpu_fd, KVM_GET_MSRS, &msrs) != MSRS)
        return -1;
    state->regs.rflags &= ~ARITHMETIC_FLAGS;
    take_sregs(state, &sregs);
    take_fpu(state, &fpu);
    for (int i = 0; i < MSRS; i++)
        state->msrs[i] = msrs.head.entries[i].data;
    return 0;
}

/* Let KVM complete the hypercall's port write: until then rip may point at the instruction. */
static void finish_io(const struct kvm *kvm)
{
    kvm->run->immediate_exit = 1;
    ioctl(kvm->vcpu_fd, KVM_RUN, 0);
    kvm->run->immediate_exit = 0;
}

/* ---- Memory --------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *page)
{
    const uint64_t *words = (const uint64_t *)page;
    uint64_t any = 0;
    for (unsigned i = 0; i < PAGE_BYTES / sizeof(words[0]) && any == 0; i += 8)
        for (unsigned j = 0; j < 8; j++)
            any |= words[i + j];
    return any == 0;
}

/* Pages that are not zero, each with its address: what the host keeps of the others is its affair.
 */
static void hash_pages(XXH3_state_t *state, const struct memory *memory, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at += PAGE_BYTES) {
        const uint8_t *page = memory->base + at;
        if (is_zero(page))
            continue;
        XXH3_128bits_update(state, &at, sizeof(at));
        XXH3_128bits_update(state, page, PAGE_BYTES);
    }
}

/*
 * Pages that nobody has touched are zeros, and stay untouched; but where the kernel's image, the
 * modules or a snapshot are, they are a file's.
 */
static int hash_memory(XXH3_state_t *state, const struct zvmm *vm)
{
    struct page_set present;
    uint64_t page = 0, end;
    if (page_set_init(&present, vm->memory.bytes) != 0)
        return -1;
    page_set_add_backed(&present, vm);
    int result = page_set_add_present(&present, &vm->memory, false);
    for (; result == 0 && page_set_next(&present, &page, &end); page = end)
        hash_pages(state, &vm->memory, page * PAGE_BYTES, end * PAGE_BYTES);
    page_set_free(&present);
    return result;
}

/* ---- Both ----------------------------------------------------------------------------------- */

int digest_take(struct zvmm *vm, struct digest *digest, struct zvmm_error *error)
{
    struct vcpu_state vcpu;
    uint64_t stop_event = vm->shared->stop_event, stepping = vm->shared->stepping;
    if (vm->stats.runs != 0)
        finish_io(&vm->kvm);
    if (vm->stats.runs != 0 && take_vcpu(&vm->kvm, &vcpu) != 0)
        return error_set(error, "digest: cannot read the vCPU: %s; check the host's kernel log",
                         strerror(errno));
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL)
        return error_set(error, "digest: out of memory");
    XXH3_128bits_reset(state);
    vm->shared->stop_event = vm->shared->stepping = 0; /* zvmm's affair, no part of the machine */
    gdb_hide(vm);
    int hashed = hash_memory(state, vm);
    vm->shared->stop_event = stop_event;
    vm->shared->stepping = stepping;
    if (vm->stats.runs != 0)
        XXH3_128bits_update(state, &vcpu, sizeof(vcpu));
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    if (hashed != 0)
        return error_set(error, "digest: cannot read the machine's memory: out of memory");
    memcpy(digest->bytes, canonical.digest, sizeof(digest->bytes));
    return 0;
}

void digest_text(const struct digest *digest, char text[DIGEST_TEXT])
{
    for (unsigned i = 0; i < sizeof(digest->bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", digest->bytes[i]);
}
