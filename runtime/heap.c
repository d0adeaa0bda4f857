/*
 * heap.c - size classes over single pages.
 *
 * A class page starts with a header; its blocks are free-listed through their first word, and the
 * part of the page that was never handed out is taken by a bump pointer, so a fresh page costs no
 * loop. heap_free finds the header by masking the address: every block that is not a whole page
 * lies inside one page, behind its header. Whole-page blocks are preceded by nothing: they are page
 * aligned, which no class block is, and their length is kept in a tree keyed by address.
 *
 * A few freed large blocks are kept, because whoever frees one (a message of 64 KiB) often wants the
 * next one soon, and consecutive frames that nobody has used yet are dear: the host has to find
 * them. They go back to the HAL as soon as it has no memory left.
 */
#include "heap.h"

#include <hal.h>

#include "format.h"
#include "list.h"
#include "string.h"

struct class_page {
    LIST_ENTRY(class_page) link; /* in the class's list while a block is free */
    void *free;                  /* freed blocks */
    uint16_t class;              /* index into block_size */
    uint16_t live;               /* blocks handed out */
    uint16_t bump;               /* offset of the first block never handed out; page size: none */
    uint16_t listed;             /* 1 while in the class's list */
};
/*
 * Room for struct class_page; zvmm diff reads it. A message's bytes stand 16 bytes into its block: at
 * the beginning of a cache line, for which a copy of 1 KiB takes 5 ns less.
 */
enum { HEADER = 48 };
_Static_assert(sizeof(struct class_page) <= HEADER, "heap header");

/* Large blocks: header page trick would cost a page each; a tree node from the heap is smaller. */
struct large {
    union {
        RB_ENTRY(large) link;         /* in use */
        LIST_ENTRY(large) spare_link; /* kept */
    };
    void *block;
    size_t pages;
};

#define SPARE_BLOCKS 8u     /* large blocks kept at most ... */
#define SPARE_MAX_PAGES 17u /* ... of up to this size: the largest channel message */

static const uint16_t block_size[] = {16,  32,  48,  64,  96,  128, 192, 256,
                                      320, 400, 496, 672, 768, 1008, 2016};
#define CLASSES (sizeof block_size / sizeof block_size[0])
#define SMALL_MAX 2016

RB_HEAD(large_tree, large);

static struct {
    LIST_HEAD(, class_page) partial[CLASSES];
    struct class_page *spare[CLASSES]; /* one empty page kept, against thrashing */
    struct large_tree large;
    LIST_HEAD(, large) spare_large; /* the one freed last comes first */
    unsigned num_spare_large;
    size_t used, held;
    uint64_t fail_in;
} heap;

static int large_compare(struct large *a, struct large *b)
{
    return a->block < b->block ? -1 : a->block > b->block;
}
RB_GENERATE_STATIC(large_tree, large, link, large_compare)

/* (size + 15) / 16 -> class; filled for every multiple of 16 up to SMALL_MAX at first use. */
static uint8_t class_of_size[SMALL_MAX / 16 + 1];

static void fill_class_table(void)
{
    unsigned class = 0;

    for (unsigned i = 1; i <= SMALL_MAX / 16; i++) {
        while (block_size[class] < i * 16)
            class++;
        class_of_size[i] = (uint8_t)(class + 1);
    }
}

static unsigned find_class(size_t size)
{
    unsigned class = class_of_size[(size + 15) / 16];

    if (class == 0) {
        fill_class_table();
        class = class_of_size[(size + 15) / 16];
    }
    return class - 1;
}

static void drop_spares(void);

static struct class_page *new_page(unsigned class)
{
    struct class_page *page = heap.spare[class];

    if (page) {
        heap.spare[class] = NULL;
    } else {
        page = hal_kernel_alloc(1);
        if (!page && heap.num_spare_large) {
            drop_spares();
            page = hal_kernel_alloc(1);
        }
        if (!page)
            return NULL;
        heap.held += HAL_PAGE_SIZE;
    }
    page->free = NULL;
    page->class = (uint16_t)class;
    page->live = 0;
    page->bump = HEADER;
    page->listed = 1;
    LIST_INSERT_HEAD(&heap.partial[class], page, link);
    return page;
}

static void *small_alloc(size_t size)
{
    unsigned class = find_class(size);
    struct class_page *page = LIST_FIRST(&heap.partial[class]);
    void *block;

    if (!page && !(page = new_page(class)))
        return NULL;
    if (page->free) {
        block = page->free;
        page->free = *(void **)block;
    } else {
        block = (char *)page + page->bump;
        page->bump = (uint16_t)(page->bump + block_size[class]);
    }
    page->live++;
    if (!page->free && page->bump + block_size[class] > HAL_PAGE_SIZE) {
        LIST_REMOVE(page, link);
        page->listed = 0;
    }
    heap.used += block_size[class];
    return block;
}

