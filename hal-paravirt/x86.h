/* x86.h - processor instructions and constants that C has no words for. */
#ifndef HAL_PARAVIRT_X86_H
#define HAL_PARAVIRT_X86_H

#include <stdint.h>

#include "processor.h"

#define MSR_APIC_BASE      0x0000001bu
#define MSR_TSC_DEADLINE   0x000006e0u
#define MSR_X2APIC_EOI     0x0000080bu
#define MSR_X2APIC_SVR     0x0000080fu
#define MSR_X2APIC_TIMER   0x00000832u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_SFMASK         0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u

#define APIC_BASE_ENABLE    (1u << 11)
#define APIC_BASE_X2APIC    (1u << 10)
#define APIC_SVR_ENABLE     (1u << 8)
#define APIC_TIMER_DEADLINE (2u << 17)

#define CR4_TSD      (1ull << 2)
#define CR4_UMIP     (1ull << 11)
#define CR4_FSGSBASE (1ull << 16)
#define CR4_SMEP     (1ull << 20)
#define CR4_SMAP     (1ull << 21)

#define VECTOR_DEBUG      1u
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT 14u

#define DR6_INITIAL 0xffff0ff0ull
#define DR7_INITIAL 0x400ull
#define DR7_ENABLED 0xffull /* any of the four breakpoints */
#define DR7_WATCH_WRITES 0x90401ull /* the first one: writes of 8 bytes */

static inline uint64_t x86_rdmsr(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void x86_wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t x86_read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uint64_t x86_read_cr3(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void x86_write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t x86_read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void x86_write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* The number of a debug register is part of the instruction. */
#define x86_read_dr(n)                                                                             \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("mov %%dr" #n ", %0" : "=r"(value_));                                     \
        value_;                                                                                    \
    })
#define x86_write_dr(n, value) __asm__ volatile("mov %0, %%dr" #n : : "r"((uint64_t)(value)))

static inline void x86_invlpg(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

struct x86_cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct x86_cpuid x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct x86_cpuid r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

#endif
