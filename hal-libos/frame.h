/* frame.h - physical memory in pages; what other parts of the HAL need beyond shared/hal.h. */
#ifndef HAL_LIBOS_FRAME_H
#define HAL_LIBOS_FRAME_H

#include <hal.h>

/* One for each frame of RAM; all zero: allocated or wired, no owner. */
struct frame {
    uint64_t owner;          /* the kernel's; of a page table: see pagetable.c */
    uint32_t next, previous; /* neighbours on the free list, see frame.c */
};

/* All of [0, bytes); the first `wired` frames are in use for ever. */
void frame_init(uint64_t bytes, uint64_t wired);

/* Takes `count` frames off the end of memory for a boot module. 0 if they are not there. */
hal_paddr_t frame_take_module(size_t count);

struct frame *frame_record(hal_paddr_t paddr);

/* A zeroed frame counted as a page table, and its way back. */
zx_status_t frame_alloc_table(hal_paddr_t *out);
void frame_free_table(hal_paddr_t paddr);

#endif
