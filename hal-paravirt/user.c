/*
 * user.c - copies between user memory and the kernel, through the page table in software. Nothing
 * here faults, `table` need not be active, and user memory is reached only through the direct map,
 * so SMAP stays on.
 */
#include "user.h"

#include "pagetable.h"
#include "pmem.h"

struct user_line user_lines[USER_LINES];

void user_forget_all(void)
{
    for (unsigned i = 0; i < USER_LINES; i++)
        user_lines[i].read_page = user_lines[i].write_page = USER_NO_PAGE;
}

/* The byte at `address` in the kernel; NULL: missing, not permitted, not RAM. */
static char *walk(const struct hal_page_table *table, uint64_t address, bool write)
{
    struct user_line *line = user_line(address);
    uint64_t entry, bytes, frame, page = address & ~HAL_PAGE_MASK;

    if (address - HAL_USER_BASE >= HAL_USER_TOP - HAL_USER_BASE)
        return NULL;
    entry = page_table_walk(table, address, &bytes);
    if (!entry || (write && !(entry & PTE_WRITE)))
        return NULL;
    frame = (entry & PTE_ADDRESS & ~(bytes - 1)) + (page & (bytes - 1));
    if (frame >= machine.boot.memory_bytes)
        return NULL;
    line->table = table;
    line->read_page = page;
    line->write_page = entry & PTE_WRITE ? page : USER_NO_PAGE;
    line->distance = (uint64_t)machine_direct(frame) - page;
    return (char *)(address + line->distance);
}

/* The byte at `address` in the kernel, if its page is remembered with the permission; or NULL. */
static inline char *recall(const struct hal_page_table *table, uint64_t address, bool write)
{
    const struct user_line *line = user_line(address);
    uint64_t page = write ? line->write_page : line->read_page;

    if (page != (address & ~HAL_PAGE_MASK) || line->table != table)
        return NULL;
    return (char *)(address + line->distance);
}

static inline size_t room_in_page(uint64_t address)
{
    return HAL_PAGE_SIZE - (address & HAL_PAGE_MASK);
}

static inline void move(char *page, char *kernel, bool write, size_t length)
{
    if (write)
        pmem_move(page, kernel, length);
    else
        pmem_move(kernel, page, length);
}

/*
 * As walk, with the bytes from there on, at most `wanted`, that follow in memory: those of the
 * pages behind it in the same table whose frames do.
 */
static char *walk_run(const struct hal_page_table *table, uint64_t address, bool write,
                      size_t wanted, size_t *length)
{
    const uint64_t needed = PTE_PRESENT | (write ? PTE_WRITE : 0), *leaf;
    char *start = walk(table, address, write);
    size_t left;

    *length = room_in_page(address) < wanted ? room_in_page(address) : wanted;
    if (!start || *length == wanted)
        return start;
    leaf = page_table_leaf(table, address);
    left = leaf ? TABLE_ENTRIES - 1 - (address / HAL_PAGE_SIZE & 511) : 0;
    for (; left && *length < wanted; left--, leaf++) {
        uint64_t next = (leaf[0] & PTE_ADDRESS) + HAL_PAGE_SIZE;

        if ((leaf[1] & (needed | PTE_ADDRESS)) != (needed | next) ||
            next >= machine.boot.memory_bytes)
            break;
        *length += HAL_PAGE_SIZE;
    }
    if (*length > wanted)
        *length = wanted;
    return start;
}

/* Run by run, looking up each. */
static __attribute__((noinline)) zx_status_t copy_pages(const struct hal_page_table *table,
                                                        uint64_t user, char *kernel, bool write,
                                                        size_t length, size_t *done)
{
    size_t at = 0, part;
    char *page;

    for (; at < length; at += part) {
        page = walk_run(table, user + at, write, length - at, &part);
        if (!page)
            break;
        move(page, kernel + at, write, part);
    }
    *done = at;
    return at == length ? ZX_OK : ZX_ERR_NOT_FOUND;
}

/*
 * `kernel` is the other side of the copy; `write` says that the user's side is written. Most copies
 * stay in one page, and in one that has been met before.
 */
static inline __attribute__((always_inline)) zx_status_t copy(const struct hal_page_table *table,
                                                              uint64_t user, char *kernel,
                                                              bool write, size_t length,
                                                              size_t *done)
{
    char *page = recall(table, user, write);

    if (!page || length > room_in_page(user))
        return copy_pages(table, user, kernel, write, length, done);
    move(page, kernel, write, length);
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
    return copy(table, to, (char *)from, true, length, done);
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
    char *page = recall(table, to, true);

    if (!page || room_in_page(to) < sizeof value)
        return ZX_ERR_NOT_FOUND;
    __builtin_memcpy(page, &value, sizeof value);
    return ZX_OK;
}

zx_status_t hal_user_read_u32(struct hal_page_table *table, zx_vaddr_t from, uint32_t *value)
{
    const char *page = recall(table, from, false);

    if (!page)
        page = walk(table, from, false);
    if (!page || room_in_page(from) < sizeof *value)
        return ZX_ERR_NOT_FOUND;
    *value = __atomic_load_n((const uint32_t *)page, __ATOMIC_SEQ_CST);
    return ZX_OK;
}
