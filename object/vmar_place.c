/*
 * vmar_place.c - choosing addresses.
 *
 * Random, but not too far apart: page tables cost a frame for every 2 MiB that has something in it
 * and two more for every 512 GiB, so regions without a wish go to random places of a window of
 * 64 MiB, which itself is at a random place of the VMAR and is left for another one when it fills
 * up. Large regions, and VMARs no larger than a window, do without it.
 */
#include "vmar_place.h"

#include <zircon/errors.h>

#include "aspace.h"

#define WINDOW (64ull << 20)
#define TRIES  4 /* random places tried in a window, and windows tried */

/* A range that a region must lie in, and what its address must be a multiple of. */
struct room {
    zx_vaddr_t low, high; /* first address, first address behind */
    uint64_t align;       /* a power of two */
};

static bool is_free(struct vmar *vmar, zx_vaddr_t base, uint64_t size)
{
    struct region *region = vmar_region_from(vmar, base);

    return !region || (region->base > base && region->base - base >= size);
}

/* A number below `bound`, from 32 random bits or more. */
static uint64_t random_below(uint64_t bound)
{
    uint64_t random;

    hal_entropy(&random, sizeof random);
    return (uint64_t)(((unsigned __int128)random * bound) >> 64);
}

/* A random aligned address for `size` bytes in the room; 0: it does not fit. */
static zx_vaddr_t random_place(const struct room *room, uint64_t size)
{
    zx_vaddr_t low = (room->low + room->align - 1) & ~(room->align - 1);

    if (low < room->low || low >= room->high || size > room->high - low)
        return 0;
    return low + random_below((room->high - low - size) / room->align + 1) * room->align;
}

static zx_vaddr_t try_random(struct vmar *vmar, const struct room *room, uint64_t size)
{
    for (int i = 0; i < TRIES; i++) {
        zx_vaddr_t base = random_place(room, size);

        if (base == 0)
            return 0;
        if (is_free(vmar, base, size))
            return base;
    }
    return 0;
}

/* The window that serves now, cut to the room. */
static struct room window_room(const struct vmar *vmar, const struct room *room)
{
    struct room in = *room;

    if (vmar->window > in.low)
        in.low = vmar->window;
    if (vmar->window + WINDOW < in.high)
        in.high = vmar->window + WINDOW;
    return in;
}

static zx_vaddr_t find_random(struct vmar *vmar, const struct room *room, uint64_t size)
{
    if (size > WINDOW / 4 || room->high - room->low <= WINDOW)
        return try_random(vmar, room, size);
    for (int i = 0; i < TRIES; i++) {
        struct room in = window_room(vmar, room);
        zx_vaddr_t base = vmar->window ? try_random(vmar, &in, size) : 0;

        if (base)
            return base;
        in = (struct room){.low = room->low, .high = room->high, .align = WINDOW};
        vmar->window = random_place(&in, WINDOW);
        if (vmar->window == 0)
            return 0;
    }
    return 0;
}

/* The lowest place; finds one whenever there is one. */
static zx_vaddr_t find_lowest(struct vmar *vmar, const struct room *room, uint64_t size)
{
    struct region *region = vmar_region_from(vmar, room->low);
    zx_vaddr_t base = room->low;

    for (;;) {
        base = (base + room->align - 1) & ~(room->align - 1);
        if (base < room->low || base >= room->high || size > room->high - base)
            return 0;
        if (!region || (region->base > base && region->base - base >= size))
            return base;
        if (region_end(region) > base)
            base = region_end(region);
        region = vmar_region_next(region);
    }
}

static zx_status_t find_room(struct vmar *vmar, uint32_t options, const struct room *room,
                             uint64_t size, zx_vaddr_t *base)
{
    *base = options & ZX_VM_COMPACT ? 0 : find_random(vmar, room, size);
    if (*base == 0)
        *base = find_lowest(vmar, room, size);
    return *base ? ZX_OK : ZX_ERR_NO_MEMORY;
}

zx_status_t vmar_place(struct vmar *vmar, uint32_t options, uint32_t can_map, uint64_t offset,
                       uint64_t size, bool overwrite, zx_vaddr_t *base)
{
    uint32_t align_log2 = options >> ZX_VM_ALIGN_BASE;
    bool specific = options & ZX_VM_SPECIFIC, below = options & ZX_VM_OFFSET_IS_UPPER_LIMIT;
    struct room room = {.low = vmar->region.base, .high = region_end(&vmar->region)};

    if (!vmar->aspace)
        return ZX_ERR_BAD_STATE;
    if (size == 0)
        return ZX_ERR_INVALID_ARGS;
    if (can_map & ~vmar->can_map)
        return ZX_ERR_ACCESS_DENIED;
    if ((offset && !specific && !below) || (specific && below))
        return ZX_ERR_INVALID_ARGS;
    if ((specific || below) && !(vmar->can_map & ZX_VM_CAN_MAP_SPECIFIC))
        return ZX_ERR_ACCESS_DENIED;
    if (offset > vmar->region.size || (!below && size > vmar->region.size - offset))
        return ZX_ERR_INVALID_ARGS;
    if (offset & HAL_PAGE_MASK || (align_log2 && (align_log2 < 10 || align_log2 > 32)))
        return ZX_ERR_INVALID_ARGS;
    room.align = 1ull << (align_log2 < 12 ? 12 : align_log2);
    if (below)
        room.high = room.low + offset;
    if (!specific)
        return find_room(vmar, options, &room, size, base);
    *base = vmar->region.base + offset;
    if (*base & (room.align - 1))
        return ZX_ERR_INVALID_ARGS;
    return overwrite || is_free(vmar, *base, size) ? ZX_OK : ZX_ERR_NO_MEMORY;
}
