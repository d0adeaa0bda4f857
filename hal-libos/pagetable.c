/*
 * pagetable.c - user address spaces in software; see pagetable.h.
 *
 * The owner word of a table's frame counts its used entries (low half), so that an empty table is
 * noticed and freed without a scan; a last-level table's also holds the epoch for which its
 * PTE_MIRRORED bits are valid.
 */
#include "pagetable.h"

#include <stdlib.h>

#include <zircon/errors.h>

#include "cpu.h"
#include "mirror.h"
#include "vdso.h"

#define LEVELS     3u /* below the root entries; 1 is the last one */
#define ANY_ACCESS (HAL_MAP_READ | HAL_MAP_WRITE | HAL_MAP_EXECUTE)

/* ---- Tables ---------------------------------------------------------------------------------- */

static unsigned shift_of(unsigned level)
{
    return 12 + 9 * (level - 1);
}

static unsigned index_of(uint64_t address, unsigned level)
{
    return address >> shift_of(level) & (TABLE_ENTRIES - 1);
}

static uint64_t *entries_of(hal_paddr_t table)
{
    return machine_direct(table);
}

static uint64_t *owner_of(const uint64_t *entries)
{
    return &frame_record(machine_paddr(entries))->owner;
}

/* All levels are indexed by the offset in the slice. */
static uint64_t *root_of(struct hal_page_table *table, uint64_t address)
{
    return &table->root[(address - table->base) / ROOT_BYTES];
}

uint64_t *page_table_find(struct hal_page_table *table, uint64_t address)
{
    hal_paddr_t at = *root_of(table, address) & PTE_ADDRESS;

    for (unsigned level = LEVELS; level > 1 && at; level--)
        at = entries_of(at)[index_of(address - table->base, level)] & PTE_ADDRESS;
    if (!at)
        return NULL;
    table->cached_base = address & ~(REGION_BYTES - 1);
    table->cached = entries_of(at);
    return table->cached;
}

/* The same, made if it is not there; NULL: no memory. */
static uint64_t *find_or_make(struct hal_page_table *table, uint64_t address)
{
    uint64_t *entry = root_of(table, address), *above = NULL;

    for (unsigned level = LEVELS;; level--) {
        hal_paddr_t child;

        if (!*entry) {
            if (frame_alloc_table(&child) != ZX_OK)
                return NULL;
            *entry = child | PTE_TABLE;
            if (above)
                ++*owner_of(above);
        }
        above = entries_of(*entry & PTE_ADDRESS);
        if (level == 1)
            return above;
        entry = &above[index_of(address - table->base, level)];
    }
}

static void free_tree(hal_paddr_t at, unsigned level)
{
    uint64_t *entries = entries_of(at), left = *owner_of(entries) & RECORD_USED_MASK;

    for (unsigned i = 0; level > 1 && left > 0; i++) {
        if (!entries[i])
            continue;
        free_tree(entries[i] & PTE_ADDRESS, level - 1);
        left--;
    }
    frame_free_table(at);
}

/* ---- Mapping --------------------------------------------------------------------------------- */

static void check_range(const struct hal_page_table *table, zx_vaddr_t address, size_t count)
{
    if (address & HAL_PAGE_MASK || address - table->base > SLICE_USABLE ||
        count > (table->base + SLICE_USABLE - address) / HAL_PAGE_SIZE)
        hal_panic("hal_page_table: not a range of this table's pages");
}

/* Fills entries of one last-level table; returns how many pages that were. */
static size_t map_region(struct hal_page_table *table, uint64_t *entries, uint64_t address,
                         const hal_paddr_t *frames, hal_paddr_t paddr, size_t count, uint64_t flags,
                         struct mirror_range *stale)
{
    unsigned first = page_table_index(address);
    size_t n = count < TABLE_ENTRIES - first ? count : TABLE_ENTRIES - first, added = 0;
    uint64_t mirrored = mirror_knows(table, entries) ? PTE_MIRRORED : 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t old = entries[first + i];
        uint64_t entry = (frames ? frames[i] : paddr + i * HAL_PAGE_SIZE) | flags;

