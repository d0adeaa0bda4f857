/* processor.h - of the processor, what does not depend on who is in charge of it. */
#ifndef HAL_COMMON_PROCESSOR_H
#define HAL_COMMON_PROCESSOR_H

#include <stdint.h>

static inline uint64_t x86_rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Whether loading `address` into rip or a segment base does not fault (48-bit addresses). */
static inline int x86_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

#endif
