/*
 * machine.h - the one machine: what zvmm said about it, and the addresses that follow. Written
 * during start-up, constant afterwards.
 */
#ifndef HAL_PARAVIRT_MACHINE_H
#define HAL_PARAVIRT_MACHINE_H

#include <hal.h>
#include <hypercall.h>
#include <zircon/errors.h>

struct machine {
    const struct zv_boot_info *info;
    volatile struct zv_shared_page *shared;
    uint32_t quirks;   /* ZV_QUIRK_* */
    uint32_t features; /* ZV_FEATURE_* */
    bool deterministic; /* ZV_FEATURE_DETERMINISTIC: see virtual.h */
    bool tsc_is_clock;  /* neither that nor with an offset: see clock.h */
    uint64_t boot_cr3; /* the tables zvmm made: kernel only */
    struct hal_boot boot;
};

extern struct machine machine;

static inline void *machine_direct(hal_paddr_t paddr)
{
    return (void *)(ZV_DIRECT_MAP_BASE + paddr);
}

/* Physical address of kernel memory: the direct map or guest.elf's own image. */
static inline hal_paddr_t machine_paddr(const void *kernel)
{
    uint64_t address = (uint64_t)kernel;

    return address - (address >= ZV_KERNEL_BASE ? ZV_KERNEL_BASE : ZV_DIRECT_MAP_BASE);
}

static inline bool machine_slow_ring0(void)
{
    return machine.quirks & ZV_QUIRK_SLOW_RING0;
}

#endif
