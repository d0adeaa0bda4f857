/*
 * pagetable.h - user address spaces in software.
 *
 * A tree of tables in physical memory, three levels below two root entries, holds what the kernel
 * has mapped; it alone decides what user code may touch. What of it the host's address space shows
 * is mirror.h's business: the host is used like a TLB.
 */
#ifndef HAL_LIBOS_PAGETABLE_H
#define HAL_LIBOS_PAGETABLE_H

#include <hal.h>

#include "frame.h"
#include "machine.h"

#define TABLE_ENTRIES 512u
#define REGION_BYTES  (TABLE_ENTRIES * HAL_PAGE_SIZE) /* what a last-level table covers */

/* An entry: frame, HAL_MAP_* in the low bits; 0: nothing. Entries that lead to a table hold its
 * address and PTE_TABLE. */
#define PTE_FLAGS    0xfull
#define PTE_MIRRORED (1ull << 4) /* the host shows the page; valid if the table's epoch is */
#define PTE_TABLE    (1ull << 5)
#define PTE_ADDRESS  (~0xfffull)

#define ROOT_BYTES   0x8000000000ull
#define ROOT_ENTRIES (SLICE_BYTES / ROOT_BYTES)

struct hal_page_table {
    hal_paddr_t root[ROOT_ENTRIES]; /* 512 GiB each; 0: nothing there */
    uint64_t base;                  /* first address of the slice */
    unsigned slice;
    uint32_t epoch;     /* changes whenever the mirror is emptied as a whole */
    uint64_t shown_end; /* behind the last pages shown at a fault, and how many might have been */
    unsigned window;
    uint64_t vdso_base; /* where the vDSO's code was mapped last, minus its offset; 0: nowhere */
    /* The last-level table used last, for walks. */
    uint64_t cached_base;
    uint64_t *cached;
};

/* struct frame.owner of a last-level table's frame. */
#define RECORD_USED_MASK   0xffffffffull
#define RECORD_EPOCH_SHIFT 32

/* The last-level table for `address`, which lies in the slice; NULL if there is none. */
uint64_t *page_table_find(struct hal_page_table *table, uint64_t address);

static inline bool page_table_covers(const struct hal_page_table *table, uint64_t address)
{
    return address - table->base < SLICE_USABLE;
}

static inline unsigned page_table_index(uint64_t address)
{
    return address / HAL_PAGE_SIZE % TABLE_ENTRIES;
}

/* The entry for `address`; 0 for any address that is not mapped. */
static inline uint64_t page_table_entry(struct hal_page_table *table, uint64_t address)
{
    uint64_t *entries;

    if (!page_table_covers(table, address))
        return 0;
    entries = (address & ~(REGION_BYTES - 1)) == table->cached_base
                  ? table->cached
                  : page_table_find(table, address);
    return entries ? entries[page_table_index(address)] : 0;
}

#endif
