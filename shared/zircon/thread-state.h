/*
 * Registers of a suspended or stopped thread, for zx_thread_read_state and zx_thread_write_state
 * (Zircon ABI, March 2020, x86-64).
 */
#ifndef ZIRCON_THREAD_STATE_H
#define ZIRCON_THREAD_STATE_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

/* ZX_THREAD_X86_REGISTER_FS and _GS are of 2018; kernels of 2020 answer INVALID_ARGS. */
#define ZX_THREAD_STATE_GENERAL_REGS 0u
#define ZX_THREAD_STATE_FP_REGS      1u
#define ZX_THREAD_STATE_VECTOR_REGS  2u
#define ZX_THREAD_STATE_DEBUG_REGS   4u
#define ZX_THREAD_STATE_SINGLE_STEP  5u
#define ZX_THREAD_X86_REGISTER_FS    6u
#define ZX_THREAD_X86_REGISTER_GS    7u

/* Kind GENERAL_REGS. */
typedef struct zx_thread_state_general_regs {
    uint64_t rax;
    uint64_t rbx;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t rsi;
    uint64_t rdi;
    uint64_t rbp;
    uint64_t rsp;
    uint64_t r8;
    uint64_t r9;
    uint64_t r10;
    uint64_t r11;
    uint64_t r12;
    uint64_t r13;
    uint64_t r14;
    uint64_t r15;
    uint64_t rip; /* must be canonical */
    uint64_t rflags;
    uint64_t fs_base; /* must be canonical, like gs_base */
    uint64_t gs_base;
} zx_thread_state_general_regs_t;
ZX_ABI_SIZE(zx_thread_state_general_regs_t, 160);
ZX_ABI_OFFSET(zx_thread_state_general_regs_t, r10, 80);
ZX_ABI_OFFSET(zx_thread_state_general_regs_t, gs_base, 152);

/* Kind FP_REGS: the x87 unit. MMX registers are the low halves of st. */
typedef struct zx_thread_state_fp_regs {
    uint16_t fcw;
    uint16_t fsw;
    uint8_t ftw; /* abridged form of fxsave: one bit a register, set = in use */
    uint8_t reserved;
    uint16_t fop;
    uint64_t fip;
    uint64_t fdp;
    uint8_t padding1[8];
    struct {
        uint64_t low;
        uint64_t high; /* only the low 16 bits are used */
    } st[8] __attribute__((aligned(16)));
} zx_thread_state_fp_regs_t;
ZX_ABI_SIZE(zx_thread_state_fp_regs_t, 160);
ZX_ABI_OFFSET(zx_thread_state_fp_regs_t, fop, 6);
ZX_ABI_OFFSET(zx_thread_state_fp_regs_t, fdp, 16);
ZX_ABI_OFFSET(zx_thread_state_fp_regs_t, st, 32);

/* Kind VECTOR_REGS: xmm and ymm registers are the low parts of zmm; what the CPU lacks reads 0. */
typedef struct zx_thread_state_vector_regs {
    struct {
        uint64_t v[8];
    } zmm[32];
    uint64_t opmask[8];
    uint32_t mxcsr;
    uint8_t padding1[4];
} zx_thread_state_vector_regs_t;
ZX_ABI_SIZE(zx_thread_state_vector_regs_t, 2120);
ZX_ABI_OFFSET(zx_thread_state_vector_regs_t, mxcsr, 2112);
ZX_ABI_OFFSET(zx_thread_state_vector_regs_t, opmask, 2048);

/* Kind DEBUG_REGS. A header of 2019 had two more words, dr6_status and dr7_control. */
typedef struct zx_thread_state_debug_regs {
    uint64_t dr[4];
    uint64_t dr6;
    uint64_t dr7;
} zx_thread_state_debug_regs_t;
ZX_ABI_SIZE(zx_thread_state_debug_regs_t, 48);
ZX_ABI_OFFSET(zx_thread_state_debug_regs_t, dr7, 40);

/* Kind SINGLE_STEP: 1 to stop after each instruction. */
typedef uint32_t zx_thread_state_single_step_t;

#endif