        if (old == (entry | PTE_MIRRORED))
            continue;
        added += old == 0;
        if (old & mirrored)
            mirror_range_add(stale, address + i * HAL_PAGE_SIZE, old);
        entries[first + i] = entry;
    }
    *owner_of(entries) += added;
    return n;
}

static zx_status_t map_range(struct hal_page_table *table, zx_vaddr_t address,
                             const hal_paddr_t *frames, hal_paddr_t paddr, size_t count,
                             uint32_t flags)
{
    struct mirror_range stale;
    zx_status_t status = ZX_OK;

    mirror_range_init(&stale);
    check_range(table, address, count);
    if (!(flags & ANY_ACCESS)) {
        hal_page_table_unmap(table, address, count);
        return ZX_OK;
    }
    flags |= HAL_MAP_READ;
    if (flags & HAL_MAP_EXECUTE && count > 0)
        vdso_mapped(table, address, frames ? frames[0] : paddr);
    while (count > 0) {
        uint64_t *entries = find_or_make(table, address);
        size_t n;

        if (!entries) {
            status = ZX_ERR_NO_MEMORY;
            break;
        }
        n = map_region(table, entries, address, frames, paddr, count, flags, &stale);
        address += n * HAL_PAGE_SIZE;
        paddr += n * HAL_PAGE_SIZE;
        frames = frames ? frames + n : NULL;
        count -= n;
    }
    if (stale.start != stale.end)
        mirror_replace(table, &stale);
    return status;
}

zx_status_t hal_page_table_map(struct hal_page_table *table, zx_vaddr_t address, hal_paddr_t paddr,
                               size_t count, uint32_t flags)
{
    return map_range(table, address, NULL, paddr, count, flags);
}

zx_status_t hal_page_table_map_many(struct hal_page_table *table, zx_vaddr_t address,
                                    const hal_paddr_t *frames, size_t count, uint32_t flags)
{
    return map_range(table, address, frames, 0, count, flags);
}

/* ---- Unmapping and protection ---------------------------------------------------------------- */

/* What is done to each last-level table that a range touches; [start, end) lies in its region. */
typedef void (*visit_t)(struct hal_page_table *table, uint64_t *entries, uint64_t start,
                        uint64_t end, uint64_t flags, struct mirror_range *stale);

/* Visits what [start, end) touches of the table of `level` at *entry, and frees tables that are
 * empty afterwards. */
static void visit_level(struct hal_page_table *table, uint64_t *entry, unsigned level,
                        uint64_t start, uint64_t end, visit_t visit, uint64_t flags,
                        struct mirror_range *stale)
{
    uint64_t *entries = entries_of(*entry & PTE_ADDRESS), next;

    if (level == 1) {
        visit(table, entries, start, end, flags, stale);
    } else {
        for (; start < end && *owner_of(entries); start = next) {
            uint64_t bytes = 1ull << shift_of(level), offset = start - table->base;
            uint64_t *below = &entries[index_of(offset, level)];

            next = table->base + (offset / bytes + 1) * bytes;
            if (next > end)
                next = end;
            if (!*below)
                continue;
            visit_level(table, below, level - 1, start, next, visit, flags, stale);
            if (!*below)
                --*owner_of(entries);
        }
    }
    if (*owner_of(entries) & RECORD_USED_MASK)
        return;
    if (table->cached == entries)
        table->cached_base = 0;
    frame_free_table(*entry & PTE_ADDRESS);
    *entry = 0;
}

static void visit_range(struct hal_page_table *table, uint64_t start, size_t count, visit_t visit,
                        uint64_t flags, struct mirror_range *stale)
{
    uint64_t end = start + count * HAL_PAGE_SIZE, next;

    check_range(table, start, count);
    for (; start < end; start = next) {
        next = table->base + ((start - table->base) / ROOT_BYTES + 1) * ROOT_BYTES;
        if (next > end)
            next = end;
        if (*root_of(table, start))
            visit_level(table, root_of(table, start), LEVELS, start, next, visit, flags, stale);
    }
}

