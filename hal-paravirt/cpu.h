/*
 * cpu.h - what one processor owns. In the kernel GS points at its struct cpu; the offsets that
 * gate.S uses are named here and checked in trap.c.
 */
#ifndef HAL_PARAVIRT_CPU_H
#define HAL_PARAVIRT_CPU_H

#include "regs.h"

#define CPU_SELF         0
#define CPU_CURRENT      8
#define CPU_KERNEL_RSP   16
#define CPU_USER_RSP     24
#define CPU_FS_BASE      32
#define CPU_GS_BASE      40
#define CPU_SYSRET_LIMIT 48
#define CPU_IRET_LIMIT   56
#define CPU_WORK         64
#define CPU_LAPIC        68
#define CPU_HANDLER      72
#define CPU_DATA         80
#define CPU_TRAP_STACK   96
#define CPU_TRAP_TOP     (CPU_TRAP_STACK + TRAP_STACK_BYTES)

/* TSS.rsp0 points at CPU_TRAP_TOP, so a frame from user mode is always at the same place. */
#define TRAP_STACK_BYTES 256
#define CPU_TRAP_RSP     (CPU_TRAP_TOP - 16) /* user's rsp in such a frame */

/* struct hal_trap. */
#define TRAP_RESULT 32

/* ZV_SEL_* for the assembler, which cannot read 0x10u; trap.c checks that they are the same. */
#define SEL_KERNEL_CODE 0x10
#define SEL_USER_DATA   0x2b
#define SEL_USER_CODE   0x33

/* The first 34 vectors and the local APIC's spurious one have entries. */
#define TRAP_VECTOR_SPURIOUS 34
#define TRAP_VECTORS         35
#define TRAP_STUB_BYTES      16

/* Interrupt-stack-table slots; each has a page of its own. */
#define IST_DOUBLE_FAULT  1
#define IST_NMI           2
#define IST_MACHINE_CHECK 3
#define IST_DEBUG         4
#define IST_STACKS        4

#define KERNEL_STACK_BYTES 32768
#define IST_STACK_BYTES    4096

/* The trap stubs are first in the image (kernel.lds): the IDT is constant data. */
#define TRAP_STUBS 0xffffffff80100000

/*
 * User flags that may be loaded from a context: CF PF AF ZF SF TF DF OF NT RF AC ID. IF and bit 1
 * are always set; IOPL, VM, VIF and VIP never come from a context. RF is there for instructions that
 * a breakpoint stopped: they go on.
 */
#define USER_RFLAGS_MASK 0x254dd5
#define USER_RFLAGS_SET  0x202
/* TF and RF. With TF, SYSRET traps before anything is executed, so that a step that ends where SYSRET
 * would serve never gets on; RF it cannot load. */
#define IRET_RFLAGS      0x10100

/*
 * The user-executable page that LSTAR points to where `syscall` does not enter ring 0
 * (ZV_QUIRK_SYSCALL_BROKEN). It is in the kernel's top-level slot, so that no address space needs a
 * table for it, and its address is a sign-extended 32-bit immediate, so that the #GP entry can
 * compare with it in one instruction.
 */
#define SYSCALL_STUB 0xffffffffffe00000

#ifndef __ASSEMBLER__

#include <hal.h>
#include <hypercall.h>

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base;
} __attribute__((packed));

/* Bits of struct cpu.work: what is to be done before user code runs again. */
#define WORK_TIMER (1u << 0) /* the effective deadline is earlier than the armed one */
#define WORK_STOP  (1u << 1) /* hal_context_stop() */

struct cpu {
    struct cpu *self;

    /*
     * The context whose FPU state and segment bases the processor holds; the one that runs while
     * user code does, so that a trap saves its registers there. NULL: the processor's state is
     * nobody's.
     */
    struct hal_context *current;
    uint64_t kernel_rsp;       /* where hal_context_run goes on after a trap */
    uint64_t user_rsp;         /* scratch of the syscall entry */
    uint64_t fs_base, gs_base; /* user's, as loaded */
    uint64_t sysret_limit;     /* rip at or above it leaves by iretq; 0 where there is no sysretq */
    uint64_t iret_limit;       /* rip at or above it needs the check for a canonical address */
    uint32_t work;             /* WORK_* */
    uint32_t lapic;            /* 1: interrupts come from a local APIC and want an EOI */

    hal_syscall_handler *handler; /* hal_set_syscall_handler() */
    void *data;                   /* hal_cpu_data() */

    /* Frames from user mode; the kernel's own stack is never switched by the processor. */
    uint64_t trap_stack[TRAP_STACK_BYTES / 8] __attribute__((aligned(16)));

    struct hal_page_table *table; /* in CR3; NULL: the boot tables */
    bool breakpoints;             /* DR7 has some switched on */
    struct tss tss __attribute__((aligned(16)));
    struct zv_call call __attribute__((aligned(16))); /* the hypercall being made */
};

/* The only processor today. Use cpu_this() except where GS may be wrong. */
extern struct cpu cpu_boot;

static inline struct cpu *cpu_this(void)
{
    struct cpu *cpu;

    __asm__("mov %%gs:%c1, %0" : "=r"(cpu) : "i"(CPU_SELF));
    return cpu;
}

#endif
#endif
