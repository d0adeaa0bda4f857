/*
 * cpu.h - the one processor: the host thread that runs kernel and user code in turn, and what
 * switch.S and the signal handlers share about it. Offsets that switch.S uses are named here and
 * checked in context.c.
 */
#ifndef HAL_LIBOS_CPU_H
#define HAL_LIBOS_CPU_H

#include "regs.h"

#define CPU_CURRENT    0
#define CPU_KERNEL_RSP 8
#define CPU_HOST_FS    16
#define CPU_VDSO_BASE  24
#define CPU_XSAVE_MASK 32
#define CPU_IN_USER    40
#define CPU_SELECTOR   41
#define CPU_PENDING    42
#define CPU_FSGSBASE   43
#define CPU_XSAVE      44
#define CPU_WORK       45
#define CPU_HANDLER    48
#define CPU_RESULT     56

/* What follows the registers in struct hal_context. */
#define CONTEXT_FPU 160
/* hal_private[0]: 1 while the FPU area holds the context's whole state; see context.c. */
#define CONTEXT_FPU_LIVE 168

/* cpu.selector, as PR_SET_SYSCALL_USER_DISPATCH reads it. */
#define SELECTOR_ALLOW 0
#define SELECTOR_BLOCK 1

/* What switch_enter returns. */
#define ENTERED_BY_CALL   0 /* the vDSO called: registers are stored */
#define ENTERED_BY_SIGNAL 1 /* a signal ended user mode: cpu.trap says why */
#define ENTERED_AGAIN     2 /* a call that the handler has answered; something is to be done first */

/* Bits of cpu.work: what is to be done in C before user code runs again. */
#define WORK_TIMER 1 /* the host's timer must be set */
#define WORK_STEP  2 /* a single-step trap hit the way into the kernel: TF is the context's */
#define WORK_STOP  4 /* hal_context_stop() */

#define RFLAGS_TF 0x100
#define RFLAGS_DF 0x400
#define RFLAGS_NT 0x4000
#define RFLAGS_AC 0x40000
/* Flags that would hurt the kernel's own code. */
#define RFLAGS_HARMFUL 0x44500
/* Flags that a context may set: CF PF AF ZF SF TF DF OF NT AC ID. */
#define RFLAGS_USER 0x244dd5
#define RFLAGS_SET  0x202

#define SELECTOR_USER_CODE 0x33 /* Linux's; an iretq to the same ring wants them */
#define SELECTOR_USER_DATA 0x2b

#ifndef __ASSEMBLER__

#include <hal.h>

struct cpu {
    /* The context that runs, or ran last: FS, GS and FPU control words in the processor are its
     * own. NULL: nobody's. */
    struct hal_context *current;
    uint64_t kernel_rsp; /* where switch_enter goes on when user mode ends */
    uint64_t host_fs;    /* libc's thread pointer */
    uint64_t vdso_base;  /* of the active table, 0 without one; see vdso.h */
    uint64_t xsave_mask; /* components that are saved */
    volatile uint8_t in_user;  /* user code runs, or the way there or back has not ended */
    volatile uint8_t selector; /* SELECTOR_BLOCK: a host system call becomes SIGSYS */
    volatile uint8_t pending;  /* do not enter user mode: there is an interrupt */
    uint8_t fsgsbase;          /* rdfsbase and wrfsbase work */
    uint8_t xsave;             /* xsave works; otherwise fxsave */
    volatile uint8_t work;     /* WORK_* */
    hal_syscall_handler *handler; /* hal_set_syscall_handler() */
    int64_t result;               /* what the handler returned */
    uint64_t gs_loaded;           /* GS base that was put into the processor */

    struct hal_page_table *table; /* active; NULL: none */
    void *data;                   /* hal_cpu_data() */
    struct hal_trap trap;         /* filled by the signal handler */
};

extern struct cpu cpu;

#endif
#endif
