/*
 * vmo_pages.c - single pages of a VMO: finding, committing and un-sharing them, pinning them, and
 * keeping page tables in step. Ranges are vmo_range.c's.
 *
 * What a mapping may show. If a page table maps page n of a VMO, the frame is the one the VMO shows
 * at n (its own, the zero frame where there is none, its source's where it looks through); and if
 * the mapping is writable, the page may be changed in place (pagetree.h, invariant 2). Every
 * function that ends such a state takes the page, or its write permission, out of the page tables
 * first.
 */
#include "vmo.h"

#include <zircon/errors.h>

#include "aspace.h"
#include "pager.h"
#include "vmar.h"

/* ---- Keeping page tables in step ----------------------------------------------------------- */

/* The part of `mapping` that shows [offset, offset+length) of its pages. False: none. */
static bool mapped_part(const struct mapping *mapping, uint64_t offset, uint64_t length,
                        zx_vaddr_t *address, size_t *count)
{
    uint64_t start = offset > mapping->offset ? offset - mapping->offset : 0;
    uint64_t end = offset + length;

    if (end < offset)
        end = UINT64_MAX;
    if (end <= mapping->offset || start >= mapping->region.size)
        return false;
    end -= mapping->offset;
    if (end > mapping->region.size)
        end = mapping->region.size;
    *address = mapping->region.base + start;
    *count = (size_t)((end - start + HAL_PAGE_MASK) / HAL_PAGE_SIZE);
    return true;
}

static void unmap_own(struct vmo *vmo, uint64_t offset, uint64_t length, struct mapping *except)
{
    struct mapping *mapping;
    zx_vaddr_t address;
    size_t count;

    LIST_FOREACH(mapping, &vmo->mappings, vmo_link) {
        if (mapping != except && mapped_part(mapping, offset, length, &address, &count))
            hal_page_table_unmap(mapping->aspace->table, address, count);
    }
}

/* The next VMO after `at` of all that look through to `top`, directly or not; top first. */
static struct vmo *next_looker(struct vmo *at, struct vmo *top)
{
    if (!LIST_EMPTY(&at->lookers))
        return LIST_FIRST(&at->lookers);
    while (at != top) {
        struct vmo *next = LIST_NEXT(at, looker_link);

        if (next)
            return next;
        at = at->source;
    }
    return NULL;
}

/* Clones that look through may have mapped pages of `vmo`; which ones is not worth knowing. */
static void unmap_lookers(struct vmo *vmo)
{
    for (struct vmo *at = next_looker(vmo, vmo); at; at = next_looker(at, vmo))
        unmap_own(at, 0, at->source_limit, NULL);
}

void vmo_unmap_range(struct vmo *vmo, uint64_t offset, uint64_t length)
{
    unmap_own(vmo, offset, length, NULL);
    if (!LIST_EMPTY(&vmo->lookers))
        unmap_lookers(vmo);
}

zx_status_t vmo_write_protect(struct vmo *vmo)
{
    struct mapping *mapping;

    LIST_FOREACH(mapping, &vmo->mappings, vmo_link) {
        zx_status_t status;

        if (!mapping->wrote)
            continue;
        status = hal_page_table_protect(mapping->aspace->table, mapping->region.base,
                                        mapping->region.size / HAL_PAGE_SIZE,
                                        mapping_hal_flags(mapping, false));
        if (status != ZX_OK)
            return status;
        mapping->wrote = false;
    }
    return ZX_OK;
}

/* ---- One page ------------------------------------------------------------------------------ */

/* Puts a new frame at `index`, where page tables may show something else until now. */
static zx_status_t put_page(struct vmo *vmo, uint64_t index, hal_paddr_t frame,
                            struct mapping *except)
{
    zx_status_t status = page_tree_set(&vmo->pages, index, frame | PAGE_PRESENT);

    if (status != ZX_OK) {
        hal_frame_free(frame);
        return status;
    }
    unmap_own(vmo, index * HAL_PAGE_SIZE, HAL_PAGE_SIZE, except);
    if (!LIST_EMPTY(&vmo->lookers))
        unmap_lookers(vmo);
    vmo_changed(vmo);
    return ZX_OK;
}

/* Gives `index` a frame of its own with the content of `from`. */
static zx_status_t put_copy(struct vmo *vmo, uint64_t index, hal_paddr_t from,
                            struct mapping *except, hal_paddr_t *frame)
{
    bool zero = from == hal_frame_zero();
    zx_status_t status = hal_frame_alloc(zero ? HAL_FRAME_ZEROED : HAL_FRAME_ANY, frame);

    if (status != ZX_OK)
        return status;
    if (!zero)
        hal_pmem_copy(*frame, from, HAL_PAGE_SIZE);
    return put_page(vmo, index, *frame, except);
}

/*
 * What a clone that looks through shows at `index`, where it has nothing of its own: the zero
 * frame, or a frame of the first VMO down the chain that has one. ZX_ERR_SHOULD_WAIT and others
 * from the pager at the end of the chain.
 */
static zx_status_t look_through(struct vmo *vmo, uint64_t index, hal_paddr_t *frame)
{
    struct page_spot spot = {.slot = NULL};

    *frame = hal_frame_zero();
    while (vmo->flags & VMO_LOOKS_THROUGH && index < vmo->source_limit / HAL_PAGE_SIZE) {
        index += vmo->base_offset / HAL_PAGE_SIZE;
        vmo = vmo->source;
        if (index >= vmo->size / HAL_PAGE_SIZE)
            return ZX_OK;
        page_tree_find(&vmo->pages, index, &spot);
        if (spot.slot && *spot.slot) {
            if (slot_present(*spot.slot))
                *frame = slot_frame(*spot.slot);
            return ZX_OK;
        }
    }
    return vmo->pager ? page_source_request(vmo, index, 1) : ZX_OK;
}

