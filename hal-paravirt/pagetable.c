/*
 * pagetable.c - user address spaces.
 *
 * The top-level table's kernel half is two entries that never change: the direct map and the
 * kernel image. Everything in the lower half is made and freed here; intermediate entries allow
 * everything, the last level decides.
 *
 * A table's frame record says how many of its entries are in use and which tables hang below it:
 *   owner = first child's frame index (28 bits), number of used entries << 32
 *   link  = next sibling << 8, previous sibling << 36; the low byte stays 0 (frame.c: not free)
 * so an empty table is noticed without a scan, and an address space is taken down by following
 * the lists: the cost is the tables it has.
 *
 * TLB: entries change first, translations (the processor's and user.c's) are dropped before the
 * function returns, frames of removed tables are not used by anybody before that.
 */
#include "pagetable.h"

#include "cpu.h"
#include "frame.h"
#include "machine.h"
#include "user.h"
#include "x86.h"

#define TOP_LEVEL 4u

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)
#define ANY_ACCESS  (HAL_MAP_READ | HAL_MAP_WRITE | HAL_MAP_EXECUTE)

/* ---- Kernel half --------------------------------------------------------------------------- */

#define DIRECT_SLOT (ZV_DIRECT_MAP_BASE >> 39 & 511)
#define KERNEL_SLOT (ZV_KERNEL_BASE >> 39 & 511)
_Static_assert(ZV_MEMORY_MAX <= 1ull << 39, "the direct map is one top-level entry");

static struct {
    uint64_t direct, kernel;
} half;

extern uint8_t syscall_stub_page[];

/* Tables for the one user-visible page in the kernel half: see SYSCALL_STUB. */
static uint64_t stub_directory[TABLE_ENTRIES] __attribute__((aligned(HAL_PAGE_SIZE)));
static uint64_t stub_table[TABLE_ENTRIES] __attribute__((aligned(HAL_PAGE_SIZE)));

static void map_syscall_stub(void)
{
    uint64_t *pointers = machine_direct(half.kernel & PTE_ADDRESS);

    stub_table[SYSCALL_STUB >> 12 & 511] =
        machine_paddr(syscall_stub_page) | PTE_PRESENT | PTE_USER | PTE_ACCESSED;
    stub_directory[SYSCALL_STUB >> 21 & 511] = machine_paddr(stub_table) | TABLE_FLAGS;
    pointers[SYSCALL_STUB >> 30 & 511] = machine_paddr(stub_directory) | TABLE_FLAGS;
    half.kernel |= PTE_USER; /* the image's own entries below stay supervisor's */
}

void page_table_init(void)
{
    const struct hal_page_table *boot = machine_direct(machine.boot_cr3 & PTE_ADDRESS);

    half.direct = boot->entry[DIRECT_SLOT];
    half.kernel = boot->entry[KERNEL_SLOT];
    if (machine.quirks & ZV_QUIRK_SYSCALL_BROKEN)
        map_syscall_stub();
}

/* ---- Tables and their records -------------------------------------------------------------- */

#define CHILD_MASK     0xfffffffull
#define USED_ONE       (1ull << 32)
#define NEXT_SHIFT     8
#define PREVIOUS_SHIFT 36

static uint64_t *entries_of(hal_paddr_t table)
{
    return machine_direct(table);
}

static unsigned shift_of(unsigned level)
{
    return 12 + 9 * (level - 1);
}

static uint64_t used(hal_paddr_t table)
{
    return frame_record(table)->owner >> 32;
}

static void add_used(hal_paddr_t table, int64_t count)
{
    frame_record(table)->owner += (uint64_t)count * USED_ONE;
}

static void link_child(hal_paddr_t parent, hal_paddr_t child)
{
    struct frame *above = frame_record(parent);
    uint64_t index = child / HAL_PAGE_SIZE, first = above->owner & CHILD_MASK;

    frame_record(child)->link = first << NEXT_SHIFT;
    if (first)
        frame_record(first * HAL_PAGE_SIZE)->link |= index << PREVIOUS_SHIFT;
    above->owner = (above->owner & ~CHILD_MASK) | index;
}

