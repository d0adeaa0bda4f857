/*
 * Guests and virtual CPUs, made inside the kernel (Zircon ABI, spring 2020, x86-64). The packets
 * that a trap produces are in <zircon/port.h>.
 */
#ifndef ZIRCON_HYPERVISOR_H
#define ZIRCON_HYPERVISOR_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

/* Kinds of zx_guest_set_trap. */
#define ZX_GUEST_TRAP_BELL 0u
#define ZX_GUEST_TRAP_MEM  1u
#define ZX_GUEST_TRAP_IO   2u

/* Kinds of zx_vcpu_read_state and zx_vcpu_write_state. */
#define ZX_VCPU_STATE 0u
#define ZX_VCPU_IO    1u

/* Kind STATE. The order is that of the processor's register numbers: cx and dx before bx. */
typedef struct zx_vcpu_state {
    uint64_t rax;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t rbx;
    uint64_t rsp;
    uint64_t rbp;
    uint64_t rsi;
    uint64_t rdi;
    uint64_t r8;
    uint64_t r9;
    uint64_t r10;
    uint64_t r11;
    uint64_t r12;
    uint64_t r13;
    uint64_t r14;
    uint64_t r15;
    uint64_t rflags; /* only the low 32 bits can be written */
} zx_vcpu_state_t;
ZX_ABI_SIZE(zx_vcpu_state_t, 136);
ZX_ABI_OFFSET(zx_vcpu_state_t, r9, 72);
ZX_ABI_OFFSET(zx_vcpu_state_t, rflags, 128);

/* Kind IO, write only: the value that an IN instruction is to read. */
typedef struct zx_vcpu_io {
    uint8_t access_size; /* bytes: 1, 2 or 4 */
    uint8_t padding1[3];
    union {
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;
        uint8_t data[4];
    };
} zx_vcpu_io_t;
ZX_ABI_SIZE(zx_vcpu_io_t, 8);
ZX_ABI_OFFSET(zx_vcpu_io_t, data, 4);

#endif
