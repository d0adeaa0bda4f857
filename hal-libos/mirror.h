/*
 * mirror.h - what of an address space the host shows, and slices.
 *
 * Pages are put into the host's address space when user code first touches them and taken out when
 * the page table changes, like entries of a TLB: anything may be dropped at any time, because a
 * fault brings it back. So running into the host's limit of mappings costs time, not correctness.
 *
 * A slice is to processes what an address-space number is to a TLB: while there are no more
 * processes than slices each has its own and keeps its mirror; beyond that, two share one, and the
 * one that runs owns it.
 */
#ifndef HAL_LIBOS_MIRROR_H
#define HAL_LIBOS_MIRROR_H

#include "pagetable.h"

/* Pages that the kernel should have mapped at a fault: so many, and more, may be shown at once. */
#define MIRROR_AROUND 128u

/* Pages that one host mapping shows. */
struct mirror_run {
    uint64_t start;
    uint64_t first; /* the first page's entry, as it was */
    size_t pages;
};

#define MIRROR_RUNS 4u

/* Pages of a page table that the host shows and that have changed. */
struct mirror_range {
    uint64_t start, end; /* hull of those pages; empty: start == end */
    unsigned num_runs;   /* the lowest ones; there may be more */
    struct mirror_run runs[MIRROR_RUNS];
};

static inline void mirror_range_init(struct mirror_range *range)
{
    range->start = range->end = 0;
    range->num_runs = 0;
}

/* Adds the page at `address`, the highest so far, whose entry was `entry`. */
void mirror_range_add(struct mirror_range *range, uint64_t address, uint64_t entry);

/* Gives a new table its slice. ZX_ERR_NO_MEMORY: the host's address space has no room for one. */
zx_status_t mirror_attach(struct hal_page_table *table);
void mirror_detach(struct hal_page_table *table);

/* Before user code runs in `table`. */
void mirror_claim(struct hal_page_table *table);

/* If `table` allows the access (HAL_FAULT_*), shows the page and neighbours: true. `table` may be
 * NULL. Called from signal handlers too, when user code was running. */
bool mirror_fault(struct hal_page_table *table, uint64_t address, uint32_t access);

/* Whether PTE_MIRRORED means anything in the last-level table `entries`. */
bool mirror_knows(const struct hal_page_table *table, const uint64_t *entries);

/*
 * Bring the host up to date after entries of a range that is not empty have changed. _drop: they
 * are gone, what was shown must not be any more. _replace: all are there, PTE_MIRRORED has been
 * cleared in those that changed; shows them anew. _protect: the flags of the mirrored pages in
 * there have changed.
 */
void mirror_drop(struct hal_page_table *table, const struct mirror_range *range);
void mirror_replace(struct hal_page_table *table, const struct mirror_range *range);
void mirror_protect(struct hal_page_table *table, const struct mirror_range *range);

#endif
