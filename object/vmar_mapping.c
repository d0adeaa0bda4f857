/*
 * vmar_mapping.c - mappings: a VMO's pages at an address, and the page-table entries made for them.
 */
#include "vmar.h"

#include <zircon/errors.h>

#include "aspace.h"
#include "heap.h"
#include "vmo.h"

uint32_t mapping_hal_flags(const struct mapping *mapping, bool writable)
{
    uint32_t flags = 0;

    if (mapping->perms & ZX_VM_PERM_READ)
        flags |= HAL_MAP_READ;
    if (mapping->perms & ZX_VM_PERM_WRITE && writable)
        flags |= HAL_MAP_WRITE;
    if (mapping->perms & ZX_VM_PERM_EXECUTE)
        flags |= HAL_MAP_EXECUTE;
    if (mapping->pages->cache_policy != ZX_CACHE_POLICY_CACHED)
        flags |= HAL_MAP_UNCACHED;
    return flags;
}

struct mapping *mapping_new(struct aspace *aspace, struct vmo *vmo, uint64_t vmo_offset,
                            uint64_t size, uint32_t perms, uint32_t can_map)
{
    struct mapping *mapping = heap_zalloc(sizeof *mapping);

    if (!mapping)
        return NULL;
    mapping->region.size = size;
    mapping->region.is_mapping = true;
    mapping->aspace = aspace;
    mapping->vmo = vmo;
    mapping->offset = vmo_offset;
    mapping->pages = vmo_resolve(vmo, &mapping->offset);
    mapping->limit = vmo->flags & VMO_SLICE ? vmo->base_offset + vmo->size : UINT64_MAX;
    mapping->perms = perms;
    mapping->can_map = can_map;
    object_ref(OBJECT(vmo));
    return mapping;
}

void mapping_free(struct mapping *mapping)
{
    if (!mapping)
        return;
    object_release(OBJECT(mapping->vmo));
    heap_free(mapping);
}

void mapping_attach(struct mapping *mapping, struct vmar *vmar, zx_vaddr_t base)
{
    mapping->region.base = base;
    mapping->region.parent = vmar;
    vmar_insert_region(vmar, &mapping->region);
    LIST_INSERT_HEAD(&mapping->pages->mappings, mapping, vmo_link);
    mapping->vmo->mapping_count++;
    mapping->aspace->mapped_pages += mapping->region.size / HAL_PAGE_SIZE;
    if (mapping->pages->flags & VMO_FROM_PAGER)
        mapping->aspace->paged_mappings++;
    aspace_set_call_base(mapping->aspace);
}

void mapping_detach(struct mapping *mapping)
{
    struct aspace *aspace = mapping->aspace;

    if (aspace->last == mapping)
        aspace->last = NULL;
    vmar_remove_region(mapping->region.parent, &mapping->region);
    LIST_REMOVE(mapping, vmo_link);
    mapping->vmo->mapping_count--;
    aspace->mapped_pages -= mapping->region.size / HAL_PAGE_SIZE;
    if (mapping->pages->flags & VMO_FROM_PAGER)
        aspace->paged_mappings--;
    aspace_set_call_base(aspace);
    mapping_free(mapping);
}

struct mapping *mapping_new_rest(const struct mapping *mapping)
{
    return mapping_new(mapping->aspace, mapping->vmo, 0, 0, mapping->perms, mapping->can_map);
}

void mapping_split(struct mapping *mapping, zx_vaddr_t address, struct mapping *rest)
{
    uint64_t kept = address - mapping->region.base;

    rest->offset = mapping->offset + kept;
    rest->region.size = mapping->region.size - kept;
    rest->wrote = mapping->wrote;
    mapping->region.size = kept;
    mapping->aspace->mapped_pages -= rest->region.size / HAL_PAGE_SIZE;
    mapping_attach(rest, mapping->region.parent, address);
}