static void small_free(void *block)
{
    struct class_page *page = (void *)((uintptr_t)block & ~(uintptr_t)HAL_PAGE_MASK);

    assert(page->class < CLASSES && page->live > 0);
    *(void **)block = page->free;
    page->free = block;
    page->live--;
    heap.used -= block_size[page->class];
    if (!page->listed) {
        LIST_INSERT_HEAD(&heap.partial[page->class], page, link);
        page->listed = 1;
    }
    if (page->live)
        return;
    LIST_REMOVE(page, link);
    if (!heap.spare[page->class]) {
        heap.spare[page->class] = page;
        return;
    }
    heap.held -= HAL_PAGE_SIZE;
    hal_kernel_free(page, 1);
}

/* A kept block's own node does not count as used: nobody outside has it. */
static void keep(struct large *large)
{
    LIST_INSERT_HEAD(&heap.spare_large, large, spare_link);
    heap.num_spare_large++;
    heap.used -= block_size[find_class(sizeof *large)];
}

static void unkeep(struct large *large)
{
    LIST_REMOVE(large, spare_link);
    heap.num_spare_large--;
    heap.used += block_size[find_class(sizeof *large)];
}

static struct large *take_spare(size_t pages)
{
    struct large *large;

    LIST_FOREACH(large, &heap.spare_large, spare_link) {
        if (large->pages == pages) {
            unkeep(large);
            return large;
        }
    }
    return NULL;
}

static void give_back(struct large *large)
{
    heap.held -= large->pages * HAL_PAGE_SIZE;
    hal_kernel_free(large->block, large->pages);
    small_free(large);
}

static void drop_spares(void)
{
    struct large *large;

    while ((large = LIST_FIRST(&heap.spare_large))) {
        unkeep(large);
        give_back(large);
    }
}

static struct large *new_large(size_t pages)
{
    struct large *large = small_alloc(sizeof *large);

    if (!large)
        return NULL;
    large->pages = pages;
    large->block = hal_kernel_alloc(pages);
    if (!large->block && heap.num_spare_large) {
        drop_spares();
        large->block = hal_kernel_alloc(pages);
    }
    if (!large->block) {
        small_free(large);
        return NULL;
    }
    heap.held += pages * HAL_PAGE_SIZE;
    return large;
}

static void *large_alloc(size_t size)
{
    size_t pages = size / HAL_PAGE_SIZE + (size % HAL_PAGE_SIZE != 0);
    struct large *large = pages <= SPARE_MAX_PAGES ? take_spare(pages) : NULL;

    if (!large && !(large = new_large(pages)))
        return NULL;
    RB_INSERT(large_tree, &heap.large, large);
    heap.used += pages * HAL_PAGE_SIZE;
    return large->block;
}

static void large_free(void *block)
{
    struct large key = {.block = block};
    struct large *large = RB_FIND(large_tree, &heap.large, &key);

    assert(large);
    RB_REMOVE(large_tree, &heap.large, large);
    heap.used -= large->pages * HAL_PAGE_SIZE;
    if (large->pages <= SPARE_MAX_PAGES && heap.num_spare_large < SPARE_BLOCKS) {
        keep(large);
    } else {
        give_back(large);
    }
}

void *heap_alloc(size_t size)
{
    if (heap.fail_in && --heap.fail_in == 0)
        return NULL;
    if (size == 0)
        return NULL;
    return size <= SMALL_MAX ? small_alloc(size) : large_alloc(size);
}

/*
 * Clears a small block in plain words. `rep stos` takes 20 ns longer for 300 bytes, on a processor
 * of 2023. The vector stores of a libc, on which the LibOS runs, make what then uses the block 60 ns
 * slower at times, for milliseconds at a stretch.
 */
static void clear_small(void *block, size_t size)
{
    volatile uint64_t *word = block;

    for (; size >= 64; size -= 64, word += 8) {
        word[0] = 0;
        word[1] = 0;
        word[2] = 0;
        word[3] = 0;
        word[4] = 0;
        word[5] = 0;
        word[6] = 0;
        word[7] = 0;
    }
    for (; size >= 16; size -= 16, word += 2) {
        word[0] = 0;
        word[1] = 0;
    }
    if (size > 0) /* blocks are of 16 bytes and multiples */
        word[0] = word[1] = 0;
}

void *heap_zalloc(size_t size)
{
    void *block = heap_alloc(size);

    if (block && size <= SMALL_MAX)
        clear_small(block, size);
    else if (block)
        memset(block, 0, size);
    return block;
}

void heap_free(void *block)
{
    if (!block)
        return;
    if (((uintptr_t)block & HAL_PAGE_MASK) == 0)
        large_free(block);
    else
        small_free(block);
}

void heap_stats(struct heap_stats *out)
{
    *out = (struct heap_stats){.used = heap.used, .held = heap.held};
}

void heap_fail_nth(uint64_t n)
{
    heap.fail_in = n;
}