static void unlink_child(hal_paddr_t parent, hal_paddr_t child)
{
    uint64_t link = frame_record(child)->link;
    uint64_t next = link >> NEXT_SHIFT & CHILD_MASK, previous = link >> PREVIOUS_SHIFT & CHILD_MASK;
    struct frame *above = frame_record(parent), *record;

    if (next) {
        record = frame_record(next * HAL_PAGE_SIZE);
        record->link = (record->link & ~(CHILD_MASK << PREVIOUS_SHIFT)) | previous
                                                                              << PREVIOUS_SHIFT;
    }
    if (previous) {
        record = frame_record(previous * HAL_PAGE_SIZE);
        record->link = (record->link & ~(CHILD_MASK << NEXT_SHIFT)) | next << NEXT_SHIFT;
    } else {
        above->owner = (above->owner & ~CHILD_MASK) | next;
    }
}

/* Frees all tables below `table`, which itself stays as it is. */
static void free_below(hal_paddr_t table)
{
    uint64_t child = frame_record(table)->owner & CHILD_MASK, next;

    for (; child; child = next) {
        next = frame_record(child * HAL_PAGE_SIZE)->link >> NEXT_SHIFT & CHILD_MASK;
        free_below(child * HAL_PAGE_SIZE);
        frame_free_table(child * HAL_PAGE_SIZE, false);
    }
}

/* Cuts the table that *entry, an entry of `parent`, points at. */
static void remove_child(hal_paddr_t parent, uint64_t *entry)
{
    hal_paddr_t child = *entry & PTE_ADDRESS;
    bool empty = used(child) == 0;

    *entry = 0;
    add_used(parent, -1);
    unlink_child(parent, child);
    free_below(child);
    frame_free_table(child, empty);
}

/* ---- TLB ----------------------------------------------------------------------------------- */

#define FLUSH_SINGLE_MAX 32u /* more pages than that: reload CR3 */

struct flush {
    struct hal_page_table *table;
    bool active; /* otherwise the processor has nothing of this table */
    bool all;    /* a large page or a table is among what has changed, or too many pages */
    unsigned pages;
};

static struct flush flush_begin(struct hal_page_table *table)
{
    return (struct flush){.table = table, .active = cpu_this()->table == table};
}

static inline void flush_page(struct flush *flush, uint64_t address)
{
    user_forget(address);
    if (!flush->active || flush->all)
        return;
    if (++flush->pages > FLUSH_SINGLE_MAX)
        flush->all = true;
    else
        x86_invlpg(address);
}

static void flush_end(const struct flush *flush)
{
    if (!flush->all)
        return;
    user_forget_all();
    if (flush->active)
        x86_write_cr3(machine_paddr(flush->table));
}

/* ---- Mapping ------------------------------------------------------------------------------- */

static uint64_t leaf_flags(uint32_t flags)
{
    /* Accessed and dirty are of no use to us, and setting them costs the processor a write. */
    return PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY |
           (flags & HAL_MAP_WRITE ? PTE_WRITE : 0) | (flags & HAL_MAP_EXECUTE ? 0 : PTE_NX) |
           (flags & HAL_MAP_UNCACHED ? PTE_UNCACHED : 0);
}

/* Puts a table of small pages in the place of a large one; translations stay the same. */
static zx_status_t split(hal_paddr_t parent, uint64_t *entry)
{
    uint64_t large = *entry, *entries;
    hal_paddr_t table;

    if (frame_alloc_table(&table) != ZX_OK)
        return ZX_ERR_NO_MEMORY;
    entries = entries_of(table);
    for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
        entries[i] = (large & ~PTE_LARGE) + i * HAL_PAGE_SIZE;
    add_used(table, TABLE_ENTRIES);
    link_child(parent, table);
    *entry = table | TABLE_FLAGS;
    return ZX_OK;
}

