/*
 * frame.c - the frame allocator.
 *
 * Memory that was never used is taken by bump pointers, one for each free range of the memory map,
 * and is known to be zero; frames that came back are on one doubly linked list. Nothing loops over
 * frames at start-up, so starting costs the same with 16 MiB and with 256 GiB: the array of
 * records is put at the start of the largest free range and becomes real memory in the host only
 * where it is touched.
 *
 * Which frame is taken first depends on what is dear. Recycled frames are in the caches and in
 * the host's memory already; a fresh one costs the host a page fault and its own zeroing, more
 * than clearing 4 KiB here. So the free list goes first, and keeps the machine's footprint
 * small - except for zeroed frames where ring 0 is emulated and clearing one costs a hypercall.
 */
#include "frame.h"

#include "machine.h"
#include "pmem.h"

/* struct frame.link of a free frame: state, next, previous. Index 0 ends the list. */
enum {
    LINK_FREE = 1,
    LINK_STATE = 0xff, /* mask */
};
#define LINK_NEXT_SHIFT 8
#define LINK_PREV_SHIFT 36
#define LINK_INDEX      0xfffffffull
_Static_assert(ZV_MEMORY_MAX / HAL_PAGE_SIZE <= LINK_INDEX, "a frame's index has 28 bits");

/* Frames [next, end) of a free range were never used. */
struct pool {
    uint64_t base, next, end;
};

/* Mapping and unmapping the same page again and again must not clear its tables each time. */
#define ZEROED_MAX 16u

struct frame *frame_records;

static struct {
    uint64_t total;
    uint64_t free_first; /* free list's head, 0: empty */
    uint64_t free_count; /* on the list, in the pools and in `zeroed` */
    uint64_t table_count, kernel_count;
    uint64_t zeroed[ZEROED_MAX]; /* freed frames known to be zero: page tables that became empty */
    unsigned num_zeroed;
    struct pool pools[ZV_BOOT_RANGES + 1]; /* the last is always empty */
    unsigned num_pools;
    unsigned pool; /* all before it are used up */
} frames;

/* Read-only for ever; in the image, so it costs nothing. */
static uint8_t zero_frame[HAL_PAGE_SIZE] __attribute__((aligned(HAL_PAGE_SIZE)));

void frame_init(void)
{
    const struct zv_boot_info *info = machine.info;
    struct pool *largest = frames.pools;
    uint64_t record_frames;

    for (unsigned i = 0; i < info->num_ranges; i++) {
        struct pool *pool = &frames.pools[frames.num_pools];

        if (info->ranges[i].type != ZV_MEM_FREE)
            continue;
        pool->base = info->ranges[i].base / HAL_PAGE_SIZE;
        pool->end = pool->base + info->ranges[i].length / HAL_PAGE_SIZE;
        if (pool->base == 0)
            pool->base = 1; /* index 0 means none */
        if (pool->base >= pool->end)
            continue;
        pool->next = pool->base;
        if (pool->end - pool->base > largest->end - largest->base)
            largest = pool;
        frames.free_count += pool->end - pool->base;
        frames.num_pools++;
    }
    frames.total = info->memory_bytes / HAL_PAGE_SIZE;
    record_frames = (frames.total * sizeof(struct frame) + HAL_PAGE_MASK) / HAL_PAGE_SIZE;
    if (largest->end - largest->base < record_frames)
        hal_panic("no free memory range is large enough for the frame records");
    frame_records = machine_direct(largest->base * HAL_PAGE_SIZE);
    largest->base += record_frames;
    largest->next = largest->base;
    frames.free_count -= record_frames;
}

/* ---- Free list ----------------------------------------------------------------------------- */

static bool is_free(uint64_t index)
{
    return (frame_records[index].link & LINK_STATE) == LINK_FREE;
}

static uint64_t next_of(uint64_t link)
{
    return link >> LINK_NEXT_SHIFT & LINK_INDEX;
}

static uint64_t previous_of(uint64_t link)
{
    return link >> LINK_PREV_SHIFT & LINK_INDEX;
}

static void set_next(uint64_t index, uint64_t next)
{
    uint64_t *link = &frame_records[index].link;

    *link = (*link & ~(LINK_INDEX << LINK_NEXT_SHIFT)) | next << LINK_NEXT_SHIFT;
}

static void set_previous(uint64_t index, uint64_t previous)
{
    uint64_t *link = &frame_records[index].link;

    *link = (*link & ~(LINK_INDEX << LINK_PREV_SHIFT)) | previous << LINK_PREV_SHIFT;
}

static void list_push(uint64_t index)
{
    uint64_t first = frames.free_first;

    if (first)
        set_previous(first, index);
    frame_records[index].link = LINK_FREE | first << LINK_NEXT_SHIFT;
    frames.free_first = index;
}

/* The first frame's link to its previous one means nothing: taking from the front is one store. */
static void list_remove(uint64_t index)
{
    uint64_t link = frame_records[index].link;
    uint64_t next = next_of(link), previous = previous_of(link);

    if (index == frames.free_first) {
        frames.free_first = next;
    } else {
        set_next(previous, next);
        if (next)
            set_previous(next, previous);
    }
    frame_records[index] = (struct frame){0, 0};
}

/* ---- Single frames ------------------------------------------------------------------------- */

/* A frame that was never used, or 0. */
static uint64_t take_fresh(void)
{
    struct pool *pool;

    for (; frames.pool < frames.num_pools; frames.pool++) {
        pool = &frames.pools[frames.pool];
        if (pool->next < pool->end)
            return pool->next++;
    }
    return 0;
}

static uint64_t take_zeroed(void)
{
    return frames.num_zeroed ? frames.zeroed[--frames.num_zeroed] : 0;
}

