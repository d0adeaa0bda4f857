/*
 * mirror.c - the host's address space as a cache of the page tables; see mirror.h.
 *
 * What is not shown is reserved (inaccessible anonymous memory), so that the host puts nothing of
 * its own there. The zero frame is shown as the host's zero page: neighbours merge into one of the
 * host's mappings, which pages of the memory file would not.
 */
#include "mirror.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <zircon/errors.h>

#include "cpu.h"
#include "park.h"

struct slice {
    struct hal_page_table *owner; /* whose pages are shown; NULL: nothing is */
    unsigned users;
    bool reserved, unusable;
};

static struct slice slices[SLICES];

static uint64_t slice_base(unsigned slice)
{
    return SLICE_BASE + slice * SLICE_BYTES;
}

/* ---- Host mappings --------------------------------------------------------------------------- */

static int reserve(uint64_t start, uint64_t bytes, int fixed)
{
    void *at = mmap((void *)start, bytes, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);

    return at == (void *)start ? 0 : -1;
}

/* Unmapping a whole slice splits none of the host's mappings, so it works at their limit, too. */
static void empty_slice(unsigned slice)
{
    struct hal_page_table *owner = slices[slice].owner;

    if (munmap((void *)slice_base(slice), SLICE_USABLE) != 0 ||
        reserve(slice_base(slice), SLICE_USABLE, MAP_FIXED_NOREPLACE) != 0)
        machine_fail("cannot unmap user memory: %s", strerror(errno));
    if (owner)
        owner->epoch++;
}

/* The host's limit of mappings (vm.max_map_count) is reached: start again with few. */
static void empty_all(void)
{
    machine_remark("the host's limit of memory mappings is reached; dropping all user mappings");
    for (unsigned i = 0; i < SLICES; i++)
        if (slices[i].owner)
            empty_slice(i);
}

static int protection(uint64_t flags)
{
    return PROT_READ | (flags & HAL_MAP_WRITE ? PROT_WRITE : 0) |
           (flags & HAL_MAP_EXECUTE ? PROT_EXEC : 0);
}

static bool is_zero_page(uint64_t entry)
{
    return (entry & PTE_ADDRESS) == hal_frame_zero();
}

static int show(uint64_t address, uint64_t entry, unsigned pages)
{
    size_t bytes = pages * HAL_PAGE_SIZE;
    int prot = protection(entry);
    void *at;

    if (park_find(entry & PTE_ADDRESS, entry & PTE_FLAGS, pages) == pages &&
        park_take(address, entry & PTE_ADDRESS, pages, entry & PTE_FLAGS))
        return 0;
    if (is_zero_page(entry))
        at = mmap((void *)address, bytes, prot & ~PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED | MAP_POPULATE, -1, 0);
    else
        at = mmap((void *)address, bytes, prot, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
                  machine.memory_fd, (off_t)(entry & PTE_ADDRESS));
    return at == MAP_FAILED ? -1 : 0;
}

/* ---- Entries --------------------------------------------------------------------------------- */

static uint64_t *record_of(const uint64_t *entries)
{
    return &frame_record(machine_paddr(entries))->owner;
}

bool mirror_knows(const struct hal_page_table *table, const uint64_t *entries)
{
    return *record_of(entries) >> RECORD_EPOCH_SHIFT == table->epoch;
}

/* Makes the PTE_MIRRORED bits of a last-level table valid. */
static void catch_up(const struct hal_page_table *table, uint64_t *entries)
{
    uint64_t *record = record_of(entries);

    if (mirror_knows(table, entries))
        return;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        entries[i] &= ~PTE_MIRRORED;
    *record = (*record & RECORD_USED_MASK) | (uint64_t)table->epoch << RECORD_EPOCH_SHIFT;
}

/* Whether `next` belongs into the same host mapping as `entry`, `distance` pages before it. */
static bool follows(uint64_t entry, uint64_t next, uint64_t distance)
{
    if (!next || next & PTE_MIRRORED || (next ^ entry) & PTE_FLAGS)
        return false;
    if (is_zero_page(entry))
        return is_zero_page(next);
    return (next & PTE_ADDRESS) == (entry & PTE_ADDRESS) + distance * HAL_PAGE_SIZE;
}

