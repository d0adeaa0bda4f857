/*
 * aspace.c - address spaces: their making, their end, and page faults. Queries are in
 * aspace_info.c.
 */
#include "aspace.h"

#include <zircon/errors.h>

#include "executor.h"
#include "heap.h"
#include "vmar.h"
#include "vmo.h"

zx_status_t aspace_create(struct aspace **out)
{
    struct aspace *aspace = heap_zalloc(sizeof *aspace);
    zx_status_t status;

    if (!aspace)
        return ZX_ERR_NO_MEMORY;
    status = hal_page_table_create(&aspace->table);
    if (status == ZX_OK) {
        status = vmar_create_root(aspace, &aspace->root);
        if (status == ZX_OK) {
            *out = aspace;
            return ZX_OK;
        }
        hal_page_table_destroy(aspace->table);
    }
    heap_free(aspace);
    return status;
}

void aspace_destroy(struct aspace *aspace)
{
    if (aspace->root->aspace)
        vmar_kill(aspace->root);
    hal_page_table_destroy(aspace->table);
    object_release(OBJECT(aspace->root));
    heap_free(aspace);
}

/* ---- Faults -------------------------------------------------------------------------------- */

static bool permitted(const struct mapping *mapping, uint32_t access)
{
    uint32_t needed = ZX_VM_PERM_READ;

    if (access & HAL_FAULT_WRITE)
        needed = ZX_VM_PERM_WRITE;
    else if (access & HAL_FAULT_EXECUTE)
        needed = ZX_VM_PERM_EXECUTE;
    return mapping->perms & needed;
}

#define AROUND_DEVICE 512u /* pages of a device mapped by one fault: a large page's worth */
#define AROUND_ALIGN  16u  /* a fault's other pages begin at a multiple of it in the VMO */

/* How many of `count` pages from `address` on are in `mapping`. */
static uint64_t pages_ahead(const struct mapping *mapping, zx_vaddr_t address, uint64_t count)
{
    uint64_t left = (region_end(&mapping->region) - address) / HAL_PAGE_SIZE;

    return left < count ? left : count;
}

/* Maps the page at `address`, which is there, and those neighbours that are: of `count` pages that
 * begin `back` pages before it. */
static zx_status_t map_around(struct mapping *mapping, zx_vaddr_t address, uint64_t back,
                              uint64_t count)
{
    uint64_t before = (address - mapping->region.base) / HAL_PAGE_SIZE;
    zx_status_t status;

    if (before > back)
        before = back;
    count = before + pages_ahead(mapping, address, count - back);
    status = mapping_populate(mapping, address - before * HAL_PAGE_SIZE, count);
    if (status == ZX_OK || count == 1)
        return status;
    return mapping_populate(mapping, address, 1); /* the neighbours are not worth failing for */
}

/* Nothing is at `address`, nor behind it for `run` pages: shows zeros. */
static zx_status_t map_zeros(struct mapping *mapping, zx_vaddr_t address, uint64_t run)
{
    struct vmo *vmo = mapping->pages;
    uint64_t offset = mapping->offset + (address - mapping->region.base);
    uint64_t limit = mapping_limit(mapping, vmo->size);
    uint64_t count = pages_ahead(mapping, address, kernel()->boot->fault_around);
    hal_paddr_t frames[HAL_FAULT_AROUND_MAX];

    if (count > run)
        count = run;
    if (count > (limit - offset) / HAL_PAGE_SIZE)
        count = (limit - offset) / HAL_PAGE_SIZE;
    for (uint64_t i = 0; i < count; i++)
        frames[i] = hal_frame_zero();
    return hal_page_table_map_many(mapping->aspace->table, address, frames, (size_t)count,
                                   mapping_hal_flags(mapping, false));
}

/* The page has to be made, or asked for. */
static zx_status_t map_one(struct mapping *mapping, zx_vaddr_t address, uint64_t index, bool write)
{
    hal_paddr_t frame;
    bool writable;
    zx_status_t status = vmo_fault_page(mapping->pages, index, write, mapping, &frame, &writable);

    if (status != ZX_OK)
        return status;
    if (writable && mapping->perms & ZX_VM_PERM_WRITE)
        mapping->wrote = true;
    return hal_page_table_map(mapping->aspace->table, address, frame, 1,
                              mapping_hal_flags(mapping, writable));
}

zx_status_t aspace_fault(struct aspace *aspace, zx_vaddr_t address, uint32_t access)
{
    struct mapping *mapping = aspace->last;
    bool write = access & HAL_FAULT_WRITE;
    struct page_spot spot;
    struct vmo *vmo;
    uint64_t index;

    if (!mapping || address - mapping->region.base >= mapping->region.size) {
        mapping = aspace_find_mapping(aspace, address);
        if (!mapping)
            return ZX_ERR_NOT_FOUND;
        aspace->last = mapping;
    }
    if (!permitted(mapping, access))
        return ZX_ERR_ACCESS_DENIED;
    address &= ~HAL_PAGE_MASK;
    vmo = mapping->pages;
    index = (mapping->offset + (address - mapping->region.base)) / HAL_PAGE_SIZE;
    if (index >= mapping_limit(mapping, vmo->size) / HAL_PAGE_SIZE)
        return ZX_ERR_OUT_OF_RANGE;
    if (vmo->flags & VMO_PHYSICAL)
        return map_around(mapping, address, address / HAL_PAGE_SIZE % AROUND_DEVICE, AROUND_DEVICE);
    page_tree_find(&vmo->pages, index, &spot);
    if (spot.slot && slot_present(*spot.slot)) {
        if (!write ||
            (spot.exclusive && !page_shared(slot_frame(*spot.slot)) && !vmo_pushes_on_write(vmo)))
            return map_around(mapping, address, index % AROUND_ALIGN, kernel()->boot->fault_around);
    } else if (!write && !spot.slot && !vmo->pager && !(vmo->flags & VMO_LOOKS_THROUGH)) {
        return map_zeros(mapping, address, spot.run);
    }
    return map_one(mapping, address, index, write);
}