static uint64_t take_recycled(void)
{
    uint64_t index = frames.free_first;

    if (index) {
        frames.free_first = next_of(frame_records[index].link);
        frame_records[index] = (struct frame){0, 0};
    }
    return index;
}

zx_status_t hal_frame_alloc(enum hal_frame_flags flags, hal_paddr_t *out)
{
    bool zeroed = flags & HAL_FRAME_ZEROED, recycled = false;
    uint64_t index = 0;

    if (zeroed) {
        index = take_zeroed();
        if (!index && machine_slow_ring0())
            index = take_fresh();
    }
    if (!index)
        recycled = (index = take_recycled()) != 0;
    if (!index)
        index = take_fresh();
    if (!index)
        index = take_zeroed();
    if (!index)
        return ZX_ERR_NO_MEMORY;
    frames.free_count--;
    *out = index * HAL_PAGE_SIZE;
    if (zeroed && recycled)
        pmem_clear(machine_direct(*out), HAL_PAGE_SIZE);
    return ZX_OK;
}

/* In the pool that fresh frames come from, which is where a wrong address most likely points. */
static bool is_fresh(uint64_t index)
{
    const struct pool *pool = &frames.pools[frames.pool];

    return index - pool->next < pool->end - pool->next;
}

void hal_frame_free(hal_paddr_t frame)
{
    uint64_t index = frame / HAL_PAGE_SIZE;

    if (frame & HAL_PAGE_MASK || index == 0 || index >= frames.total)
        hal_panic("hal_frame_free: not a frame of RAM");
    if (is_free(index) || is_fresh(index))
        hal_panic("hal_frame_free: the frame is free already");
    list_push(index);
    frames.free_count++;
}

hal_paddr_t hal_frame_zero(void)
{
    return machine_paddr(zero_frame);
}

zx_status_t hal_image_frames(const void *start, size_t length, hal_paddr_t *out)
{
    (void)length;
    *out = machine_paddr(start);
    return ZX_OK;
}

uint64_t *hal_frame_owner(hal_paddr_t frame)
{
    return &frame_record(frame)->owner;
}

/* ---- Consecutive frames -------------------------------------------------------------------- */

/* From a pool: frames skipped for the alignment go to the free list. */
static uint64_t take_from_pool(struct pool *pool, size_t count, uint64_t align)
{
    uint64_t start = (pool->next + align - 1) & ~(align - 1);

    if (start < pool->next || start > pool->end || pool->end - start < count)
        return 0;
    while (pool->next < start)
        list_push(pool->next++);
    pool->next = start + count;
    return start;
}

/* From the free list, by looking at every used part of a pool: slow, and only when nothing else
 * is left. */
static uint64_t take_from_recycled(const struct pool *pool, size_t count, uint64_t align)
{
    uint64_t run = 0;

    for (uint64_t index = pool->base; index < pool->next; index++) {
        if (!is_free(index) || (run == 0 && index & (align - 1))) {
            run = 0;
            continue;
        }
        if (++run < count)
            continue;
        for (uint64_t i = index + 1 - count; i <= index; i++)
            list_remove(i);
        return index + 1 - count;
    }
    return 0;
}

zx_status_t hal_frame_alloc_contiguous(size_t count, unsigned align_log2, hal_paddr_t *out)
{
    uint64_t align = align_log2 > 12 ? 1ull << (align_log2 - 12) : 1, index = 0;

    if (count == 1 && align == 1)
        return hal_frame_alloc(HAL_FRAME_ANY, out);
    if (count == 0 || count > frames.free_count || align_log2 >= 48)
        return ZX_ERR_NO_MEMORY;
    for (unsigned i = frames.pool; i < frames.num_pools && !index; i++)
        index = take_from_pool(&frames.pools[i], count, align);
    for (unsigned i = 0; i < frames.num_pools && !index; i++)
        index = take_from_recycled(&frames.pools[i], count, align);
    if (!index)
        return ZX_ERR_NO_MEMORY;
    frames.free_count -= count;
    *out = index * HAL_PAGE_SIZE;
    return ZX_OK;
}

/* ---- Kernel memory and page tables --------------------------------------------------------- */

void *hal_kernel_alloc(size_t pages)
{
    hal_paddr_t paddr;

    if (hal_frame_alloc_contiguous(pages, 12, &paddr) != ZX_OK)
        return NULL;
    frames.kernel_count += pages;
    return machine_direct(paddr);
}

void hal_kernel_free(void *address, size_t pages)
{
    hal_paddr_t paddr = machine_paddr(address);

    frames.kernel_count -= pages;
    for (size_t i = 0; i < pages; i++)
        hal_frame_free(paddr + i * HAL_PAGE_SIZE);
}

zx_status_t frame_alloc_table(hal_paddr_t *out)
{
    zx_status_t status = hal_frame_alloc(HAL_FRAME_ZEROED, out);

    if (status == ZX_OK)
        frames.table_count++;
    return status;
}

void frame_free_table(hal_paddr_t paddr, bool zero)
{
    frames.table_count--;
    if (!zero || frames.num_zeroed == ZEROED_MAX) {
        hal_frame_free(paddr);
        return;
    }
    *frame_record(paddr) = (struct frame){0, 0};
    frames.zeroed[frames.num_zeroed++] = paddr / HAL_PAGE_SIZE;
    frames.free_count++;
}

void hal_memory_stats(struct hal_memory_stats *out)
{
    *out = (struct hal_memory_stats){
        .total_frames = frames.total,
        .free_frames = frames.free_count,
        .page_table_frames = frames.table_count,
        .kernel_heap_frames = frames.kernel_count,
    };
}
