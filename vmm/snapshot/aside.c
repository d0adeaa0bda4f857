/* aside.c - a copy of some pages, so that the guest can go on while they are written to a file. */
#include "snapshot/aside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ASIDE_BYTES (ASIDE_PAGES * PAGE_BYTES)
#define HUGE_BYTES  (2ull << 20)

/* All of it is there before it is needed: a page fault takes longer than copying the page. A huge
 * page, if the host has one, takes a single fault. */
static void populate(uint8_t *pages)
{
    madvise(pages, ASIDE_BYTES, MADV_HUGEPAGE);
    for (uint64_t at = 0; at < ASIDE_BYTES; at += PAGE_BYTES)
        *(volatile uint8_t *)(pages + at) = 0;
}

struct aside *aside_new(void)
{
    struct aside *aside = calloc(1, sizeof(*aside));
    if (aside == NULL)
        return NULL;
    void *room = mmap(NULL, ASIDE_BYTES + HUGE_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) {
        free(aside);
        return NULL;
    }
    aside->room = room;
    aside->pages = (uint8_t *)(((uintptr_t)room + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1));
    populate(aside->pages);
    return aside;
}

void aside_free(struct aside *aside)
{
    if (aside == NULL)
        return;
    munmap(aside->room, ASIDE_BYTES + HUGE_BYTES);
    free(aside);
}

void aside_copy(struct aside *aside, const struct page_set *set, const struct memory *memory)
{
    uint8_t *to = aside->pages;
    uint64_t at = 0, end;
    aside->num_extents = 0;
    for (; page_set_next(set, &at, &end); at = end) {
        uint64_t length = (end - at) * PAGE_BYTES;
        memcpy(to, memory->base + at * PAGE_BYTES, length);
        aside->extents[aside->num_extents++] =
            (struct snapshot_extent){.paddr = at * PAGE_BYTES, .length = length, .data = to};
        to += length;
    }
}
