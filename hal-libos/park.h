/*
 * park.h - host mappings of runs of frames that are not shown now, kept to be shown again.
 *
 * Entering a page costs the host 100 ns and taking it out 40; moving a run of pages that have been
 * entered costs 10 a page. So a run that is shown and dropped for the second time is not dropped
 * but moved aside, to a place of its frames' own, and moved back when it is to be shown again. What
 * is parked is the memory file's own pages, so it is right whatever its frames are used for.
 */
#ifndef HAL_LIBOS_PARK_H
#define HAL_LIBOS_PARK_H

#include <stdbool.h>

#include <hal.h>

/* Fewer pages are not worth moving: up to 33 the host flushes one by one, at both places. */
#define PARK_LEAST 34u

/* Makes the place; without host memory for it nothing is ever parked. */
void park_init(uint64_t memory_bytes);

/*
 * The host mapping of `pages` pages at `address`, which shows the frames from `paddr` on with the
 * rights `flags` (HAL_MAP_*), is not wanted any more. True: it has been moved, nothing is mapped
 * there. False: it is still there.
 */
bool park_put(uint64_t address, hal_paddr_t paddr, size_t pages, uint64_t flags);

/* How many of the `most` pages from `paddr` on are parked with these rights and worth moving. */
size_t park_find(hal_paddr_t paddr, uint64_t flags, size_t most);

/* Moves that many pages to `address`, in place of what is mapped there. False: the host does not
 * want to; nothing is parked there any more. */
bool park_take(uint64_t address, hal_paddr_t paddr, size_t pages, uint64_t flags);

#endif
