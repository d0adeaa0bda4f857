/* layout.h - who owns which guest-physical range: the memory map of the boot information. */
#ifndef ZVMM_LAYOUT_H
#define ZVMM_LAYOUT_H

#include <stdbool.h>

#include "hypercall.h"
#include "memory.h"

/* The interrupt controllers' addresses, never RAM: I/O APIC, local APIC, up to 4 GiB. */
#define LAYOUT_HOLE_BASE 0xfec00000ull
#define LAYOUT_HOLE_END  0x100000000ull

/*
 * Sorted ranges, page aligned, without overlap; they cover all of RAM except the hole. Adjacent
 * ranges of one type are one range, except modules.
 */
struct layout {
    struct zv_memory_range ranges[ZV_BOOT_RANGES];
    uint32_t count;
};

/* All RAM [0, memory_bytes) free. */
void layout_init(struct layout *layout, uint64_t memory_bytes);

/* Turn the free range [base, base + length) into `type`; -1 without a message if it is not free
 * or the table is full. Arguments are multiples of 4096. */
int layout_claim(struct layout *layout, uint64_t base, uint64_t length, uint32_t type);

/* Where `length` free bytes start: the lowest such place, or (from_top) the highest one below
 * 4 GiB, else above. UINT64_MAX if there is none. */
uint64_t layout_find(const struct layout *layout, uint64_t length, bool from_top);

#endif
