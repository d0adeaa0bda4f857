/* state.c - all of a vCPU and its local APIC, in and out. */
#include "snapshot/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* The order is that of loading: the deadline comes last, when the LAPIC and the TSC are there. */
static const uint32_t msr_indices[] = {
    0x174,      /* SYSENTER_CS */
    0x175,      /* SYSENTER_ESP */
    0x176,      /* SYSENTER_EIP */
    0x277,      /* PAT */
    0x1a0,      /* MISC_ENABLE */
    0xc0000081, /* STAR */
    0xc0000082, /* LSTAR */
    0xc0000083, /* CSTAR */
    0xc0000084, /* FMASK */
    0xc0000102, /* KERNEL_GS_BASE */
    0xc0000103, /* TSC_AUX */
    0x48,       /* SPEC_CTRL */
    0x6e0,      /* TSC_DEADLINE */
};
enum { MSRS = sizeof(msr_indices) / sizeof(msr_indices[0]) };

union msr_table {
    struct kvm_msrs head;
    uint8_t space[sizeof(struct kvm_msrs) + STATE_MSRS * sizeof(struct kvm_msr_entry)];
};

static int refused(const char *what, struct zvmm_error *error)
{
    return error_set(error, "KVM: cannot %s: %s; check the host's kernel log", what,
                     strerror(errno));
}

/* KVM stops at the first register that this processor or KVM lacks: leave it out, go on. */
static int save_msrs(struct vcpu_state *state, const struct kvm *kvm)
{
    uint32_t next = 0;
    state->num_msrs = 0;
    while (next < MSRS) {
        union msr_table table = {.head.nmsrs = MSRS - next};
        for (uint32_t i = 0; i < MSRS - next; i++)
            table.head.entries[i] = (struct kvm_msr_entry){.index = msr_indices[next + i]};
        int got = ioctl(kvm->vcpu_fd, KVM_GET_MSRS, &table.head);
        if (got < 0)
            return -1;
        for (int i = 0; i < got; i++)
            state->msrs[state->num_msrs++] = (struct zsnap_msr){
                .index = table.head.entries[i].index, .value = table.head.entries[i].data};
        next += (uint32_t)got + 1;
    }
    return 0;
}

/* It does not change, so one ioctl does for all snapshots of a machine. */
static int read_cpuid(struct kvm *kvm)
{
    struct kvm_cpuid2 *table =
        calloc(1, sizeof(*table) + STATE_CPUID * sizeof(struct kvm_cpuid_entry2));
    if (table == NULL)
        return -1;
    table->nent = STATE_CPUID;
    if (ioctl(kvm->vcpu_fd, KVM_GET_CPUID2, table) != 0) {
        free(table);
        return -1;
    }
    kvm->cpuid = table;
    return 0;
}

int state_prepare(struct kvm *kvm)
{
    return kvm->cpuid != NULL ? 0 : read_cpuid(kvm);
}

static int save_cpuid(struct vcpu_state *state, struct kvm *kvm)
{
    if (state_prepare(kvm) != 0)
        return -1;
    state->num_cpuid = kvm->cpuid->nent;
    memcpy(state->cpuid, kvm->cpuid->entries, state->num_cpuid * sizeof(state->cpuid[0]));
    return 0;
}

/* What the KVM_RUN that settled the vCPU has left in struct kvm_run costs no further ioctl. */
static int save_registers(struct vcpu_state *state, const struct kvm *kvm)
{
    const struct kvm_sync_regs *sync = &kvm->run->s.regs;
    bool events = kvm->settled && (kvm->sync_regs & KVM_SYNC_X86_EVENTS) != 0;
    int fd = kvm->vcpu_fd;
    if (kvm->settled) {
        state->regs = sync->regs;
        state->sregs = sync->sregs;
    } else if (ioctl(fd, KVM_GET_REGS, &state->regs) != 0 ||
               ioctl(fd, KVM_GET_SREGS, &state->sregs) != 0) {
        return -1;
    }
    if (events)
        state->events = sync->events;
    else if (ioctl(fd, KVM_GET_VCPU_EVENTS, &state->events) != 0)
        return -1;
    return 0;
}

int state_save(struct vcpu_state *state, struct kvm *kvm, bool xsave, struct zvmm_error *error)
{
    int fd = kvm->vcpu_fd;
    state->has_xcrs = xsave;
    state->has_irqchip = kvm->irqchip;
    state->mp_state = (struct kvm_mp_state){.mp_state = KVM_MP_STATE_RUNNABLE};
    /* First: with an irqchip, reading mp_state can take a pending event in. Without one a vCPU is
     * always runnable. */
    if ((kvm->irqchip && ioctl(fd, KVM_GET_MP_STATE, &state->mp_state) != 0) ||
        save_registers(state, kvm) != 0 || ioctl(fd, KVM_GET_XSAVE, &state->xsave) != 0 ||
        ioctl(fd, KVM_GET_DEBUGREGS, &state->debugregs) != 0 ||
        (xsave && ioctl(fd, KVM_GET_XCRS, &state->xcrs) != 0))
        return refused("read the vCPU's state", error);
    if (save_msrs(state, kvm) != 0 || save_cpuid(state, kvm) != 0)
        return refused("read the vCPU's registers", error);
    if (kvm->irqchip && ioctl(fd, KVM_GET_LAPIC, &state->lapic) != 0)
        return refused("read the local APIC", error);
    return 0;
}

