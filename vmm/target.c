/* target.c - physical and virtual addresses of a stopped machine. */
#include "target.h"

#include <string.h>

#define ENTRY_PRESENT 1ull
#define ENTRY_USER    4ull
#define ENTRY_LARGE   0x80ull
#define ENTRY_ADDRESS 0x000ffffffffff000ull

const void *target_physical(const struct target *target, gpa_t at, uint64_t length)
{
    if (length > target->memory_bytes || at.value > target->memory_bytes - length)
        return NULL;
    return target->memory + at.value;
}

static bool is_canonical(uint64_t address)
{
    uint64_t high = address >> 47;
    return high == 0 || high == 0x1ffff;
}

/* Four levels; an entry with the size bit at level 3 or 2 maps 1 GiB or 2 MiB. */
int target_translate(const struct target *target, uint64_t cr3, uint64_t address, gpa_t *at,
                     bool *user)
{
    uint64_t table = cr3 & ENTRY_ADDRESS;
    bool reachable = true;
    if (!is_canonical(address))
        return -1;
    for (unsigned shift = 39;; shift -= 9) {
        uint64_t entry;
        const uint8_t *page = target_physical(target, gpa(table), PAGE_BYTES);
        if (page == NULL)
            return -1;
        memcpy(&entry, page + (address >> shift & 511) * sizeof(entry), sizeof(entry));
        if ((entry & ENTRY_PRESENT) == 0)
            return -1;
        reachable = reachable && (entry & ENTRY_USER) != 0;
        if (shift == 12 || (shift < 39 && (entry & ENTRY_LARGE) != 0)) {
            uint64_t offset = (1ull << shift) - 1;
            *at = gpa((entry & ENTRY_ADDRESS & ~offset) | (address & offset));
            if (user != NULL)
                *user = reachable;
            return 0;
        }
        table = entry & ENTRY_ADDRESS;
    }
}

uint64_t target_read(const struct target *target, uint64_t cr3, uint64_t address, void *buffer,
                     uint64_t length)
{
    uint64_t done = 0;
    while (done < length) {
        gpa_t at;
        uint64_t from = address + done;
        uint64_t piece = PAGE_BYTES - from % PAGE_BYTES;
        if (piece > length - done)
            piece = length - done;
        if (from < address || target_translate(target, cr3, from, &at, NULL) != 0)
            break;
        const void *source = target_physical(target, at, piece);
        if (source == NULL)
            break;
        memcpy((uint8_t *)buffer + done, source, piece);
        done += piece;
    }
    return done;
}

uint64_t target_read_kernel(const struct target *target, uint64_t address, void *buffer,
                            uint64_t length)
{
    return target_read(target, target->sregs.cr3, address, buffer, length);
}
