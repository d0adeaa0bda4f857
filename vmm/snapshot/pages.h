/* pages.h - a set of guest pages: one bit a page. */
#ifndef ZVMM_SNAPSHOT_PAGES_H
#define ZVMM_SNAPSHOT_PAGES_H

#include "memory.h"

struct page_set {
    uint64_t *words; /* owned */
    uint64_t pages;
};

/* An empty set for memory of `bytes`; -1 if there is no memory for it. */
int page_set_init(struct page_set *set, uint64_t bytes);
void page_set_free(struct page_set *set);

/* Add the pages of [paddr, paddr + length), cut at the end of memory. */
void page_set_add(struct page_set *set, uint64_t paddr, uint64_t length);

static inline bool page_set_has(const struct page_set *set, uint64_t page)
{
    return (set->words[page / 64] >> page % 64 & 1) != 0;
}

static inline void page_set_put(struct page_set *set, uint64_t page)
{
    set->words[page / 64] |= 1ull << page % 64;
}

/* The next range of pages in the set at or after page *at; false if there is none. Numbers of
 * pages: [*at, *end). */
bool page_set_next(const struct page_set *set, uint64_t *at, uint64_t *end);

/*
 * Add what this process has of the memory that `base` maps: pages that are its own (`own_only`),
 * or also those that it has of mapped files. Pages given to nobody are not there, and not in it.
 */
int page_set_add_present(struct page_set *set, const struct memory *memory, bool own_only);

#endif
