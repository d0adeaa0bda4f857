/* layout.c - who owns which guest-physical range: the memory map of the boot information. */
#include "layout.h"

#include <string.h>

void layout_init(struct layout *layout, uint64_t memory_bytes)
{
    uint64_t low_end = memory_bytes < LAYOUT_HOLE_BASE ? memory_bytes : LAYOUT_HOLE_BASE;
    memset(layout, 0, sizeof(*layout));
    layout->ranges[layout->count++] =
        (struct zv_memory_range){.base = 0, .length = low_end, .type = ZV_MEM_FREE};
    if (memory_bytes > LAYOUT_HOLE_END)
        layout->ranges[layout->count++] = (struct zv_memory_range){
            .base = LAYOUT_HOLE_END, .length = memory_bytes - LAYOUT_HOLE_END, .type = ZV_MEM_FREE};
}

/* Put a range at index `at`, moving the rest up. The caller has checked that there is room. */
static void insert(struct layout *layout, uint32_t at, struct zv_memory_range range)
{
    memmove(&layout->ranges[at + 1], &layout->ranges[at],
            (layout->count - at) * sizeof(layout->ranges[0]));
    layout->ranges[at] = range;
    layout->count++;
}

/* Join ranges[at] to its lower neighbour if they are adjacent and alike. */
static void join(struct layout *layout, uint32_t at)
{
    if (at == 0 || at >= layout->count)
        return;
    struct zv_memory_range *low = &layout->ranges[at - 1], *high = &layout->ranges[at];
    if (low->type != high->type || low->type == ZV_MEM_MODULE ||
        low->base + low->length != high->base)
        return;
    low->length += high->length;
    memmove(high, high + 1, (layout->count - at - 1) * sizeof(*high));
    layout->count--;
}

int layout_claim(struct layout *layout, uint64_t base, uint64_t length, uint32_t type)
{
    uint32_t at = 0;
    while (at < layout->count && layout->ranges[at].base + layout->ranges[at].length <= base)
        at++;
    if (at == layout->count || layout->count + 2 > ZV_BOOT_RANGES || length == 0)
        return -1;
    struct zv_memory_range whole = layout->ranges[at];
    if (whole.type != ZV_MEM_FREE || base < whole.base || length > whole.base + whole.length - base)
        return -1;

    uint64_t before = base - whole.base;
    uint64_t after = whole.length - before - length;
    layout->ranges[at] = (struct zv_memory_range){.base = base, .length = length, .type = type};
    if (after != 0)
        insert(
            layout, at + 1,
            (struct zv_memory_range){.base = base + length, .length = after, .type = ZV_MEM_FREE});
    if (before != 0)
        insert(layout, at,
               (struct zv_memory_range){.base = whole.base, .length = before, .type = ZV_MEM_FREE});
    uint32_t claimed = before != 0 ? at + 1 : at;
    join(layout, claimed + 1);
    join(layout, claimed);
    return 0;
}

uint64_t layout_find(const struct layout *layout, uint64_t length, bool from_top)
{
    uint64_t below = UINT64_MAX, above = UINT64_MAX;
    for (uint32_t i = 0; i < layout->count; i++) {
        const struct zv_memory_range *range = &layout->ranges[i];
        if (range->type != ZV_MEM_FREE || range->length < length)
            continue;
        if (!from_top)
            return range->base;
        if (range->base < LAYOUT_HOLE_END)
            below = range->base + range->length - length;
        else
            above = range->base + range->length - length;
    }
    return below != UINT64_MAX ? below : above;
}
