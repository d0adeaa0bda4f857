/*
 * user.c - copies between user memory and the kernel, through the page table in software and the
 * kernel's own mapping of physical memory: nothing here faults, and `table` need not be active.
 * Frames that follow each other are copied at once.
 */
#include <hal.h>

#include <string.h>

#include <zircon/errors.h>

#include "pagetable.h"

/*
 * Where `address` is in the kernel's mapping; NULL: missing, not permitted. *room: bytes from there
 * on, at least up to `wanted` if the frames behind allow it.
 */
static inline char *resolve(struct hal_page_table *table, uint64_t address, bool write,
                            size_t wanted, size_t *room)
{
    uint64_t needed = write ? HAL_MAP_READ | HAL_MAP_WRITE : HAL_MAP_READ;
    uint64_t first = page_table_entry(table, address), offset = address & HAL_PAGE_MASK;
    size_t bytes = HAL_PAGE_SIZE - offset;

    if ((first & needed) != needed || (first & PTE_ADDRESS) >= machine.config->memory_bytes)
        return NULL;
    for (uint64_t next = HAL_PAGE_SIZE; bytes < wanted; next += HAL_PAGE_SIZE) {
        uint64_t entry = page_table_entry(table, address + next);

        if ((entry & needed) != needed || (entry & PTE_ADDRESS) != (first & PTE_ADDRESS) + next)
            break;
        bytes += HAL_PAGE_SIZE;
    }
    *room = bytes;
    return machine_direct((first & PTE_ADDRESS) + offset);
}

/* `kernel` is the other side of the copy; `write` says that the user's side is written. */
static inline zx_status_t copy(struct hal_page_table *table, uint64_t user, char *kernel,
                               bool write, size_t length, size_t *done)
{
    size_t at = 0, room, part;

    while (at < length) {
        char *page = resolve(table, user + at, write, length - at, &room);

        if (!page) {
            *done = at;
            return ZX_ERR_NOT_FOUND;
        }
        part = length - at < room ? length - at : room;
        /* One frame may be on both sides: a VMO read into a mapping of itself. */
        if (write)
            memmove(page, kernel + at, part);
        else
            memmove(kernel + at, page, part);
        at += part;
    }
    *done = length;
    return ZX_OK;
}

zx_status_t hal_user_read(struct hal_page_table *table, zx_vaddr_t from, void *to, size_t length,
                          size_t *done)
{
    return copy(table, from, to, false, length, done);
}

zx_status_t hal_user_write(struct hal_page_table *table, zx_vaddr_t to, const void *from,
                           size_t length, size_t *done)
{
    return copy(table, to, (char *)(uintptr_t)from, true, length, done);
}

zx_status_t hal_user_to_pmem(struct hal_page_table *table, zx_vaddr_t from, hal_paddr_t to,
                             size_t length, size_t *done)
{
    return copy(table, from, machine_direct(to), false, length, done);
}

zx_status_t hal_pmem_to_user(struct hal_page_table *table, zx_vaddr_t to, hal_paddr_t from,
                             size_t length, size_t *done)
{
    return copy(table, to, machine_direct(from), true, length, done);
}

zx_status_t hal_user_write_u32(struct hal_page_table *table, zx_vaddr_t to, uint32_t value)
{
    size_t room;
    char *page = resolve(table, to, true, 0, &room);

    if (!page || room < sizeof value)
        return ZX_ERR_NOT_FOUND;
    memcpy(page, &value, sizeof value);
    return ZX_OK;
}

zx_status_t hal_user_read_u32(struct hal_page_table *table, zx_vaddr_t from, uint32_t *value)
{
    size_t room;
    const char *page = resolve(table, from, false, 0, &room);

    if (!page || room < sizeof *value)
        return ZX_ERR_NOT_FOUND;
    *value = __atomic_load_n((const uint32_t *)page, __ATOMIC_SEQ_CST);
    return ZX_OK;
}
