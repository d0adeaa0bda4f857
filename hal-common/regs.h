/*
 * regs.h - where the registers are in struct hal_regs, which struct hal_context begins with, for
 * assembly code.
 */
#ifndef HAL_COMMON_REGS_H
#define HAL_COMMON_REGS_H

#define REGS_RAX    0
#define REGS_RBX    8
#define REGS_RCX    16
#define REGS_RDX    24
#define REGS_RSI    32
#define REGS_RDI    40
#define REGS_RBP    48
#define REGS_RSP    56
#define REGS_R8     64
#define REGS_R9     72
#define REGS_R10    80
#define REGS_R11    88
#define REGS_R12    96
#define REGS_R13    104
#define REGS_R14    112
#define REGS_R15    120
#define REGS_RIP    128
#define REGS_RFLAGS 136
#define REGS_FS     144
#define REGS_GS     152

#ifndef __ASSEMBLER__

#include <stddef.h>

#include <hal.h>

#define REGS_CHECK(field, offset)                                                                  \
    _Static_assert(offsetof(struct hal_regs, field) == (offset), "regs.h: " #field)
REGS_CHECK(rax, REGS_RAX);
REGS_CHECK(rbx, REGS_RBX);
REGS_CHECK(rcx, REGS_RCX);
REGS_CHECK(rdx, REGS_RDX);
REGS_CHECK(rsi, REGS_RSI);
REGS_CHECK(rdi, REGS_RDI);
REGS_CHECK(rbp, REGS_RBP);
REGS_CHECK(rsp, REGS_RSP);
REGS_CHECK(r8, REGS_R8);
REGS_CHECK(r9, REGS_R9);
REGS_CHECK(r10, REGS_R10);
REGS_CHECK(r11, REGS_R11);
REGS_CHECK(r12, REGS_R12);
REGS_CHECK(r13, REGS_R13);
REGS_CHECK(r14, REGS_R14);
REGS_CHECK(r15, REGS_R15);
REGS_CHECK(rip, REGS_RIP);
REGS_CHECK(rflags, REGS_RFLAGS);
REGS_CHECK(fs_base, REGS_FS);
REGS_CHECK(gs_base, REGS_GS);
#undef REGS_CHECK
_Static_assert(offsetof(struct hal_context, regs) == 0, "regs.h: registers come first");

#endif
#endif
