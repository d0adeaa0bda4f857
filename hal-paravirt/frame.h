/* frame.h - physical memory in pages; what other parts of the HAL need beyond shared/hal.h. */
#ifndef HAL_PARAVIRT_FRAME_H
#define HAL_PARAVIRT_FRAME_H

#include <hal.h>

/*
 * One for each frame of RAM. The array lies in memory that zvmm has left zero and is never
 * initialised: all-zero means "not on the free list, no owner".
 */
struct frame {
    uint64_t owner; /* the kernel's; while it is a page table: see pagetable.c */
    uint64_t link;  /* free: state and neighbours, see frame.c; a page table: see pagetable.c */
};

void frame_init(void);

extern struct frame *frame_records; /* indexed by physical address / HAL_PAGE_SIZE */

/* The record of a frame in RAM. */
static inline struct frame *frame_record(hal_paddr_t paddr)
{
    return &frame_records[paddr / HAL_PAGE_SIZE];
}

/* A zeroed frame counted as a page table, and its way back; `zero`: it is all zero again. */
zx_status_t frame_alloc_table(hal_paddr_t *out);
void frame_free_table(hal_paddr_t paddr, bool zero);

#endif
