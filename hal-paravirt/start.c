/* start.c - the order in which the HAL comes up; ends in kernel_main. */
#include <hal.h>

#include "clock.h"
#include "context.h"
#include "cpu.h"
#include "entropy.h"
#include "frame.h"
#include "machine.h"
#include "pagetable.h"
#include "timer.h"
#include "trap.h"
#include "x86.h"

struct machine machine;

_Noreturn void hal_start(const struct zv_boot_info *info);

static struct hal_module find_module(uint32_t kind)
{
    const struct zv_boot_info *info = machine.info;

    for (unsigned i = 0; i < info->num_modules; i++)
        if (info->modules[i].kind == kind)
            return (struct hal_module){info->modules[i].paddr, info->modules[i].length};
    return (struct hal_module){0, 0};
}

static void read_boot_info(const struct zv_boot_info *info)
{
    machine.info = info;
    machine.shared = machine_direct(info->shared_page_paddr);
    machine.quirks = info->quirks;
    machine.features = info->features;
    machine.deterministic = info->features & ZV_FEATURE_DETERMINISTIC;
    machine.tsc_is_clock = !machine.deterministic && !machine_slow_ring0();
    machine.boot_cr3 = x86_read_cr3();
}

static void describe_boot(struct hal_boot *boot)
{
    const struct zv_boot_info *info = machine.info;
    uint32_t line = (x86_cpuid(1, 0).ebx >> 8 & 0xff) * 8;

    boot->cmdline = machine_direct(info->cmdline_paddr);
    boot->vdso = find_module(ZV_MODULE_VDSO);
    boot->userboot = find_module(ZV_MODULE_USERBOOT);
    boot->zbi = find_module(ZV_MODULE_ZBI);
    boot->memory_bytes = info->memory_bytes;
    boot->num_cpus = info->num_cpus;
    boot->tick_numerator = (uint32_t)info->ticks_numerator;
    boot->tick_denominator = (uint32_t)info->ticks_denominator;
    boot->ticks_per_second = info->tsc_hz;
    boot->dcache_line_size = line ? line : 64;
    boot->icache_line_size = boot->dcache_line_size;
    boot->vdso_ticks_in_user = !machine.deterministic;
    boot->fault_around = 16;
}

void hal_start(const struct zv_boot_info *info)
{
    read_boot_info(info);
    trap_init(); /* from here on a mistake below has a report */
    if (info->magic != ZV_BOOT_MAGIC || info->version != ZV_ABI_VERSION ||
        info->size != sizeof *info)
        hal_panic("the boot information is not of this kernel's version");
    frame_init();
    page_table_init();
    context_init();
    clock_init();
    timer_init();
    entropy_init();
    describe_boot(&machine.boot);
    kernel_main(&machine.boot);
}

/* It is set once, before anybody asks: the compiler may keep what it has read. */
void *hal_cpu_data(void)
{
    void *data;

    __asm__("mov %%gs:%c1, %0" : "=r"(data) : "i"(CPU_DATA));
    return data;
}

void hal_set_cpu_data(void *data)
{
    cpu_this()->data = data;
}
