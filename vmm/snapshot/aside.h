/* aside.h - a copy of some pages, so that the guest can go on while they are written to a file. */
#ifndef ZVMM_SNAPSHOT_ASIDE_H
#define ZVMM_SNAPSHOT_ASIDE_H

#include "snapshot/pages.h"
#include "snapshot/write.h"

/* Copying more takes longer than fork(), which copies none. */
enum { ASIDE_PAGES = 512 };

struct aside {
    void *room;     /* owned */
    uint8_t *pages; /* in it, for ASIDE_PAGES, all of it there */
    struct snapshot_extent extents[ASIDE_PAGES];
    uint64_t num_extents;
};

/* NULL: no memory for it. */
struct aside *aside_new(void);
void aside_free(struct aside *aside);

/* Copy the pages of the set, at most ASIDE_PAGES. */
void aside_copy(struct aside *aside, const struct page_set *set, const struct memory *memory);

#endif
