/* cpu.c - the state of a stopped vCPU. */
#include "gdb/cpu.h"

#include <string.h>
#include <sys/ioctl.h>

#include "msr.h"
#include "vm.h"

#define MSR_KERNEL_GS_BASE 0xc0000102u

static int vcpu(const struct cpu_state *cpu)
{
    return cpu->vm->kvm.vcpu_fd;
}

void cpu_want_regs(struct cpu_state *cpu)
{
    if (!cpu->regs_known)
        ioctl(vcpu(cpu), KVM_GET_REGS, &cpu->regs);
    cpu->regs_known = true;
}

void cpu_want_sregs(struct cpu_state *cpu)
{
    if (!cpu->sregs_known)
        ioctl(vcpu(cpu), KVM_GET_SREGS, &cpu->sregs);
    cpu->sregs_known = true;
}

void cpu_ask_registers(struct cpu_state *cpu, bool ask)
{
    cpu->vm->kvm.run->kvm_valid_regs = ask ? KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS : 0;
}

void cpu_take_registers(struct cpu_state *cpu)
{
    const struct kvm_run *run = cpu->vm->kvm.run;
    if (run->kvm_valid_regs == 0)
        return;
    cpu->regs = run->s.regs.regs;
    cpu->sregs = run->s.regs.sregs;
    cpu->regs_known = cpu->sregs_known = true;
}

void cpu_want_xsave(struct cpu_state *cpu)
{
    if (!cpu->xsave_known)
        ioctl(vcpu(cpu), KVM_GET_XSAVE, &cpu->xsave);
    cpu->xsave_known = true;
}

uint64_t cpu_msr(struct cpu_state *cpu, uint32_t index)
{
    uint64_t value = 0;
    msr_read(&cpu->vm->kvm, index, &value);
    return value;
}

void cpu_want_kernel_gs(struct cpu_state *cpu)
{
    if (!cpu->gs_known)
        cpu->kernel_gs_base = cpu_msr(cpu, MSR_KERNEL_GS_BASE);
    cpu->gs_known = true;
}

void cpu_release(struct cpu_state *cpu)
{
    if (cpu->sregs_changed)
        ioctl(vcpu(cpu), KVM_SET_SREGS, &cpu->sregs);
    if (cpu->gs_changed)
        msr_write(&cpu->vm->kvm, MSR_KERNEL_GS_BASE, cpu->kernel_gs_base);
    if (cpu->regs_changed)
        ioctl(vcpu(cpu), KVM_SET_REGS, &cpu->regs);
    if (cpu->xsave_changed)
        ioctl(vcpu(cpu), KVM_SET_XSAVE, &cpu->xsave);
    cpu->regs_known = cpu->sregs_known = cpu->xsave_known = cpu->gs_known = false;
    cpu->regs_changed = cpu->sregs_changed = cpu->xsave_changed = cpu->gs_changed = false;
}

void cpu_complete_io(struct cpu_state *cpu)
{
    struct kvm_run *run = cpu->vm->kvm.run;
    if (run->exit_reason != KVM_EXIT_IO && run->exit_reason != KVM_EXIT_MMIO)
        return;
    run->immediate_exit = 1;
    ioctl(vcpu(cpu), KVM_RUN, 0);
    run->immediate_exit = 0;
    run->exit_reason = KVM_EXIT_INTR;
}

/* ---- Memory --------------------------------------------------------------------------------- */

struct target cpu_target(struct cpu_state *cpu)
{
    cpu_want_regs(cpu);
    cpu_want_sregs(cpu);
    return (struct target){
        .memory = cpu->vm->memory.base,
        .memory_bytes = cpu->vm->memory.bytes,
        .regs = cpu->regs,
        .sregs = cpu->sregs,
        .guest_path = cpu->vm->config.guest_path,
    };
}

uint64_t cpu_read(struct cpu_state *cpu, uint64_t address, void *buffer, uint64_t length)
{
    struct target target = cpu_target(cpu);
    return target_read(&target, cpu->sregs.cr3, address, buffer, length);
}

uint64_t cpu_write(struct cpu_state *cpu, uint64_t address, const void *data, uint64_t length)
{
    struct target target = cpu_target(cpu);
    uint64_t done = 0;
    while (done < length) {
        gpa_t at;
        uint64_t piece = PAGE_BYTES - (address + done) % PAGE_BYTES;
        if (piece > length - done)
            piece = length - done;
        if (target_translate(&target, cpu->sregs.cr3, address + done, &at, NULL) != 0)
            break;
        void *to = memory_at(&cpu->vm->memory, at, piece);
        if (to == NULL)
            break;
        memcpy(to, (const uint8_t *)data + done, piece);
        track_note(cpu->vm, at.value, piece);
        done += piece;
    }
    return done;
}

/* ---- Segments ------------------------------------------------------------------------------- */

unsigned cpu_ring(struct cpu_state *cpu)
{
    cpu_want_sregs(cpu);
    return cpu->sregs.cs.selector & 3;
}

void cpu_load_segment(struct cpu_state *cpu, struct kvm_segment *segment, uint16_t selector)
{
    uint64_t entry = 0;
    cpu_want_sregs(cpu);
    cpu_read(cpu, cpu->sregs.gdt.base + (selector & ~7u), &entry, sizeof(entry));
    *segment = (struct kvm_segment){
        .base = (entry >> 16 & 0xffffff) | (entry >> 56 << 24),
        .limit = (uint32_t)((entry & 0xffff) | (entry >> 32 & 0xf0000)),
        .selector = selector,
        .type = entry >> 40 & 15,
        .s = entry >> 44 & 1,
        .dpl = entry >> 45 & 3,
        .present = entry >> 47 & 1,
        .avl = entry >> 52 & 1,
        .l = entry >> 53 & 1,
        .db = entry >> 54 & 1,
        .g = entry >> 55 & 1,
    };
    if (segment->g != 0)
        segment->limit = segment->limit << 12 | 0xfff;
    segment->unusable = (selector & ~3u) == 0;
    segment->type |= 1; /* accessed */
    cpu->sregs_changed = true;
}
