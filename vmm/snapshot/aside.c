/* aside.c - a copy of some pages, so that the guest can go on while they are written to a file. */
#include "snapshot/aside.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ASIDE_BYTES (ASIDE_PAGES * PAGE_BYTES)

struct aside *aside_new(void)
{
    struct aside *aside = calloc(1, sizeof(*aside));
    /* Populated: a page fault takes longer than copying the page. */
    void *pages = mmap(NULL, ASIDE_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (aside != NULL && pages != MAP_FAILED) {
        aside->pages = pages;
        return aside;
    }
    if (pages != MAP_FAILED)
        munmap(pages, ASIDE_BYTES);
    free(aside);
    return NULL;
}

void aside_free(struct aside *aside)
{
    if (aside == NULL)
        return;
    munmap(aside->pages, ASIDE_BYTES);
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