static void unmap_region(struct hal_page_table *table, uint64_t *entries, uint64_t start,
                         uint64_t end, uint64_t flags, struct mirror_range *stale)
{
    uint64_t mirrored = mirror_knows(table, entries) ? PTE_MIRRORED : 0, *owner = owner_of(entries);

    (void)flags;
    for (uint64_t at = start; at < end && *owner & RECORD_USED_MASK; at += HAL_PAGE_SIZE) {
        uint64_t *entry = &entries[page_table_index(at)];

        if (!*entry)
            continue;
        if (*entry & mirrored)
            mirror_range_add(stale, at, *entry);
        *entry = 0;
        --*owner;
    }
}

/* Everything between the first and the last page that was shown goes from the host in one call. */
void hal_page_table_unmap(struct hal_page_table *table, zx_vaddr_t address, size_t count)
{
    struct mirror_range stale;

    mirror_range_init(&stale);
    visit_range(table, address, count, unmap_region, 0, &stale);
    if (stale.start != stale.end)
        mirror_drop(table, &stale);
}

static void protect_region(struct hal_page_table *table, uint64_t *entries, uint64_t start,
                           uint64_t end, uint64_t flags, struct mirror_range *stale)
{
    uint64_t mirrored = mirror_knows(table, entries) ? PTE_MIRRORED : 0;

    for (uint64_t at = start; at < end; at += HAL_PAGE_SIZE) {
        uint64_t *entry = &entries[page_table_index(at)];

        if (!*entry || (*entry & PTE_FLAGS) == flags)
            continue;
        *entry = (*entry & ~PTE_FLAGS) | flags;
        if (*entry & mirrored)
            mirror_range_add(stale, at, *entry);
    }
}

zx_status_t hal_page_table_protect(struct hal_page_table *table, zx_vaddr_t address, size_t count,
                                   uint32_t flags)
{
    struct mirror_range stale;

    mirror_range_init(&stale);
    if (!(flags & ANY_ACCESS)) {
        hal_page_table_unmap(table, address, count);
        return ZX_OK;
    }
    visit_range(table, address, count, protect_region, flags | HAL_MAP_READ, &stale);
    if (stale.start != stale.end)
        mirror_protect(table, &stale);
    return ZX_OK;
}

zx_status_t hal_page_table_query(struct hal_page_table *table, zx_vaddr_t address,
                                 hal_paddr_t *paddr, uint32_t *flags)
{
    uint64_t entry = page_table_entry(table, address);

    if (!entry)
        return ZX_ERR_NOT_FOUND;
    if (paddr)
        *paddr = entry & PTE_ADDRESS;
    if (flags)
        *flags = entry & PTE_FLAGS;
    return ZX_OK;
}

/* ---- Address spaces -------------------------------------------------------------------------- */

zx_status_t hal_page_table_create(struct hal_page_table **out)
{
    struct hal_page_table *table = calloc(1, sizeof *table);
    zx_status_t status;

    if (!table)
        return ZX_ERR_NO_MEMORY;
    status = mirror_attach(table);
    if (status != ZX_OK) {
        free(table);
        return status;
    }
    *out = table;
    return ZX_OK;
}

void hal_page_table_range(const struct hal_page_table *table, zx_vaddr_t *base, zx_vaddr_t *top)
{
    *base = table->base;
    *top = table->base + SLICE_USABLE;
}

void hal_page_table_destroy(struct hal_page_table *table)
{
    if (cpu.table == table)
        hal_page_table_activate(NULL);
    mirror_detach(table);
    for (unsigned i = 0; i < ROOT_ENTRIES; i++)
        if (table->root[i])
            free_tree(table->root[i] & PTE_ADDRESS, LEVELS);
    free(table);
}

void hal_page_table_activate(struct hal_page_table *table)
{
    if (cpu.table == table)
        return;
    cpu.table = table;
    cpu.vdso_base = table ? table->vdso_base : 0;
    if (table)
        mirror_claim(table);
}
