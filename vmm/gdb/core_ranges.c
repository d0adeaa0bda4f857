/* core_ranges.c - what a page table maps, as few ranges as possible. */
#include <elf.h>
#include <stdlib.h>

#include "array.h"
#include "gdb/core.h"
#include "longmode.h"

enum { ENTRIES = 512, TOP_SHIFT = 39, PAGE_SHIFT = 12, RANGES_MAX = 60000 };

/* The last range grows if the new one goes on where it ends. -1 without memory. */
static int add(struct core_ranges *ranges, const struct core_range *new)
{
    struct core_range *last = ranges->count != 0 ? &ranges->range[ranges->count - 1] : NULL;
    if (last != NULL && last->owner == new->owner && last->flags == new->flags &&
        last->vaddr + last->bytes == new->vaddr && last->paddr + last->bytes == new->paddr) {
        last->bytes += new->bytes;
        return 0;
    }
    if (ranges->count == RANGES_MAX)
        return 0; /* ELF counts segments in 16 bits: what comes last is left out */
    struct core_range *more =
        array_grow(ranges->range, ranges->count, &ranges->room, sizeof(*more));
    if (more == NULL)
        return -1;
    ranges->range = more;
    ranges->range[ranges->count++] = *new;
    return 0;
}

/* What a leaf maps, as far as it is RAM. */
static int add_leaf(struct core_ranges *ranges, const struct target *target, uint64_t entry,
                    uint64_t vaddr, unsigned shift, uint32_t owner)
{
    struct core_range range = {
        .vaddr = vaddr,
        .paddr = entry & PTE_ADDRESS & ~((1ull << shift) - 1),
        .bytes = 1ull << shift,
        .flags = PF_R | ((entry & PTE_WRITE) != 0 ? PF_W : 0) | ((entry & PTE_NX) == 0 ? PF_X : 0),
        .owner = owner,
    };
    if (range.paddr >= target->memory_bytes)
        return 0;
    if (range.bytes > target->memory_bytes - range.paddr)
        range.bytes = target->memory_bytes - range.paddr;
    return add(ranges, &range);
}

static int walk(struct core_ranges *ranges, const struct target *target, uint64_t table,
                uint64_t vaddr, unsigned shift, unsigned first, unsigned end, uint32_t owner)
{
    const uint64_t *entries = target_physical(target, gpa(table & PTE_ADDRESS), PAGE_BYTES);
    if (entries == NULL || ranges->tables_left == 0)
        return 0;
    ranges->tables_left--;
    for (unsigned i = first; i < end; i++) {
        uint64_t entry = entries[i], at = vaddr | (uint64_t)i << shift;
        bool leaf = shift == PAGE_SHIFT || (shift < TOP_SHIFT && (entry & PTE_LARGE) != 0);
        if ((entry & PTE_PRESENT) == 0 || (owner != 0 && (entry & PTE_USER) == 0))
            continue;
        if (shift == TOP_SHIFT && i >= ENTRIES / 2)
            at |= 0xffffull << 48;
        int result = leaf ? add_leaf(ranges, target, entry, at, shift, owner)
                          : walk(ranges, target, entry, at, shift - 9, 0, ENTRIES, owner);
        if (result != 0)
            return result;
    }
    return 0;
}

int core_ranges_add(struct core_ranges *ranges, const struct target *target, uint64_t cr3,
                    bool kernel, uint32_t owner)
{
    return walk(ranges, target, cr3, 0, TOP_SHIFT, kernel ? ENTRIES / 2 : 0,
                kernel ? ENTRIES : ENTRIES / 2, owner);
}

static int by_address(const void *left, const void *right)
{
    const struct core_range *a = left, *b = right;
    if (a->vaddr != b->vaddr)
        return a->vaddr < b->vaddr ? -1 : 1;
    return a->owner < b->owner ? -1 : a->owner > b->owner;
}

void core_ranges_sort(struct core_ranges *ranges)
{
    size_t kept = 0;
    if (ranges->count != 0)
        qsort(ranges->range, ranges->count, sizeof(*ranges->range), by_address);
    for (size_t i = 0; i < ranges->count; i++) {
        const struct core_range *range = &ranges->range[i];
        struct core_range *last = kept != 0 ? &ranges->range[kept - 1] : NULL;
        if (last == NULL || range->vaddr - last->vaddr >= last->bytes)
            ranges->range[kept++] = *range;
        else if (range->owner < last->owner)
            *last = *range;
    }
    ranges->count = kept;
}