/* A contiguous VMO's page is about to change: clones that still see it take copies first. */
static zx_status_t push_to_lookers(struct vmo *vmo, uint64_t index, hal_paddr_t frame)
{
    struct vmo *clone;

    LIST_FOREACH(clone, &vmo->lookers, looker_link) {
        uint64_t first = clone->base_offset / HAL_PAGE_SIZE;
        struct page_spot spot;
        hal_paddr_t copy;
        zx_status_t status;

        if (index < first || index - first >= clone->source_limit / HAL_PAGE_SIZE)
            continue;
        page_tree_find(&clone->pages, index - first, &spot);
        if (spot.slot && *spot.slot)
            continue;
        status = put_copy(clone, index - first, frame, NULL, &copy);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

zx_status_t vmo_fault_page(struct vmo *vmo, uint64_t index, bool write, struct mapping *faulting,
                           hal_paddr_t *frame, bool *writable)
{
    struct page_spot spot;
    hal_paddr_t from;
    zx_status_t status;
    bool ignored;

    if (!writable)
        writable = &ignored;
    *writable = true;
    if (index >= vmo->size / HAL_PAGE_SIZE)
        return ZX_ERR_OUT_OF_RANGE;
    if (vmo->flags & VMO_PHYSICAL) {
        *frame = vmo->paddr + index * HAL_PAGE_SIZE;
        return ZX_OK;
    }
    page_tree_find(&vmo->pages, index, &spot);
    if (spot.slot && slot_present(*spot.slot)) {
        *frame = slot_frame(*spot.slot);
        if (vmo_pushes_on_write(vmo)) {
            *writable = write;
            return write ? push_to_lookers(vmo, index, *frame) : ZX_OK;
        }
        if (spot.exclusive && !page_shared(*frame))
            return ZX_OK;
        *writable = write;
        return write ? put_copy(vmo, index, *frame, faulting, frame) : ZX_OK;
    }
    from = hal_frame_zero();
    if (!(spot.slot && *spot.slot == PAGE_ZERO) && (vmo->flags & VMO_LOOKS_THROUGH || vmo->pager)) {
        status = look_through(vmo, index, &from);
        if (status != ZX_OK)
            return status;
    }
    *writable = write;
    if (write)
        return put_copy(vmo, index, from, faulting, frame);
    *frame = from;
    return ZX_OK;
}

zx_status_t vmo_get_page(struct vmo *vmo, uint64_t index, bool write, hal_paddr_t *frame,
                         bool *writable)
{
    return vmo_fault_page(vmo, index, write, NULL, frame, writable);
}

bool vmo_wants_frame(struct vmo *vmo, uint64_t index)
{
    struct page_spot spot;

    page_tree_find(&vmo->pages, index, &spot);
    if (spot.slot && slot_present(*spot.slot))
        return !vmo_pushes_on_write(vmo) &&
               !(spot.exclusive && !page_shared(slot_frame(*spot.slot)));
    return (spot.slot && *spot.slot == PAGE_ZERO) ||
           !(vmo->flags & VMO_LOOKS_THROUGH || vmo->pager);
}

zx_status_t vmo_replace_page(struct vmo *vmo, uint64_t index, hal_paddr_t frame)
{
    return put_page(vmo, index, frame, NULL);
}

/* ---- Pins ---------------------------------------------------------------------------------- */

static zx_status_t pin_page(struct vmo *vmo, uint64_t index, hal_paddr_t *frame)
{
    zx_status_t status = vmo_get_page(vmo, index, true, frame, NULL);

    if (status != ZX_OK)
        return status;
    if (!(vmo->flags & VMO_PHYSICAL)) {
        if (page_pins(*frame) == PAGE_PIN_MAX)
            return ZX_ERR_UNAVAILABLE;
        *hal_frame_owner(*frame) += 1ull << PAGE_PIN_SHIFT;
    }
    vmo->pinned++;
    return ZX_OK;
}

zx_status_t vmo_pin(struct vmo *vmo, uint64_t offset, uint64_t length, hal_paddr_t *frames)
{
    for (uint64_t done = 0; done < length; done += HAL_PAGE_SIZE) {
        hal_paddr_t frame;
        zx_status_t status = pin_page(vmo, (offset + done) / HAL_PAGE_SIZE, &frame);

        if (status != ZX_OK) {
            vmo_unpin(vmo, offset, done);
            return status;
        }
        if (frames)
            *frames++ = frame;
    }
    return ZX_OK;
}

void vmo_unpin(struct vmo *vmo, uint64_t offset, uint64_t length)
{
    for (uint64_t done = 0; done < length; done += HAL_PAGE_SIZE) {
        struct page_spot spot;

        vmo->pinned--;
        if (vmo->flags & VMO_PHYSICAL)
            continue;
        page_tree_find(&vmo->pages, (offset + done) / HAL_PAGE_SIZE, &spot);
        assert(spot.slot && slot_present(*spot.slot));
        *hal_frame_owner(slot_frame(*spot.slot)) -= 1ull << PAGE_PIN_SHIFT;
    }
}