/* The table of `level` that `address` belongs to, made if it is not there. */
static zx_status_t descend(struct hal_page_table *root, uint64_t address, unsigned level,
                           hal_paddr_t *out)
{
    hal_paddr_t table = machine_paddr(root), child;

    for (unsigned l = TOP_LEVEL; l > level; l--) {
        uint64_t *entry = &entries_of(table)[address >> shift_of(l) & 511];

        if (!(*entry & PTE_PRESENT)) {
            if (frame_alloc_table(&child) != ZX_OK)
                return ZX_ERR_NO_MEMORY;
            link_child(table, child);
            add_used(table, 1);
            *entry = child | TABLE_FLAGS;
        } else if (*entry & PTE_LARGE && split(table, entry) != ZX_OK) {
            return ZX_ERR_NO_MEMORY;
        }
        table = *entry & PTE_ADDRESS;
    }
    *out = table;
    return ZX_OK;
}

static zx_status_t map_large(struct flush *flush, uint64_t address, uint64_t entry)
{
    hal_paddr_t table;
    uint64_t *at;

    if (descend(flush->table, address, 2, &table) != ZX_OK)
        return ZX_ERR_NO_MEMORY;
    at = &entries_of(table)[address >> 21 & 511];
    if (*at & PTE_PRESENT) {
        flush->all = true;
        if (*at & PTE_LARGE)
            add_used(table, -1);
        else
            remove_child(table, at);
    }
    add_used(table, 1);
    *at = entry | PTE_LARGE;
    return ZX_OK;
}

/* Fills entries of one last-level table; returns how many pages that were. */
static size_t map_small(struct flush *flush, hal_paddr_t table, uint64_t address,
                        const hal_paddr_t *frames, hal_paddr_t paddr, size_t count, uint64_t bits)
{
    uint64_t first = address >> 12 & 511, *at = entries_of(table) + first;
    size_t room = TABLE_ENTRIES - first, n = count < room ? count : room, added = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t old = at[i];

        at[i] = (frames ? frames[i] : paddr + i * HAL_PAGE_SIZE) | bits;
        if (old)
            flush_page(flush, address + i * HAL_PAGE_SIZE);
        else
            added++;
    }
    add_used(table, (int64_t)added);
    return n;
}

/* The last-level table that maps `address`, or 0 if there is none. */
static hal_paddr_t find_last(const struct hal_page_table *root, uint64_t address)
{
    uint64_t entry = root->entry[address >> 39 & 511];

    if (!entry)
        return 0;
    entry = entries_of(entry & PTE_ADDRESS)[address >> 30 & 511];
    if (!entry)
        return 0;
    entry = entries_of(entry & PTE_ADDRESS)[address >> 21 & 511];
    return entry & PTE_LARGE ? 0 : entry & PTE_ADDRESS;
}

static bool in_one_table(uint64_t address, size_t count)
{
    return count <= TABLE_ENTRIES - (address >> 12 & 511);
}

static void check_range(zx_vaddr_t address, size_t count)
{
    if (address & HAL_PAGE_MASK || address < HAL_USER_BASE || address > HAL_USER_TOP ||
        count > (HAL_USER_TOP - address) / HAL_PAGE_SIZE)
        hal_panic("hal_page_table: not a range of user pages");
}

static zx_status_t map_range(struct hal_page_table *table, uint64_t address,
                             const hal_paddr_t *frames, hal_paddr_t paddr, size_t count,
                             uint64_t bits)
{
    struct flush flush = flush_begin(table);
    zx_status_t status = ZX_OK;
    hal_paddr_t last;
    size_t n;

    /* What a page fault does most of the time: a few pages in a table that is there. */
    if (count < TABLE_ENTRIES && in_one_table(address, count) &&
        (last = find_last(table, address))) {
        map_small(&flush, last, address, frames, paddr, count, bits);
        flush_end(&flush);
        return ZX_OK;
    }
    while (count > 0 && status == ZX_OK) {
        if (!frames && !((address | paddr) & (LARGE_BYTES - 1)) && count >= TABLE_ENTRIES) {
            n = TABLE_ENTRIES;
            status = map_large(&flush, address, paddr | bits);
        } else {
            status = descend(table, address, 1, &last);
            if (status != ZX_OK)
                break;
            n = map_small(&flush, last, address, frames, paddr, count, bits);
        }
        address += n * HAL_PAGE_SIZE;
        paddr += n * HAL_PAGE_SIZE;
        frames = frames ? frames + n : NULL;
        count -= n;
    }
    flush_end(&flush);
    return status;
}

