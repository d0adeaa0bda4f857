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

/* Consecutive pages that go into the page table with the same flags in one call. */
struct batch {
    struct mapping *mapping;
    zx_vaddr_t address;
    size_t count;
    bool writable;
    hal_paddr_t frames[PAGE_TREE_FAN];
};

static zx_status_t batch_flush(struct batch *batch)
{
    struct mapping *mapping = batch->mapping;
    size_t count = batch->count;

    if (count == 0)
        return ZX_OK;
    batch->count = 0;
    if (batch->writable)
        mapping->wrote = true;
    return hal_page_table_map_many(mapping->aspace->table, batch->address, batch->frames, count,
                                   mapping_hal_flags(mapping, batch->writable));
}

static zx_status_t batch_add(struct batch *batch, zx_vaddr_t address, hal_paddr_t frame,
                             bool writable)
{
    zx_status_t status = ZX_OK;

    if (batch->count && (batch->writable != writable || batch->count == PAGE_TREE_FAN ||
                         address != batch->address + batch->count * HAL_PAGE_SIZE))
        status = batch_flush(batch);
    if (batch->count == 0) {
        batch->address = address;
        batch->writable = writable;
    }
    batch->frames[batch->count++] = frame;
    return status;
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
    struct batch batch;

    if (vmo->flags & VMO_PHYSICAL)
        return populate_physical(mapping, address, count);
    if (end > mapping->limit / HAL_PAGE_SIZE)
        end = mapping->limit / HAL_PAGE_SIZE;
    batch.mapping = mapping; /* frames are written before they are read */
    batch.count = 0;
    while (index < end) {
        struct page_spot spot;
        uint64_t run;

        page_tree_find(&vmo->pages, index, &spot);
        run = spot.run < end - index ? spot.run : end - index;
        for (uint64_t i = 0; spot.slot && i < run; i++) {
            hal_paddr_t frame = slot_frame(spot.slot[i]);

            if (slot_present(spot.slot[i]) &&
                batch_add(&batch, address + i * HAL_PAGE_SIZE, frame,
                          may_write && spot.exclusive && !page_shared(frame)) != ZX_OK)
                return ZX_ERR_NO_MEMORY;
        }
        index += run;
        address += run * HAL_PAGE_SIZE;
    }
    return batch_flush(&batch);
}
