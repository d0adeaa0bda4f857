/* bootinfo.c - the boot block: boot information, GDT, command line, shared page, stack, tables. */
#include "bootinfo.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <x86intrin.h>

#include "longmode.h"

static void plan(struct boot_block *block, uint64_t base, uint64_t table_pages,
                 size_t cmdline_length)
{
    block->info = base;
    block->gdt = base + ((sizeof(struct zv_boot_info) + 15) & ~15ull);
    block->cmdline = block->gdt + ZV_GDT_ENTRIES * 8;
    block->shared = page_up(block->cmdline + cmdline_length + 1);
    block->stack = page_up(block->shared + sizeof(struct zv_shared_page));
    block->stack_top = block->stack + BOOT_STACK_BYTES;
    block->tables = block->stack_top;
    block->end = block->tables + table_pages * PAGE_BYTES;
}

int bootinfo_place(struct boot_block *block, const struct loader_image *image, const char *cmdline,
                   struct memory *memory, struct layout *layout, uint64_t *cr3,
                   struct zvmm_error *error)
{
    size_t length = strlen(cmdline);
    uint64_t table_pages = longmode_table_pages(image, memory->bytes);
    plan(block, 0, table_pages, length);
    uint64_t bytes = block->end;
    if (layout_claim(layout, 0, PAGE_BYTES, ZV_MEM_BOOT) != 0)
        return error_set(error, "guest memory: physical page 0 is not free");
    uint64_t base = layout_find(layout, bytes, false);
    if (base == UINT64_MAX || layout_claim(layout, base, bytes, ZV_MEM_BOOT) != 0)
        return error_set(error, "guest memory: no room for the boot information; use a larger "
                                "--memory");
    plan(block, base, table_pages, length);
    /* One call instead of a page fault per page; failing is harmless. */
    madvise(memory_at(memory, gpa(base), bytes), bytes, MADV_POPULATE_WRITE);
    longmode_gdt(memory_at(memory, gpa(block->gdt), ZV_GDT_ENTRIES * 8));
    memcpy(memory_at(memory, gpa(block->cmdline), length + 1), cmdline, length + 1);
    struct zv_shared_page *shared = memory_at(memory, gpa(block->shared), sizeof(*shared));
    shared->deadline_tsc = UINT64_MAX;
    shared->armed_tsc = UINT64_MAX;
    *cr3 = longmode_tables(image, memory, gpa(block->tables));
    return 0;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* ns = tsc * numerator / denominator with the smallest such numbers; both fit 32 bits. */
static void set_ticks(struct zv_boot_info *info, uint32_t khz)
{
    uint64_t divisor = greatest_common_divisor(1000000, khz);
    info->tsc_hz = khz * 1000ull;
    info->ticks_numerator = 1000000 / divisor;
    info->ticks_denominator = khz / divisor;
}

void bootinfo_wall_clock(struct boot_facts *facts)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    facts->wall_clock_tsc = __rdtsc() + facts->tsc_offset;
    facts->wall_clock_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bootinfo_write(const struct boot_block *block, const struct boot_facts *facts,
                    const struct modules *modules, const struct layout *layout,
                    struct memory *memory, size_t cmdline_length)
{
    struct zv_boot_info *info = memory_at(memory, gpa(block->info), sizeof(*info));
    info->magic = ZV_BOOT_MAGIC;
    info->version = ZV_ABI_VERSION;
    info->size = sizeof(*info);
    info->memory_bytes = memory->bytes;
    info->cmdline_paddr = block->cmdline;
    info->cmdline_length = (uint32_t)cmdline_length;
    info->quirks = facts->quirks;
    info->features = facts->features;
    info->num_cpus = 1;
    set_ticks(info, facts->tsc_khz);
    info->xcr0 = facts->xcr0;
    info->xsave_bytes = facts->xsave_bytes;
    info->shared_page_length = sizeof(struct zv_shared_page);
    info->shared_page_paddr = block->shared;
    memcpy(info->seed, facts->seed, sizeof(info->seed));
    info->num_ranges = layout->count;
    memcpy(info->ranges, layout->ranges, layout->count * sizeof(layout->ranges[0]));
    info->num_modules = modules->count;
    memcpy(info->modules, modules->entries, modules->count * sizeof(modules->entries[0]));
    info->wall_clock_tsc = facts->wall_clock_tsc;
    info->wall_clock_ns = facts->wall_clock_ns;
}
