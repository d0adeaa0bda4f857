/*
 * frame.c - the frame allocator.
 *
 * Frames that were never used are taken from the bottom up and are known to be zero: nothing has
 * touched that part of the memory file. Frames that came back stand on one doubly linked list,
 * which is used first, because they are in the host's memory and caches already.
 *
 * Frame 0 is the list's head and never handed out, so no allocation has physical address 0. Frame 1
 * is the zero frame.
 */
#include "frame.h"

#include <string.h>
#include <sys/mman.h>

#include <zircon/errors.h>

#include "machine.h"

#define IS_FREE    0x80000000u /* in struct frame.previous */
#define INDEX      0x7fffffffu
#define ZERO_FRAME 1u
_Static_assert(MEMORY_MAX / HAL_PAGE_SIZE <= INDEX, "a frame's index has 31 bits");

static struct {
    struct frame *records;
    uint64_t total, wired;
    uint64_t fresh, end; /* [fresh, end) was never used */
    uint64_t wanted;     /* behind the frame that was allocated last; ZERO_FRAME: nothing is */
    uint64_t free_count;
    uint64_t table_count, kernel_count;
} frames;

void frame_init(uint64_t bytes, uint64_t wired)
{
    size_t size;

    frames.total = bytes / HAL_PAGE_SIZE;
    size = frames.total * sizeof(struct frame);
    frames.records = mmap(NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (frames.records == MAP_FAILED)
        machine_fail("no host memory for the frame table; use a smaller --memory");
    frames.wired = wired + ZERO_FRAME + 1;
    frames.fresh = frames.wired;
    frames.wanted = ZERO_FRAME;
    frames.end = frames.total;
    frames.free_count = frames.end - frames.fresh;
}

hal_paddr_t frame_take_module(size_t count)
{
    if (count >= frames.end - frames.fresh)
        return 0;
    frames.end -= count;
    frames.free_count -= count;
    return frames.end * HAL_PAGE_SIZE;
}

struct frame *frame_record(hal_paddr_t paddr)
{
    return &frames.records[paddr / HAL_PAGE_SIZE];
}

/* ---- Free list ------------------------------------------------------------------------------- */

static bool is_free(uint64_t index)
{
    return frames.records[index].previous & IS_FREE;
}

static void list_push(uint64_t index)
{
    struct frame *head = &frames.records[0], *frame = &frames.records[index];

    *frame = (struct frame){.next = head->next, .previous = IS_FREE};
    frames.records[head->next].previous = (uint32_t)index | IS_FREE;
    head->next = (uint32_t)index;
}

static void list_remove(uint64_t index)
{
    struct frame *frame = &frames.records[index];
    uint32_t next = frame->next, previous = frame->previous & INDEX;

    frames.records[previous].next = next;
    frames.records[next].previous = previous | IS_FREE;
    *frame = (struct frame){.owner = 0};
}

/* ---- Single frames --------------------------------------------------------------------------- */

/*
 * Frames that follow each other are shown by one host mapping and copied in one go, so the one
 * behind the last comes first if it is free; otherwise the one that was freed last, which is in the
 * caches.
 */
zx_status_t hal_frame_alloc(enum hal_frame_flags flags, hal_paddr_t *out)
{
    uint64_t index = frames.records[0].next;
    bool fresh = false;

    if (is_free(frames.wanted))
        index = frames.wanted;
    if (index) {
        list_remove(index);
    } else if (frames.fresh < frames.end) {
        index = frames.fresh++;
        fresh = true;
    } else {
        return ZX_ERR_NO_MEMORY;
    }
    frames.free_count--;
    frames.wanted = index + 1 < frames.total ? index + 1 : ZERO_FRAME;
    *out = index * HAL_PAGE_SIZE;
    if (flags & HAL_FRAME_ZEROED && !fresh)
        memset(machine_direct(*out), 0, HAL_PAGE_SIZE);
    return ZX_OK;
}

void hal_frame_free(hal_paddr_t frame)
{
    uint64_t index = frame / HAL_PAGE_SIZE;

    if (frame & HAL_PAGE_MASK || index <= ZERO_FRAME || index >= frames.total)
        hal_panic("hal_frame_free: not a frame of RAM");
    if (is_free(index))
        hal_panic("hal_frame_free: the frame is free already");
    list_push(index);
    frames.wanted = index;
    frames.free_count++;
}

hal_paddr_t hal_frame_zero(void)
{
    return ZERO_FRAME * HAL_PAGE_SIZE;
}

uint64_t *hal_frame_owner(hal_paddr_t frame)
{
    return &frame_record(frame)->owner;
}

/* ---- Consecutive frames ---------------------------------------------------------------------- */

/* From those never used; frames skipped for the alignment go to the free list. */
static uint64_t take_fresh(size_t count, uint64_t align)
{
    uint64_t start = (frames.fresh + align - 1) & ~(align - 1);

    if (start > frames.end || frames.end - start < count)
        return 0;
    while (frames.fresh < start)
        list_push(frames.fresh++);
    frames.fresh = start + count;
    return start;
}

/* From the free list: slow, and only when nothing else is left. */
static uint64_t take_recycled(size_t count, uint64_t align)
{
    uint64_t run = 0;

    for (uint64_t index = frames.wired; index < frames.total; index++) {
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
    uint64_t align = align_log2 > 12 ? 1ull << (align_log2 - 12) : 1, index;

    if (count == 1 && align == 1)
        return hal_frame_alloc(HAL_FRAME_ANY, out);
    if (count == 0 || count > frames.free_count || align_log2 >= 48)
        return ZX_ERR_NO_MEMORY;
    index = take_fresh(count, align);
    if (!index)
        index = take_recycled(count, align);
    if (!index)
        return ZX_ERR_NO_MEMORY;
    frames.free_count -= count;
    *out = index * HAL_PAGE_SIZE;
    return ZX_OK;
}

/* ---- Kernel memory and page tables ----------------------------------------------------------- */

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

void frame_free_table(hal_paddr_t paddr)
{
    frames.table_count--;
    hal_frame_free(paddr);
}

void hal_memory_stats(struct hal_memory_stats *out)
{
    *out = (struct hal_memory_stats){
        .total_frames = frames.total,
        .free_frames = frames.free_count,
        .page_table_frames = frames.table_count,
        .kernel_heap_frames = frames.kernel_count,
        .wired_frames = frames.wired,
    };
}

/* The image is not in the memory file: a copy there takes its place. */
zx_status_t hal_image_frames(const void *start, size_t length, hal_paddr_t *out)
{
    zx_status_t status = hal_frame_alloc_contiguous(length / HAL_PAGE_SIZE, 12, out);
    void *at = (void *)(uintptr_t)start;

    if (status != ZX_OK)
        return status;
    hal_pmem_write(*out, start, length);
    if (mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, machine.memory_fd,
             (off_t)*out) == MAP_FAILED)
        machine_fail("no host memory for the counters");
    return ZX_OK;
}
