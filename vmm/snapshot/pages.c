/* pages.c - a set of guest pages: one bit a page. */
#include "snapshot/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

/* ---- What this process has ---------------------------------------------------------------------
 *
 * Linux 6.7 and later list pages by ranges and leave out page tables that are not there; before,
 * /proc/self/pagemap has to be read, 8 bytes a page.
 */

struct region {
    uint64_t start, end, categories;
};

struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN  _IOWR('f', 16, struct scan)
#define SCAN_FILE     (1ull << 2)
#define SCAN_PRESENT  (1ull << 3)
#define SCAN_SWAPPED  (1ull << 4)
#define SCAN_PFN_ZERO (1ull << 5) /* read, and never written */

static int scan_present(struct page_set *set, int fd, uint64_t base, bool own_only)
{
    enum { REGIONS = 256 };
    struct region regions[REGIONS];
    uint64_t without = SCAN_PFN_ZERO | (own_only ? SCAN_FILE : 0);
    struct scan scan = {
        .size = sizeof(scan),
        .start = base,
        .end = base + set->pages * PAGE_BYTES,
        .vec = (uint64_t)(uintptr_t)regions,
        .vec_len = REGIONS,
        .category_inverted = without,
        .category_mask = without,
        .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
        .return_mask = SCAN_PRESENT | SCAN_SWAPPED,
    };
    while (scan.start < scan.end) {
        int count = ioctl(fd, PAGEMAP_SCAN, &scan);
        if (count < 0)
            return -1;
        for (int i = 0; i < count; i++)
            page_set_add(set, regions[i].start - base, regions[i].end - regions[i].start);
        scan.start = scan.walk_end;
    }
    return 0;
}

static int read_present(struct page_set *set, int fd, uint64_t base, bool own_only)
{
    enum { BATCH = 4096 };
    uint64_t *entries = malloc(BATCH * sizeof(*entries)), page = 0;
    while (entries != NULL && page < set->pages) {
        uint64_t count = set->pages - page < BATCH ? set->pages - page : BATCH;
        ssize_t bytes = (ssize_t)(count * sizeof(*entries));
        if (pread(fd, entries, (size_t)bytes, (off_t)((base / PAGE_BYTES + page) * 8)) != bytes)
            break;
        for (uint64_t i = 0; i < count; i++) {
            bool there = (entries[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) != 0;
            if (there && !(own_only && (entries[i] & PAGEMAP_FILE) != 0))
                page_set_put(set, page + i);
        }
        page += count;
    }
    free(entries);
    return page == set->pages ? 0 : -1;
}

int page_set_add_present(struct page_set *set, const struct memory *memory, bool own_only)
{
    uint64_t base = (uint64_t)(uintptr_t)memory->base;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), result = -1;
    if (fd < 0)
        return -1;
    result = scan_present(set, fd, base, own_only);
    if (result != 0) /* what a scan that was cut short has found is found again */
        result = read_present(set, fd, base, own_only);
    close(fd);
    return result;
}
