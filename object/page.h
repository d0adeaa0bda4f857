/*
 * page.h - what the kernel notes about a frame that holds a page of a VMO, in the owner word that
 * the HAL keeps for each frame (zero when the frame is allocated: one reference, no pins).
 *
 *   bits 0..23   references - 1: leaf slots of page trees that point at the frame
 *   bits 24..31  pins
 *   bits 32..63  whose page it counts as (vmo_info.c)
 */
#ifndef ZVMM_OBJECT_PAGE_H
#define ZVMM_OBJECT_PAGE_H

#include <hal.h>

#include "format.h"

#define PAGE_REFS_MASK   0xffffffull
#define PAGE_PIN_SHIFT   24
#define PAGE_PINS_MASK   0xffull
#define PAGE_PIN_MAX     31 /* Zircon's limit */
#define PAGE_OWNER_SHIFT 32

static inline bool page_shared(hal_paddr_t frame)
{
    return (*hal_frame_owner(frame) & PAGE_REFS_MASK) != 0;
}

/* One more reference; false when the count is full. */
static inline bool page_ref(hal_paddr_t frame)
{
    uint64_t *word = hal_frame_owner(frame);

    if ((*word & PAGE_REFS_MASK) == PAGE_REFS_MASK)
        return false;
    *word += 1;
    return true;
}

/* One reference less; the last one frees the frame. */
static inline void page_unref(hal_paddr_t frame)
{
    uint64_t *word = hal_frame_owner(frame);

    if ((*word & PAGE_REFS_MASK) != 0) {
        *word -= 1;
        return;
    }
    assert((*word >> PAGE_PIN_SHIFT & PAGE_PINS_MASK) == 0);
    hal_frame_free(frame);
}

static inline unsigned page_pins(hal_paddr_t frame)
{
    return (unsigned)(*hal_frame_owner(frame) >> PAGE_PIN_SHIFT & PAGE_PINS_MASK);
}

#endif