zx_status_t hal_page_table_map(struct hal_page_table *table, zx_vaddr_t address, hal_paddr_t paddr,
                               size_t count, uint32_t flags)
{
    check_range(address, count);
    if (!(flags & ANY_ACCESS)) {
        hal_page_table_unmap(table, address, count);
        return ZX_OK;
    }
    return map_range(table, address, NULL, paddr, count, leaf_flags(flags));
}

zx_status_t hal_page_table_map_many(struct hal_page_table *table, zx_vaddr_t address,
                                    const hal_paddr_t *frames, size_t count, uint32_t flags)
{
    check_range(address, count);
    if (!(flags & ANY_ACCESS)) {
        hal_page_table_unmap(table, address, count);
        return ZX_OK;
    }
    return map_range(table, address, frames, 0, count, leaf_flags(flags));
}

/* ---- Unmapping ----------------------------------------------------------------------------- */

/* The addresses of one entry within [start, end). */
static inline uint64_t next_entry(uint64_t address, unsigned level, uint64_t end)
{
    uint64_t next = ((address >> shift_of(level)) + 1) << shift_of(level);

    return next < end ? next : end;
}

static void unmap_small(struct flush *flush, hal_paddr_t table, uint64_t start, uint64_t end)
{
    uint64_t *entry = &entries_of(table)[start >> 12 & 511], left = used(table), removed = 0;

    for (; start < end && removed < left; start += HAL_PAGE_SIZE, entry++) {
        if (!*entry)
            continue;
        *entry = 0;
        removed++;
        flush_page(flush, start);
    }
    add_used(table, -(int64_t)removed);
}

/*
 * A part of a large page needs a table for the rest of it. Without memory for one the whole large
 * page goes: unmapping cannot fail, and what is missing comes back by a page fault.
 */
static bool keep_rest(hal_paddr_t table, uint64_t *entry)
{
    return split(table, entry) == ZX_OK;
}

static void unmap_level(struct flush *flush, hal_paddr_t table, unsigned level, uint64_t start,
                        uint64_t end)
{
    uint64_t *entries = entries_of(table), next;

    if (level == 1) {
        unmap_small(flush, table, start, end);
        return;
    }
    for (; start < end && used(table) > 0; start = next) {
        uint64_t *entry = &entries[start >> shift_of(level) & 511];
        bool whole;

        next = next_entry(start, level, end);
        if (!*entry)
            continue;
        whole = next - start == 1ull << shift_of(level);
        if (*entry & PTE_LARGE && (whole || !keep_rest(table, entry))) {
            *entry = 0;
            add_used(table, -1);
            flush->all = true;
            continue;
        }
        if (!whole)
            unmap_level(flush, *entry & PTE_ADDRESS, level - 1, start, next);
        if (whole || used(*entry & PTE_ADDRESS) == 0) {
            remove_child(table, entry);
            flush->all = true;
        }
    }
}

void hal_page_table_unmap(struct hal_page_table *table, zx_vaddr_t address, size_t count)
{
    struct flush flush = flush_begin(table);
    hal_paddr_t last;

    check_range(address, count);
    /* A few pages in a table that keeps others: nothing above it changes. */
    if (count < TABLE_ENTRIES && in_one_table(address, count) &&
        (last = find_last(table, address)) && used(last) > count) {
        unmap_small(&flush, last, address, address + count * HAL_PAGE_SIZE);
        flush_end(&flush);
        return;
    }
    unmap_level(&flush, machine_paddr(table), TOP_LEVEL, address, address + count * HAL_PAGE_SIZE);
    flush_end(&flush);
}

