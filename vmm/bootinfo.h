/* bootinfo.h - the boot block: boot information, GDT, command line, shared page, stack, tables. */
#ifndef ZVMM_BOOTINFO_H
#define ZVMM_BOOTINFO_H

#include "loader.h"
#include "modules.h"

/*
 * One contiguous range of ZV_MEM_BOOT memory, in this order: the boot information with the GDT
 * and the command line behind it, the shared page, the boot stack, the page tables. Physical page
 * 0 is of the same type, unused, so that no valid physical address is 0.
 */
struct boot_block {
    uint64_t info, gdt, cmdline; /* guest-physical addresses */
    uint64_t shared;
    uint64_t stack, stack_top;
    uint64_t tables;
    uint64_t end;
};

/* The stack, which doubles as the probe's scratch memory. */
#define BOOT_STACK_BYTES (4 * PAGE_BYTES)

/* Claim the block, and write what is known before the machine exists: GDT, command line, page
 * tables. *cr3 is the root of the latter. */
int bootinfo_place(struct boot_block *block, const struct loader_image *image, const char *cmdline,
                   struct memory *memory, struct layout *layout, uint64_t *cr3,
                   struct zvmm_error *error);

/* What bootinfo_write() puts into struct zv_boot_info besides what it finds in its arguments. */
struct boot_facts {
    uint32_t quirks, features; /* ZV_QUIRK_*, ZV_FEATURE_* */
    uint32_t tsc_khz;
    uint64_t tsc_offset; /* guest TSC = host TSC + offset */
    uint64_t xcr0;
    uint32_t xsave_bytes;
    const uint8_t *seed; /* 32 bytes */
    uint64_t wall_clock_ns, wall_clock_tsc; /* the date (UTC), and the guest's TSC at that moment */
};

/* Take the host's date. */
void bootinfo_wall_clock(struct boot_facts *facts);

/* Fill in the boot information, the last thing before the guest runs. */
void bootinfo_write(const struct boot_block *block, const struct boot_facts *facts,
                    const struct modules *modules, const struct layout *layout,
                    struct memory *memory, size_t cmdline_length);

#endif
