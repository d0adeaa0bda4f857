/* pagetable.h - x86-64 four-level tables; what start.c and user.c need beyond shared/hal.h. */
#ifndef HAL_PARAVIRT_PAGETABLE_H
#define HAL_PARAVIRT_PAGETABLE_H

#include "machine.h"

#define PTE_PRESENT  (1ull << 0)
#define PTE_WRITE    (1ull << 1)
#define PTE_USER     (1ull << 2)
#define PTE_UNCACHED (3ull << 3) /* write-through and cache-disable */
#define PTE_ACCESSED (1ull << 5)
#define PTE_DIRTY    (1ull << 6)
#define PTE_LARGE    (1ull << 7)
#define PTE_NX       (1ull << 63)
#define PTE_ADDRESS  0x000ffffffffff000ull

#define TABLE_ENTRIES 512u
#define LARGE_BYTES   (2ull << 20)

/* A page table is its top-level page, seen through the direct map. */
struct hal_page_table {
    uint64_t entry[TABLE_ENTRIES];
};

void page_table_init(void);

/* The entry that maps `address`, or 0. *bytes = size of its page. */
static inline uint64_t page_table_walk(const struct hal_page_table *table, uint64_t address,
                                       uint64_t *bytes)
{
    uint64_t entry = table->entry[address >> 39 & 511];

    if (!(entry & PTE_PRESENT))
        return 0;
    entry = ((const uint64_t *)machine_direct(entry & PTE_ADDRESS))[address >> 30 & 511];
    if (!(entry & PTE_PRESENT))
        return 0;
    entry = ((const uint64_t *)machine_direct(entry & PTE_ADDRESS))[address >> 21 & 511];
    if (!(entry & PTE_PRESENT))
        return 0;
    *bytes = LARGE_BYTES;
    if (entry & PTE_LARGE)
        return entry;
    *bytes = HAL_PAGE_SIZE;
    entry = ((const uint64_t *)machine_direct(entry & PTE_ADDRESS))[address >> 12 & 511];
    return entry & PTE_PRESENT ? entry : 0;
}

/* The place for `address` in its last-level table; NULL: there is none, or a large page. */
static inline const uint64_t *page_table_leaf(const struct hal_page_table *table, uint64_t address)
{
    uint64_t entry = table->entry[address >> 39 & 511];

    for (unsigned shift = 30; shift >= 21; shift -= 9) {
        if (!(entry & PTE_PRESENT))
            return NULL;
        entry = ((const uint64_t *)machine_direct(entry & PTE_ADDRESS))[address >> shift & 511];
    }
    if (!(entry & PTE_PRESENT) || entry & PTE_LARGE)
        return NULL;
    return (const uint64_t *)machine_direct(entry & PTE_ADDRESS) + (address >> 12 & 511);
}

#endif