/* ---- Protection and queries ---------------------------------------------------------------- */

static zx_status_t protect_level(struct flush *flush, hal_paddr_t table, unsigned level,
                                 uint64_t start, uint64_t end, uint64_t bits)
{
    uint64_t *entries = entries_of(table), next;

    for (; start < end; start = next) {
        uint64_t *entry = &entries[start >> shift_of(level) & 511];
        zx_status_t status;

        next = next_entry(start, level, end);
        if (!*entry)
            continue;
        if (level == 1 || (*entry & PTE_LARGE && next - start == LARGE_BYTES)) {
            *entry = (*entry & (PTE_ADDRESS | (level == 1 ? 0 : PTE_LARGE))) | bits;
            flush->all |= level > 1;
            flush_page(flush, start);
            continue;
        }
        if (*entry & PTE_LARGE && split(table, entry) != ZX_OK)
            return ZX_ERR_NO_MEMORY;
        status = protect_level(flush, *entry & PTE_ADDRESS, level - 1, start, next, bits);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

zx_status_t hal_page_table_protect(struct hal_page_table *table, zx_vaddr_t address, size_t count,
                                   uint32_t flags)
{
    struct flush flush = flush_begin(table);
    zx_status_t status;

    check_range(address, count);
    if (!(flags & ANY_ACCESS)) {
        hal_page_table_unmap(table, address, count);
        return ZX_OK;
    }
    status = protect_level(&flush, machine_paddr(table), TOP_LEVEL, address,
                           address + count * HAL_PAGE_SIZE, leaf_flags(flags));
    flush_end(&flush);
    return status;
}

zx_status_t hal_page_table_query(struct hal_page_table *table, zx_vaddr_t address,
                                 hal_paddr_t *paddr, uint32_t *flags)
{
    uint64_t bytes, entry = 0;

    if (address >= HAL_USER_BASE && address < HAL_USER_TOP)
        entry = page_table_walk(table, address, &bytes);
    if (!entry)
        return ZX_ERR_NOT_FOUND;
    if (paddr)
        *paddr = (entry & PTE_ADDRESS & ~(bytes - 1)) | (address & (bytes - 1) & ~HAL_PAGE_MASK);
    if (flags)
        *flags = HAL_MAP_READ | (entry & PTE_WRITE ? HAL_MAP_WRITE : 0) |
                 (entry & PTE_NX ? 0 : HAL_MAP_EXECUTE) |
                 (entry & PTE_UNCACHED ? HAL_MAP_UNCACHED : 0);
    return ZX_OK;
}

/* ---- Address spaces ------------------------------------------------------------------------ */

zx_status_t hal_page_table_create(struct hal_page_table **out)
{
    struct hal_page_table *table;
    hal_paddr_t paddr;

    if (frame_alloc_table(&paddr) != ZX_OK)
        return ZX_ERR_NO_MEMORY;
    table = machine_direct(paddr);
    table->entry[DIRECT_SLOT] = half.direct;
    table->entry[KERNEL_SLOT] = half.kernel;
    *out = table;
    return ZX_OK;
}

void hal_page_table_range(const struct hal_page_table *table, zx_vaddr_t *base, zx_vaddr_t *top)
{
    (void)table;
    *base = HAL_USER_BASE;
    *top = HAL_USER_TOP;
}

void hal_page_table_destroy(struct hal_page_table *table)
{
    if (cpu_this()->table == table)
        hal_page_table_activate(NULL);
    user_forget_all();
    free_below(machine_paddr(table));
    frame_free_table(machine_paddr(table), false);
}

void hal_page_table_activate(struct hal_page_table *table)
{
    struct cpu *cpu = cpu_this();

    if (cpu->table == table)
        return;
    cpu->table = table;
    x86_write_cr3(table ? machine_paddr(table) : machine.boot_cr3);
}