void mapping_set_perms(struct mapping *mapping, uint32_t perms)
{
    struct hal_page_table *table = mapping->aspace->table;
    size_t count = mapping->region.size / HAL_PAGE_SIZE;
    uint32_t old = mapping->perms;

    mapping->perms = perms;
    /* A page may be writable only if nobody shares it: writing finds out, one fault at a time. */
    if (perms == (old | ZX_VM_PERM_WRITE))
        return;
    if (!(perms & ZX_VM_PERM_READ) ||
        hal_page_table_protect(table, mapping->region.base, count,
                               mapping_hal_flags(mapping, false)) != ZX_OK)
        hal_page_table_unmap(table, mapping->region.base, count);
    mapping->wrote = false;
}

/* Enters `count` pages from `address` on, all of which may be written or none. */
static zx_status_t enter_pages(struct mapping *mapping, zx_vaddr_t address,
                               const hal_paddr_t *frames, size_t count, bool writable)
{
    if (writable)
        mapping->wrote = true;
    return hal_page_table_map_many(mapping->aspace->table, address, frames, count,
                                   mapping_hal_flags(mapping, writable));
}

/* Enters what is there of `count` slots of one node, in as few calls of the HAL as possible. */
static zx_status_t enter_slots(struct mapping *mapping, zx_vaddr_t address, const uint64_t *slots,
                               uint64_t count, bool may_write)
{
    hal_paddr_t frames[PAGE_TREE_FAN];
    bool writable = false;
    size_t n = 0;

    for (uint64_t i = 0; i < count; i++) {
        bool present = slot_present(slots[i]);
        bool alone = present && may_write && !page_shared(slot_frame(slots[i]));

        if (n && (!present || alone != writable)) {
            zx_status_t status =
                enter_pages(mapping, address + (i - n) * HAL_PAGE_SIZE, frames, n, writable);

            if (status != ZX_OK)
                return status;
            n = 0;
        }
        if (present)
            frames[n++] = slot_frame(slots[i]);
        writable = alone;
    }
    if (n == 0)
        return ZX_OK;
    return enter_pages(mapping, address + (count - n) * HAL_PAGE_SIZE, frames, n, writable);
}

static zx_status_t populate_physical(struct mapping *mapping, zx_vaddr_t address, uint64_t count)
{
    struct vmo *vmo = mapping->pages;
    uint64_t offset = mapping->offset + (address - mapping->region.base);
    uint64_t limit = mapping_limit(mapping, vmo->size);
    bool writable = mapping->perms & ZX_VM_PERM_WRITE;

    if (offset >= limit)
        return ZX_OK;
    if (count > (limit - offset) / HAL_PAGE_SIZE)
        count = (limit - offset) / HAL_PAGE_SIZE;
    return hal_page_table_map(mapping->aspace->table, address, vmo->paddr + offset, (size_t)count,
                              mapping_hal_flags(mapping, writable));
}

zx_status_t mapping_populate(struct mapping *mapping, zx_vaddr_t address, uint64_t count)
{
    struct vmo *vmo = mapping->pages;
    uint64_t index = (mapping->offset + (address - mapping->region.base)) / HAL_PAGE_SIZE;
    uint64_t end = index + count;
    bool may_write = mapping->perms & ZX_VM_PERM_WRITE && !vmo_pushes_on_write(vmo);
    zx_status_t status = ZX_OK;

    if (vmo->flags & VMO_PHYSICAL)
        return populate_physical(mapping, address, count);
    if (end > mapping->limit / HAL_PAGE_SIZE)
        end = mapping->limit / HAL_PAGE_SIZE;
    while (status == ZX_OK && index < end) {
        struct page_spot spot;
        uint64_t run;

        page_tree_find(&vmo->pages, index, &spot);
        run = spot.run < end - index ? spot.run : end - index;
        if (spot.slot)
            status = enter_slots(mapping, address, spot.slot, run, may_write && spot.exclusive);
        index += run;
        address += run * HAL_PAGE_SIZE;
    }
    return status;
}
