/* x86.h - processor instructions that C has no words for, and what Linux offers where the processor
 * does not let user mode have them. */
#ifndef HAL_LIBOS_X86_H
#define HAL_LIBOS_X86_H

#include <stdint.h>

#include "processor.h"

#define VECTOR_DEBUG      1u
#define VECTOR_GP         13u
#define VECTOR_PAGE_FAULT 14u
#define VECTOR_MACHINE_CHECK 18u

static inline uint64_t x86_rdfsbase(void)
{
    uint64_t base;

    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

static inline void x86_wrfsbase(uint64_t base)
{
    __asm__ volatile("wrfsbase %0" : : "r"(base) : "memory");
}

static inline uint64_t x86_rdgsbase(void)
{
    uint64_t base;

    __asm__ volatile("rdgsbase %0" : "=r"(base));
    return base;
}

static inline void x86_wrgsbase(uint64_t base)
{
    __asm__ volatile("wrgsbase %0" : : "r"(base) : "memory");
}

#endif
