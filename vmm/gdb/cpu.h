/*
 * cpu.h - the state of a stopped vCPU: read once when it is first wanted, written back before the
 * vCPU runs again. All functions are for the vCPU's thread, between two stays in the guest.
 */
#ifndef ZVMM_GDB_CPU_H
#define ZVMM_GDB_CPU_H

#include <linux/kvm.h>
#include <stdbool.h>

#include "target.h"

struct zvmm;

struct cpu_state {
    struct zvmm *vm;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_xsave xsave;
    uint64_t kernel_gs_base;
    /* clang-format off */
    bool regs_known, sregs_known, xsave_known, gs_known;     /* the fields are the vCPU's ... */
    bool regs_changed, sregs_changed, xsave_changed, gs_changed; /* ... or are to become it */
    /* clang-format on */
};

/* Read them if that has not been done; the caller may then read the fields. */
void cpu_want_regs(struct cpu_state *cpu);
void cpu_want_sregs(struct cpu_state *cpu);
void cpu_want_xsave(struct cpu_state *cpu);
void cpu_want_kernel_gs(struct cpu_state *cpu);

/*
 * Have the next KVM_RUN bring the registers along, and take them after it: an ioctl for each would
 * make steps several times as slow.
 */
void cpu_ask_registers(struct cpu_state *cpu, bool ask);
void cpu_take_registers(struct cpu_state *cpu);

/* Write back what was changed and forget everything. */
void cpu_release(struct cpu_state *cpu);

/*
 * Let KVM complete the I/O of the last exit. Before that registers must not be touched: the
 * instruction at a new rip could be skipped.
 */
void cpu_complete_io(struct cpu_state *cpu);

/* The view of the stopped machine through which its memory is read. */
struct target cpu_target(struct cpu_state *cpu);

/* Read virtual memory as the vCPU sees it; the number of bytes before the first unmapped one. */
uint64_t cpu_read(struct cpu_state *cpu, uint64_t address, void *buffer, uint64_t length);
/* The same for writing, whatever the pages' permissions. */
uint64_t cpu_write(struct cpu_state *cpu, uint64_t address, const void *data, uint64_t length);

/* An MSR's value; 0 if KVM does not have it. */
uint64_t cpu_msr(struct cpu_state *cpu, uint32_t index);

/* 0 for the kernel, 3 for user code. */
unsigned cpu_ring(struct cpu_state *cpu);

/*
 * Load a segment register as the processor would, from the GDT: for returning to another ring
 * without running the instruction that does it.
 */
void cpu_load_segment(struct cpu_state *cpu, struct kvm_segment *segment, uint16_t selector);

#endif
