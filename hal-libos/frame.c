/*
 * frame.c - the frame allocator.
 *
 * Frames that were never used are known to be zero: nothing has touched that part of the memory
 * file. Frames that came back stand on a doubly linked list, which is used first, because they are
 * in the host's memory and caches already.
 *
 * The kernel's own frames (page tables and its heap's) are taken from the other end of memory and
 * come back to a list of their own, so that they do not come between frames which would follow each
 * other.
 *
 * Frame 0 is never handed out, so no allocation has physical address 0. Frame 1 is the zero frame.
 * The records of frames 0 and 2 are the lists' heads.
 */
#include "frame.h"

#include <string.h>
#include <sys/mman.h>

#include <zircon/errors.h>

#include "machine.h"

#define IS_FREE     0x80000000u /* in struct frame.previous */
#define INDEX       0x7fffffffu
#define USER_LIST   0u
#define ZERO_FRAME  1u
#define KERNEL_LIST 2u
#define FIRST_FRAME 3u /* that may be handed out */
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
    frames.wired = wired + FIRST_FRAME;
    frames.fresh = frames.wired;
    frames.wanted = ZERO_FRAME;
    frames.records[KERNEL_LIST] = (struct frame){.next = KERNEL_LIST, .previous = KERNEL_LIST};
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

static void insert_behind(uint32_t before, uint64_t index)
{
    struct frame *left = &frames.records[before], *frame = &frames.records[index];

    *frame = (struct frame){.next = left->next, .previous = before | IS_FREE};
    frames.records[left->next].previous = (uint32_t)index | IS_FREE;
    left->next = (uint32_t)index;
}

/*
 * Beside its neighbours if they are there (whatever their list is), so that frames which follow
 * each other are handed out like that again; otherwise first.
 */
static void list_push(uint32_t list, uint64_t index)
{
    if (index > FIRST_FRAME && is_free(index - 1))
        insert_behind((uint32_t)index - 1, index);
    else if (index + 1 < frames.total && is_free(index + 1))
        insert_behind(frames.records[index + 1].previous & INDEX, index);
    else
        insert_behind(list, index);
}

/* The first frame; 0: none. */
static uint64_t list_first(uint32_t list)
{
    uint32_t first = frames.records[list].next;

    return first == list ? 0 : first;
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
 * behind the last comes first if it is free; after a frame has been freed that one, which is in the
 * caches.
 */
zx_status_t hal_frame_alloc(enum hal_frame_flags flags, hal_paddr_t *out)
{
    uint64_t index = is_free(frames.wanted) ? frames.wanted : list_first(USER_LIST);
    bool fresh = !index && frames.fresh < frames.end;

    if (fresh)
        index = frames.fresh++;
    else if (!index)
        index = list_first(KERNEL_LIST);
    if (!index)
        return ZX_ERR_NO_MEMORY;
    if (!fresh)
        list_remove(index);
    frames.free_count--;
    frames.wanted = index + 1 < frames.total ? index + 1 : ZERO_FRAME;
    *out = index * HAL_PAGE_SIZE;
    if (flags & HAL_FRAME_ZEROED && !fresh)
        memset(machine_direct(*out), 0, HAL_PAGE_SIZE);
    return ZX_OK;
}

static void free_to(uint32_t list, uint64_t index)
{
    if (is_free(index))
        hal_panic("hal_frame_free: the frame is free already");
    list_push(list, index);
    frames.free_count++;
}

void hal_frame_free(hal_paddr_t frame)
{
    uint64_t index = frame / HAL_PAGE_SIZE;

    if (frame & HAL_PAGE_MASK || index < FIRST_FRAME || index >= frames.total)
        hal_panic("hal_frame_free: not a frame of RAM");
    free_to(USER_LIST, index);
    frames.wanted = index;
}

/* For the kernel itself. */
static zx_status_t alloc_kernel(bool zeroed, hal_paddr_t *out)
{
    uint64_t index = list_first(KERNEL_LIST);
    bool fresh = !index && frames.fresh < frames.end;

    if (fresh)
        index = --frames.end;
    else if (!index)
        index = list_first(USER_LIST);
    if (!index)
        return ZX_ERR_NO_MEMORY;
    if (!fresh)
        list_remove(index);
    frames.free_count--;
    *out = index * HAL_PAGE_SIZE;
    if (zeroed && !fresh)
        memset(machine_direct(*out), 0, HAL_PAGE_SIZE);
    return ZX_OK;
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
        list_push(USER_LIST, frames.fresh++);
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
    zx_status_t status =
        pages == 1 ? alloc_kernel(false, &paddr) : hal_frame_alloc_contiguous(pages, 12, &paddr);

    if (status != ZX_OK)
        return NULL;
    frames.kernel_count += pages;
    return machine_direct(paddr);
}

void hal_kernel_free(void *address, size_t pages)
{
    hal_paddr_t paddr = machine_paddr(address);

    frames.kernel_count -= pages;
    for (size_t i = 0; i < pages; i++)
        free_to(KERNEL_LIST, paddr / HAL_PAGE_SIZE + i);
}

zx_status_t frame_alloc_table(hal_paddr_t *out)
{
    zx_status_t status = alloc_kernel(true, out);

    if (status == ZX_OK)
        frames.table_count++;
    return status;
}

void frame_free_table(hal_paddr_t paddr)
{
    frames.table_count--;
    free_to(KERNEL_LIST, paddr / HAL_PAGE_SIZE);
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