static int load_cpuid(const struct vcpu_state *state, const struct kvm *kvm)
{
    union {
        struct kvm_cpuid2 head;
        uint8_t space[sizeof(struct kvm_cpuid2) + sizeof(state->cpuid)];
    } table;
    table.head.nent = state->num_cpuid;
    table.head.padding = 0;
    memcpy(table.head.entries, state->cpuid, state->num_cpuid * sizeof(state->cpuid[0]));
    return ioctl(kvm->vcpu_fd, KVM_SET_CPUID2, &table.head);
}

static int load_msrs(const struct vcpu_state *state, const struct kvm *kvm,
                     struct zvmm_error *error)
{
    union msr_table table = {.head.nmsrs = state->num_msrs};
    for (uint32_t i = 0; i < state->num_msrs; i++)
        table.head.entries[i] =
            (struct kvm_msr_entry){.index = state->msrs[i].index, .data = state->msrs[i].value};
    int set = ioctl(kvm->vcpu_fd, KVM_SET_MSRS, &table.head);
    if (set < 0)
        return refused("set the vCPU's registers", error);
    if ((uint32_t)set != state->num_msrs)
        return error_set(error,
                         "the snapshot has a value of register %#x that this processor does not "
                         "take; restore it on a host like the one it was taken on",
                         state->msrs[set].index);
    return 0;
}

/*
 * Registers, segments and events go with the next KVM_RUN, which saves three ioctls. `now`: the
 * local APIC is about to be set, and its mode, in sregs' APIC base, comes first.
 */
static int load_by_run(const struct vcpu_state *state, const struct kvm *kvm, bool now)
{
    struct kvm_sync_regs *sync = &kvm->run->s.regs;
    sync->regs = state->regs;
    sync->sregs = state->sregs;
    sync->events = state->events;
    kvm->run->kvm_dirty_regs = kvm->sync_regs & ~(now ? KVM_SYNC_X86_SREGS : 0);
    if (now && ioctl(kvm->vcpu_fd, KVM_SET_SREGS, &state->sregs) != 0)
        return -1;
    if ((kvm->sync_regs & KVM_SYNC_X86_EVENTS) != 0)
        return 0;
    struct kvm_vcpu_events events = state->events;
    return ioctl(kvm->vcpu_fd, KVM_SET_VCPU_EVENTS, &events);
}

static int load_registers(const struct vcpu_state *state, const struct kvm *kvm,
                          struct zvmm_error *error)
{
    int fd = kvm->vcpu_fd;
    if ((state->has_xcrs && ioctl(fd, KVM_SET_XCRS, &state->xcrs) != 0) ||
        ioctl(fd, KVM_SET_XSAVE, &state->xsave) != 0 ||
        ioctl(fd, KVM_SET_DEBUGREGS, &state->debugregs) != 0)
        return refused("set the vCPU's state", error);
    return 0;
}

int state_load(const struct vcpu_state *state, const struct kvm *kvm, struct zvmm_error *error)
{
    if (load_cpuid(state, kvm) != 0)
        return refused("set CPUID", error);
    if (load_by_run(state, kvm, state->has_irqchip) != 0)
        return refused("set the vCPU's segments", error);
    if (load_registers(state, kvm, error) != 0)
        return -1;
    if (state->has_irqchip && ioctl(kvm->vcpu_fd, KVM_SET_LAPIC, &state->lapic) != 0)
        return refused("set the local APIC", error);
    if (load_msrs(state, kvm, error) != 0)
        return -1;
    /* Without an irqchip a vCPU is always runnable. */
    if (state->has_irqchip && ioctl(kvm->vcpu_fd, KVM_SET_MP_STATE, &state->mp_state) != 0)
        return refused("set the vCPU's run state", error);
    return 0;
}

/*
 * Setting the local APIC takes three times as long as reading it, and few runs change it. A timer
 * under way is in it, or in an MSR that is set in any case.
 */
static int reset_lapic(const struct vcpu_state *state, const struct kvm *kvm, bool *changed)
{
    struct kvm_lapic_state lapic;
    if (!state->has_irqchip)
        return 0;
    if (ioctl(kvm->vcpu_fd, KVM_GET_LAPIC, &lapic) != 0)
        return -1;
    *changed = memcmp(&lapic, &state->lapic, sizeof(lapic)) != 0;
    return 0;
}

int state_reset(const struct vcpu_state *state, const struct kvm *kvm, bool was_running,
                struct zvmm_error *error)
{
    bool runnable = was_running && state->mp_state.mp_state == KVM_MP_STATE_RUNNABLE;
    bool lapic = false;
    if (reset_lapic(state, kvm, &lapic) != 0 || load_by_run(state, kvm, lapic) != 0 ||
        (lapic && ioctl(kvm->vcpu_fd, KVM_SET_LAPIC, &state->lapic) != 0))
        return refused("set the local APIC", error);
    if (load_registers(state, kvm, error) != 0 || load_msrs(state, kvm, error) != 0)
        return -1;
    if (state->has_irqchip && !runnable &&
        ioctl(kvm->vcpu_fd, KVM_SET_MP_STATE, &state->mp_state) != 0)
        return refused("set the vCPU's run state", error);
    return 0;
}
