/*
 * usercopy.c - copies between the kernel and user memory. The usual case is one call to the HAL; a
 * page that is missing is brought in and the copy goes on behind what is done.
 */
#include "usercopy.h"

#include <hal.h>
#include <zircon/errors.h>

#include "aspace.h"
#include "process.h"
#include "name.h"
#include "vmar.h"
#include "vmo.h"

/* Whether a page table permits the access already. */
static bool is_present(struct aspace *aspace, zx_vaddr_t address, bool write)
{
    uint32_t flags;

    return hal_page_table_query(aspace->table, address, NULL, &flags) == ZX_OK &&
           (!write || flags & HAL_MAP_WRITE);
}

/* A page that is there and still cannot be copied is a device's, and stays so. */
zx_status_t user_bring_in(struct aspace *aspace, zx_vaddr_t address, bool write)
{
    if (is_present(aspace, address, write))
        return ZX_ERR_NOT_SUPPORTED;
    return aspace_fault(aspace, address, write ? HAL_FAULT_WRITE : 0);
}

/* A copy that stopped goes on, behind the pages that it needs. */
static __attribute__((noinline)) zx_status_t read_on(struct aspace *aspace, char *to,
                                                     zx_vaddr_t from, size_t length)
{
    size_t done;

    while (user_bring_in(aspace, from, false) == ZX_OK) {
        if (hal_user_read(aspace->table, from, to, length, &done) == ZX_OK)
            return ZX_OK;
        from += done;
        to += done;
        length -= done;
    }
    return ZX_ERR_INVALID_ARGS;
}

static __attribute__((noinline)) zx_status_t write_on(struct aspace *aspace, zx_vaddr_t to,
                                                      const char *from, size_t length)
{
    size_t done;

    while (user_bring_in(aspace, to, true) == ZX_OK) {
        if (hal_user_write(aspace->table, to, from, length, &done) == ZX_OK)
            return ZX_OK;
        to += done;
        from += done;
        length -= done;
    }
    return ZX_ERR_INVALID_ARGS;
}

zx_status_t user_read(struct process *process, void *to, struct user_ptr from, size_t length)
{
    struct aspace *aspace = process->aspace;
    size_t done;

    if (hal_user_read(aspace->table, from.va, to, length, &done) == ZX_OK)
        return ZX_OK;
    return read_on(aspace, (char *)to + done, from.va + done, length - done);
}

zx_status_t user_write(struct process *process, struct user_ptr to, const void *from, size_t length)
{
    struct aspace *aspace = process->aspace;
    size_t done;

    if (hal_user_write(aspace->table, to.va, from, length, &done) == ZX_OK)
        return ZX_OK;
    return write_on(aspace, to.va + done, (const char *)from + done, length - done);
}

zx_status_t user_write_u32(struct process *process, struct user_ptr to, uint32_t value)
{
    if (hal_user_write_u32(process->aspace->table, to.va, value) == ZX_OK)
        return ZX_OK;
    return user_write(process, to, &value, sizeof value);
}

zx_status_t user_write_opt(struct process *process, struct user_ptr to, const void *from,
                           size_t length)
{
    return user_null(to) ? ZX_OK : user_write(process, to, from, length);
}

zx_status_t user_fault_in(struct process *process, struct user_ptr at, uint64_t length, bool write)
{
    struct aspace *aspace = process->aspace;
    zx_vaddr_t address = at.va & ~HAL_PAGE_MASK, end = at.va + length;

    while (address < end) {
        struct mapping *mapping = aspace_find_mapping(aspace, address);
        zx_status_t status = ZX_OK;

        if (!mapping)
            return ZX_OK;
        if (!(mapping->pages->flags & VMO_FROM_PAGER)) {
            address = region_end(&mapping->region);
            continue;
        }
        if (!is_present(aspace, address, write))
            status = aspace_fault(aspace, address, write ? HAL_FAULT_WRITE : 0);
        if (status == ZX_ERR_SHOULD_WAIT)
            return status;
        if (status == ZX_ERR_ACCESS_DENIED || status == ZX_ERR_OUT_OF_RANGE)
            return ZX_OK;
        if (status != ZX_OK)
            return ZX_ERR_INVALID_ARGS;
        address += HAL_PAGE_SIZE;
    }
    return ZX_OK;
}

zx_status_t user_read_u32(struct process *process, struct user_ptr from, uint32_t *value)
{
    struct aspace *aspace = process->aspace;

    if (from.va & 3)
        return ZX_ERR_INVALID_ARGS;
    while (hal_user_read_u32(aspace->table, from.va, value) != ZX_OK) {
        if (user_bring_in(aspace, from.va, false) != ZX_OK)
            return ZX_ERR_INVALID_ARGS;
    }
    return ZX_OK;
}

zx_status_t user_read_name(struct process *process, char name[ZX_MAX_NAME_LEN],
                           struct user_ptr from, size_t length)
{
    char text[ZX_MAX_NAME_LEN];

    if (length > ZX_MAX_NAME_LEN - 1)
        length = ZX_MAX_NAME_LEN - 1;
    if (user_read(process, text, from, length) != ZX_OK)
        return ZX_ERR_INVALID_ARGS;
    name_set(name, ZX_MAX_NAME_LEN, text, length);
    return ZX_OK;
}
