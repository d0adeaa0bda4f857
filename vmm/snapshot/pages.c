/* pages.c - a set of guest pages: one bit a page. */
#include "snapshot/pages.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_FILE    (1ull << 61) /* of a file, or shared; clear for what has been copied */

int page_set_init(struct page_set *set, uint64_t bytes)
{
    set->pages = bytes / PAGE_BYTES;
    set->words = calloc(set->pages / 64 + 1, sizeof(set->words[0]));
    return set->words != NULL ? 0 : -1;
}

void page_set_free(struct page_set *set)
{
    free(set->words);
    *set = (struct page_set){0};
}

void page_set_add(struct page_set *set, uint64_t paddr, uint64_t length)
{
    uint64_t end = page_up(paddr + length) / PAGE_BYTES;
    for (uint64_t page = paddr / PAGE_BYTES; page < end && page < set->pages; page++)
        set->words[page / 64] |= 1ull << page % 64;
}

/* The first page at or after `at` whose bit is `want`; set->pages if there is none. */
static uint64_t find(const struct page_set *set, uint64_t at, bool want)
{
    while (at < set->pages) {
        uint64_t word = set->words[at / 64];
        word = (want ? word : ~word) >> at % 64;
        if (word != 0) {
            at += (uint64_t)__builtin_ctzll(word);
            return at < set->pages ? at : set->pages;
        }
        at = (at / 64 + 1) * 64;
    }
    return set->pages;
}

bool page_set_next(const struct page_set *set, uint64_t *at, uint64_t *end)
{
    *at = find(set, *at, true);
    *end = find(set, *at, false);
    return *at < set->pages;
}

int page_set_add_present(struct page_set *set, const struct memory *memory, bool own_only)
{
    enum { BATCH = 4096 };
    uint64_t *entries = malloc(BATCH * sizeof(*entries));
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), result = -1;
    uint64_t first = (uint64_t)(uintptr_t)memory->base / PAGE_BYTES, page = 0;
    while (fd >= 0 && entries != NULL && page < set->pages) {
        uint64_t count = set->pages - page < BATCH ? set->pages - page : BATCH;
        ssize_t bytes = (ssize_t)(count * sizeof(*entries));
        if (pread(fd, entries, (size_t)bytes, (off_t)((first + page) * 8)) != bytes)
            break;
        for (uint64_t i = 0; i < count; i++) {
            bool there = (entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) != 0;
            if (there && !(own_only && (entries[i] & PAGEMAP_FILE) != 0))
                set->words[(page + i) / 64] |= 1ull << (page + i) % 64;
        }
        page += count;
    }
    if (page == set->pages)
        result = 0;
    if (fd >= 0)
        close(fd);
    free(entries);
    return result;
}