/* How many entries from `index` on, below `limit`, follow each other in memory. */
static unsigned run_length(const uint64_t *entries, unsigned index, unsigned limit)
{
    unsigned count = 1;

    while (index + count < limit && follows(entries[index], entries[index + count], count))
        count++;
    return count;
}

/* Shows `count` entries, which follow each other, of the last-level table for `region`. */
static void show_run(struct hal_page_table *table, uint64_t region, uint64_t *entries,
                     unsigned index, unsigned count)
{
    uint64_t entry = entries[index] & ~PTE_MIRRORED;

    if (show(region + index * HAL_PAGE_SIZE, entry, count) != 0) {
        empty_all();
        catch_up(table, entries);
        if (show(region + index * HAL_PAGE_SIZE, entry, count) != 0)
            machine_fail("cannot map user memory: %s", strerror(errno));
    }
    for (unsigned i = 0; i < count; i++)
        entries[index + i] |= PTE_MIRRORED;
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static bool permitted(uint64_t entry, uint32_t access)
{
    return entry && (!(access & HAL_FAULT_WRITE) || entry & HAL_MAP_WRITE) &&
           (!(access & HAL_FAULT_EXECUTE) || entry & HAL_MAP_EXECUTE);
}

/*
 * A fault costs as much as showing fifty pages. Runs up to that length are shown as a whole, and so
 * is what is parked; of longer ones the more, the longer they have been used from end to end. The
 * page of zeros is read here and there, if at all.
 */
#define SHORT_RUN    64u
#define FIRST_WINDOW 8u
#define ZERO_WINDOW  2u

/* How many pages to show of a run of `length` that begins at `address`; the one that is wanted is
 * `before` pages behind. */
static unsigned choose_window(struct hal_page_table *table, uint64_t address, uint64_t entry,
                              unsigned before, unsigned length)
{
    bool zero = is_zero_page(entry);
    size_t parked = park_find(entry & PTE_ADDRESS, entry & PTE_FLAGS, length);

    if (address == table->shown_end && table->window < TABLE_ENTRIES)
        table->window *= 4;
    else if (address != table->shown_end)
        table->window = zero ? ZERO_WINDOW : FIRST_WINDOW;
    if (parked > before)
        return (unsigned)parked;
    if ((length <= SHORT_RUN && !zero) || length <= table->window)
        return length;
    return before < table->window ? table->window : before + 1;
}

bool mirror_fault(struct hal_page_table *table, uint64_t address, uint32_t access)
{
    uint64_t region = address & ~(REGION_BYTES - 1), *entries;
    unsigned index = page_table_index(address), first = index, count;

    if (!table || !permitted(page_table_entry(table, address), access))
        return false;
    entries = page_table_find(table, address);
    catch_up(table, entries);
    /* What stands before the page and leads up to it is shown with it. */
    while (first % FIRST_WINDOW > 0 && !(entries[index] & PTE_MIRRORED) && entries[first - 1] &&
           !(entries[first - 1] & PTE_MIRRORED) && follows(entries[first - 1], entries[first], 1))
        first--;
    count = choose_window(table, region + first * HAL_PAGE_SIZE, entries[first] & ~PTE_MIRRORED,
                          index - first, run_length(entries, first, TABLE_ENTRIES));
    show_run(table, region, entries, first, count);
    table->shown_end = region + (first + count) * HAL_PAGE_SIZE;
    return true;
}

/* ---- Changes --------------------------------------------------------------------------------- */

/* Whether `entry` at `address` belongs to the run. */
static bool continues(const struct mirror_run *run, uint64_t address, uint64_t entry)
{
    return address == run->start + run->pages * HAL_PAGE_SIZE &&
           follows(run->first, entry, run->pages);
}

void mirror_range_add(struct mirror_range *range, uint64_t address, uint64_t entry)
{
    struct mirror_run *last = range->num_runs > 0 ? &range->runs[range->num_runs - 1] : NULL;

    entry &= ~PTE_MIRRORED;
    if (range->start == range->end)
        range->start = address;
    if (last && continues(last, address, entry))
        last->pages++;
    else if (range->num_runs < MIRROR_RUNS)
        range->runs[range->num_runs++] =
            (struct mirror_run){.start = address, .first = entry, .pages = 1};
    range->end = address + HAL_PAGE_SIZE;
}

/* Moves what is worth it aside. */
static void park_range(const struct mirror_range *range)
{
    for (unsigned i = 0; i < range->num_runs; i++) {
        const struct mirror_run *run = &range->runs[i];

        if (!is_zero_page(run->first))
            park_put(run->start, run->first & PTE_ADDRESS, run->pages, run->first & PTE_FLAGS);
    }
}

/* The tables' epochs say whether anything is shown: one that owns no slice has lost them all. */
void mirror_drop(struct hal_page_table *table, const struct mirror_range *range)
{
    park_range(range);
    if (reserve(range->start, range->end - range->start, MAP_FIXED) != 0)
        empty_slice(table->slice); /* splitting a mapping would exceed the host's limit */
}

void mirror_replace(struct hal_page_table *table, const struct mirror_range *range)
{
    for (uint64_t at = range->start, pages; at < range->end; at += pages * HAL_PAGE_SIZE) {
        uint64_t region = at & ~(REGION_BYTES - 1), *entries = page_table_find(table, at);
        unsigned index = page_table_index(at);
        uint64_t left = (range->end - region) / HAL_PAGE_SIZE;

        catch_up(table, entries);
        pages = 1;
        if (entries[index] & PTE_MIRRORED)
            continue;
        pages = run_length(entries, index, left < TABLE_ENTRIES ? (unsigned)left : TABLE_ENTRIES);
        show_run(table, region, entries, index, (unsigned)pages);
    }
}

void mirror_protect(struct hal_page_table *table, const struct mirror_range *range)
{
    uint64_t run = 0, flags = 0;

    for (uint64_t at = range->start; at <= range->end; at += HAL_PAGE_SIZE) {
        uint64_t *entries = at < range->end ? page_table_find(table, at) : NULL;
        uint64_t entry =
            entries && mirror_knows(table, entries) ? entries[page_table_index(at)] : 0;
        bool shown = entry & PTE_MIRRORED;

        if (run && (!shown || (entry & PTE_FLAGS) != flags)) {
            if (mprotect((void *)run, at - run, protection(flags)) != 0) {
                empty_slice(table->slice);
                return;
            }
            run = 0;
        }
        if (shown && !run) {
            run = at;
            flags = entry & PTE_FLAGS;
        }
    }
}

/* ---- Slices ---------------------------------------------------------------------------------- */

/* The free slice with the lowest number, or the one with the fewest users; SLICES: none at all. */
static unsigned choose(void)
{
    unsigned best = SLICES;

    for (unsigned i = 0; i < SLICES; i++) {
        struct slice *slice = &slices[i];

        if (slice->unusable)
            continue;
        if (best != SLICES && slice->users >= slices[best].users)
            continue;
        if (!slice->reserved) {
            /* Something of the host's may be there already, or a limit on address space hit. */
            if (reserve(slice_base(i), SLICE_USABLE, MAP_FIXED_NOREPLACE) != 0) {
                slice->unusable = true;
                continue;
            }
            slice->reserved = true;
        }
        if (slice->users == 0)
            return i;
        best = i;
    }
    return best;
}

zx_status_t mirror_attach(struct hal_page_table *table)
{
    unsigned slice = choose();

    if (slice == SLICES)
        return ZX_ERR_NO_MEMORY;
    slices[slice].users++;
    table->slice = slice;
    table->base = slice_base(slice);
    table->epoch = 1; /* last-level tables start with 0: nothing is known to be shown */
    return ZX_OK;
}

void mirror_detach(struct hal_page_table *table)
{
    struct slice *slice = &slices[table->slice];

    slice->users--;
    if (slice->owner != table)
        return;
    empty_slice(table->slice);
    slice->owner = NULL;
}

void mirror_claim(struct hal_page_table *table)
{
    struct slice *slice = &slices[table->slice];

    if (slice->owner == table)
        return;
    if (slice->owner)
        empty_slice(table->slice);
    slice->owner = table;
}
