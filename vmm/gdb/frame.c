/* frame.c - returning from a trap without the instruction that does it. */
#include <string.h>

#include "gdb/session.h"
#include "vm.h"

#define FLAG_RESERVED 0x2ull
#define SYSRET_FLAGS  0x3c7fd7ull
#define MSR_STAR      0xc0000081u

void frame_return(struct gdb *gdb, const struct trap_frame *frame)
{
    struct cpu_state *cpu = &gdb->cpu;
    cpu_want_regs(cpu);
    cpu->regs.rip = frame->rip;
    cpu->regs.rsp = frame->rsp;
    cpu->regs.rflags = frame->rflags | FLAG_RESERVED;
    cpu->regs_changed = true;
    if ((frame->cs & 3) == cpu_ring(cpu))
        return;
    cpu_load_segment(cpu, &cpu->sregs.cs, (uint16_t)frame->cs);
    cpu_load_segment(cpu, &cpu->sregs.ss, (uint16_t)frame->ss);
}

static void swap_gs(struct cpu_state *cpu)
{
    cpu_want_sregs(cpu);
    cpu_want_kernel_gs(cpu);
    uint64_t base = cpu->sregs.gs.base;
    cpu->sregs.gs.base = cpu->kernel_gs_base;
    cpu->kernel_gs_base = base;
    cpu->sregs_changed = cpu->gs_changed = true;
    cpu->regs.rip += 3;
    cpu->regs_changed = true;
}

static void return_by_sysret(struct gdb *gdb)
{
    const struct kvm_regs *regs = &gdb->cpu.regs;
    uint16_t base = (uint16_t)(cpu_msr(&gdb->cpu, MSR_STAR) >> 48);
    const struct trap_frame frame = {
        .rip = regs->rcx,
        .cs = (base + 16u) | 3u,
        .rflags = regs->r11 & SYSRET_FLAGS,
        .rsp = regs->rsp,
        .ss = (base + 8u) | 3u,
    };
    frame_return(gdb, &frame);
}

bool frame_step(struct gdb *gdb, const uint8_t code[4])
{
    struct trap_frame frame;
    if (memcmp(code, "\x48\xcf", 2) == 0 &&
        cpu_read(&gdb->cpu, gdb->cpu.regs.rsp, &frame, sizeof(frame)) == sizeof(frame)) {
        frame_return(gdb, &frame);
        return true;
    }
    if (memcmp(code, "\x48\x0f\x07", 3) == 0) {
        return_by_sysret(gdb);
        return true;
    }
    if (session_kernel_emulated(gdb) && memcmp(code, "\x0f\x01\xf8", 3) == 0) {
        swap_gs(&gdb->cpu);
        return true;
    }
    return false;
}
