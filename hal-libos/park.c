/*
 * park.c - host mappings kept for later; see park.h.
 *
 * A run stands at its frames' offset in the place. The last few runs that were dropped are noted,
 * parked or not: one that comes a second time is parked. Runs that are parked do not overlap.
 */
#include "park.h"

#include <sys/mman.h>

#define PLACES 16u

struct run {
    hal_paddr_t paddr;
    uint64_t flags;
    size_t pages; /* 0: none */
    bool parked;
    size_t taken; /* pages at the beginning that are not, or not any more */
};

static struct {
    uint8_t *base; /* NULL: nowhere */
    uint64_t bytes;
    struct run runs[PLACES];
    unsigned next; /* to be given up */
} park;

static void *reserve(void *at, uint64_t bytes, int fixed)
{
    return mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
}

void park_init(uint64_t memory_bytes)
{
    void *base = reserve(NULL, memory_bytes, 0);

    if (base == MAP_FAILED)
        return;
    park.base = base;
    park.bytes = memory_bytes;
}

static void discard(struct run *run)
{
    /* Should it fail, what stays is only unused. */
    if (run->parked)
        reserve(park.base + run->paddr, run->pages * HAL_PAGE_SIZE, MAP_FIXED);
    run->parked = false;
}

static size_t page_of(const struct run *run, hal_paddr_t paddr)
{
    return (paddr - run->paddr) / HAL_PAGE_SIZE;
}

static struct run *find_run(hal_paddr_t paddr, size_t pages, uint64_t flags)
{
    for (unsigned i = 0; i < PLACES; i++) {
        struct run *run = &park.runs[i];

        if (run->pages == pages && run->paddr == paddr && run->flags == flags)
            return run;
    }
    return NULL;
}

/* Another run's mapping may be in the way. */
static void clear_place(const struct run *wanted)
{
    uint64_t start = wanted->paddr, end = start + wanted->pages * HAL_PAGE_SIZE;

    for (unsigned i = 0; i < PLACES; i++) {
        struct run *run = &park.runs[i];

        if (run != wanted && run->paddr < end && run->paddr + run->pages * HAL_PAGE_SIZE > start)
            discard(run);
    }
}

bool park_put(uint64_t address, hal_paddr_t paddr, size_t pages, uint64_t flags)
{
    struct run *run = find_run(paddr, pages, flags);
    size_t bytes = pages * HAL_PAGE_SIZE;

    if (!park.base || pages < PARK_LEAST || paddr + bytes > park.bytes)
        return false;
    if (!run) {
        run = &park.runs[park.next++ % PLACES];
        discard(run);
        *run = (struct run){.paddr = paddr, .flags = flags, .pages = pages};
        return false;
    }
    clear_place(run);
    run->parked = true; /* what is there of it is replaced */
    run->taken = pages;
    if (mremap((void *)address, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, park.base + paddr) ==
        MAP_FAILED)
        return false;
    run->taken = 0;
    return true;
}

/* The run that `paddr` is parked with. */
static struct run *find_parked(hal_paddr_t paddr, uint64_t flags)
{
    for (unsigned i = 0; i < PLACES; i++) {
        struct run *run = &park.runs[i];

        if (run->parked && run->flags == flags && paddr >= run->paddr &&
            page_of(run, paddr) >= run->taken && page_of(run, paddr) < run->pages)
            return run;
    }
    return NULL;
}

size_t park_find(hal_paddr_t paddr, uint64_t flags, size_t most)
{
    const struct run *run = find_parked(paddr, flags);
    size_t pages = run ? run->pages - page_of(run, paddr) : 0;

    if (pages > most)
        pages = most;
    return pages < PARK_LEAST ? 0 : pages;
}

bool park_take(uint64_t address, hal_paddr_t paddr, size_t pages, uint64_t flags)
{
    struct run *run = find_parked(paddr, flags);
    size_t bytes = pages * HAL_PAGE_SIZE;

    /* What it leaves behind is empty, but nothing of the host's can come there. */
    if (mremap(park.base + paddr, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
               (void *)address) == MAP_FAILED) {
        discard(run);
        park.base = NULL; /* Linux before 5.13: it would fail each time */
        return false;
    }
    run->taken = page_of(run, paddr) + pages;
    return true;
}
