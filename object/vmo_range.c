/*
 * vmo_range.c - what is done to ranges of a VMO: commit, decommit, zero, resize (rules 157, 158).
 */
#include "vmo.h"

#include <zircon/errors.h>

#include "pager.h"

/* Cuts [offset, offset + *length) to the VMO (rules 158); a slice, whose own size it is, comes here
 * before it is resolved. */
static zx_status_t trim(const struct vmo *vmo, uint64_t offset, uint64_t *length)
{
    if (offset > vmo->size || offset + *length < offset)
        return ZX_ERR_OUT_OF_RANGE;
    if (*length > vmo->size - offset)
        *length = vmo->size - offset;
    return ZX_OK;
}

bool vmo_range_pinned(struct vmo *vmo, uint64_t offset, uint64_t length)
{
    uint64_t index = offset / HAL_PAGE_SIZE, end = (offset + length) / HAL_PAGE_SIZE;
    struct page_spot spot;

    if (vmo->pinned == 0)
        return false;
    if (vmo->flags & VMO_PHYSICAL)
        return true;
    while (index < end) {
        page_tree_find(&vmo->pages, index, &spot);
        if (!spot.slot) {
            if (spot.run >= end - index)
                break;
            index += spot.run;
            continue;
        }
        if (slot_present(*spot.slot) && page_pins(slot_frame(*spot.slot)))
            return true;
        index++;
    }
    return false;
}

/*
 * How many pages from `index` on, `most` at most, have to be asked of a pager, which is that of
 * *owner, where they begin at page *at. A clone's are those that no VMO on the way down has.
 */
static uint64_t missing_run(struct vmo *vmo, uint64_t index, uint64_t most, struct vmo **owner,
                            uint64_t *at)
{
    for (;;) {
        uint64_t limit = vmo->source_limit / HAL_PAGE_SIZE;
        struct page_spot spot;

        page_tree_find(&vmo->pages, index, &spot);
        if (spot.slot && *spot.slot)
            return 0;
        if (most > (spot.slot ? 1 : spot.run))
            most = spot.slot ? 1 : spot.run;
        if (!(vmo->flags & VMO_LOOKS_THROUGH) || index >= limit)
            break;
        if (most > limit - index)
            most = limit - index;
        index += vmo->base_offset / HAL_PAGE_SIZE;
        vmo = vmo->source;
    }
    *owner = vmo;
    *at = index;
    return vmo->pager ? most : 0;
}

/* Asks the pager for the first stretch of [index, end) that is missing, in one request. */
static zx_status_t request_missing(struct vmo *vmo, uint64_t index, uint64_t end)
{
    struct vmo *owner, *ignored;
    uint64_t at, ignored_at, more;
    uint64_t count = missing_run(vmo, index, end - index, &owner, &at);

    if (count == 0)
        return ZX_OK;
    do {
        more = missing_run(vmo, index + count, end - index - count, &ignored, &ignored_at);
        count += more;
    } while (more);
    return page_source_request(owner, at, count);
}

zx_status_t vmo_commit(struct vmo *vmo, uint64_t offset, uint64_t length)
{
    zx_status_t status;
    uint64_t end;

    if (vmo->flags & VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    status = trim(vmo, offset, &length);
    if (status != ZX_OK || length == 0)
        return status;
    vmo = vmo_resolve(vmo, &offset);
    end = (offset + length - 1) / HAL_PAGE_SIZE + 1;
    for (uint64_t i = offset / HAL_PAGE_SIZE; i < end; i++) {
        hal_paddr_t frame;

        if (vmo->flags & VMO_FROM_PAGER)
            status = request_missing(vmo, i, end);
        if (status == ZX_OK)
            status = vmo_get_page(vmo, i, true, &frame, NULL);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

zx_status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t length)
{
    struct vmo *window = vmo;
    uint64_t at = offset;
    zx_status_t status;

    vmo = vmo_resolve(vmo, &offset);
    if (vmo->flags & (VMO_PHYSICAL | VMO_CONTIGUOUS | VMO_LOOKS_THROUGH) || vmo->pager ||
        vmo->family)
        return ZX_ERR_NOT_SUPPORTED;
    if ((offset | length) & HAL_PAGE_MASK)
        return ZX_ERR_INVALID_ARGS;
    status = trim(window, at, &length);
    if (status != ZX_OK || length == 0)
        return status;
    if (vmo_range_pinned(vmo, offset, length))
        return ZX_ERR_BAD_STATE;
    vmo_unmap_range(vmo, offset, length);
    return page_tree_remove(&vmo->pages, offset / HAL_PAGE_SIZE, length / HAL_PAGE_SIZE);
}

/* Zeroes part of a page, or a page that has to stay, in place; what shows zero already stays so. */
static zx_status_t zero_part(struct vmo *vmo, uint64_t offset, uint64_t length)
{
    hal_paddr_t frame;
    zx_status_t status;

    if (length == 0)
        return ZX_OK;
    status = vmo_get_page(vmo, offset / HAL_PAGE_SIZE, false, &frame, NULL);
    if (status != ZX_OK || frame == hal_frame_zero())
        return status;
    status = vmo_get_page(vmo, offset / HAL_PAGE_SIZE, true, &frame, NULL);
    if (status == ZX_OK)
        hal_pmem_zero(frame + (offset & HAL_PAGE_MASK), length);
    return status;
}

/*
 * Makes whole pages zero one by one: frames that must stay are filled, pages of which "nothing"
 * would mean the source's are marked.
 */
static zx_status_t zero_pages_singly(struct vmo *vmo, uint64_t index, uint64_t count)
{
    uint64_t end = index + count;

    while (index < end) {
        bool marks = vmo->pager || index < vmo->source_limit / HAL_PAGE_SIZE;
        struct page_spot spot;
        zx_status_t status;

        page_tree_find(&vmo->pages, index, &spot);
        if (!spot.slot && !marks) {
            if (spot.run >= end - index)
                break;
            index += spot.run;
            continue;
        }
        if (spot.slot && slot_present(*spot.slot) &&
            (vmo->flags & VMO_CONTIGUOUS || page_pins(slot_frame(*spot.slot)))) {
            status = zero_part(vmo, index * HAL_PAGE_SIZE, HAL_PAGE_SIZE);
        } else {
            vmo_unmap_range(vmo, index * HAL_PAGE_SIZE, HAL_PAGE_SIZE);
            status = marks ? page_tree_set(&vmo->pages, index, PAGE_ZERO)
                           : page_tree_remove(&vmo->pages, index, 1);
        }
        if (status != ZX_OK)
            return status;
        index++;
    }
    return ZX_OK;
}

static zx_status_t zero_pages(struct vmo *vmo, uint64_t index, uint64_t count)
{
    if (count == 0)
        return ZX_OK;
    vmo_changed(vmo);
    if (vmo->pinned || vmo->pager || vmo->flags & (VMO_CONTIGUOUS | VMO_LOOKS_THROUGH))
        return zero_pages_singly(vmo, index, count);
    vmo_unmap_range(vmo, index * HAL_PAGE_SIZE, count * HAL_PAGE_SIZE);
    return page_tree_remove(&vmo->pages, index, count);
}

zx_status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t length)
{
    uint64_t head, tail;
    zx_status_t status;

    if (vmo->flags & VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    if (vmo->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    status = trim(vmo, offset, &length);
    if (status != ZX_OK)
        return status;
    vmo = vmo_resolve(vmo, &offset);
    head = -offset & HAL_PAGE_MASK;
    if (head > length)
        head = length;
    status = zero_part(vmo, offset, head);
    offset += head;
    length -= head;
    tail = length & HAL_PAGE_MASK;
    if (status == ZX_OK)
        status = zero_pages(vmo, offset / HAL_PAGE_SIZE, length / HAL_PAGE_SIZE);
    if (status == ZX_OK)
        status = zero_part(vmo, offset + length - tail, tail);
    return status;
}

zx_status_t vmo_op_range(struct vmo *vmo, uint32_t op, uint64_t offset, uint64_t length)
{
    switch (op) {
    case ZX_VMO_OP_COMMIT:
        return vmo_commit(vmo, offset, length);
    case ZX_VMO_OP_DECOMMIT:
        return vmo_decommit(vmo, offset, length);
    case ZX_VMO_OP_ZERO:
        return vmo_zero(vmo, offset, length);
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_INVALIDATE:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
        /* The processor keeps its caches coherent with the devices of this machine. */
        if (length == 0)
            return ZX_ERR_INVALID_ARGS;
        return offset > vmo->size || length > vmo->size - offset ? ZX_ERR_OUT_OF_RANGE : ZX_OK;
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_UNLOCK:
        return ZX_ERR_NOT_SUPPORTED;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

/* ---- Size ---------------------------------------------------------------------------------- */

static zx_status_t shrink(struct vmo *vmo, uint64_t size)
{
    struct vmo *clone;
    zx_status_t status;

    if (vmo_range_pinned(vmo, size, vmo->size - size))
        return ZX_ERR_BAD_STATE;
    vmo_unmap_range(vmo, size, vmo->size - size);
    status =
        page_tree_remove(&vmo->pages, size / HAL_PAGE_SIZE, (vmo->size - size) / HAL_PAGE_SIZE);
    if (status != ZX_OK)
        return status;
    if (vmo->source_limit > size)
        vmo->source_limit = size;
    /* What a clone saw in the part that is cut off shows zero from now on, also after growing. */
    LIST_FOREACH(clone, &vmo->lookers, looker_link) {
        uint64_t limit = size > clone->base_offset ? size - clone->base_offset : 0;

        if (clone->source_limit > limit)
            clone->source_limit = limit;
    }
    vmo->size = size;
    if (vmo->pager)
        page_source_cut(vmo, size / HAL_PAGE_SIZE);
    return ZX_OK;
}

zx_status_t vmo_set_size(struct vmo *vmo, uint64_t size)
{
    uint64_t rounded = (size + HAL_PAGE_MASK) & ~HAL_PAGE_MASK;

    if (vmo->flags & VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    if (!(vmo->flags & VMO_RESIZABLE))
        return ZX_ERR_UNAVAILABLE;
    if (size > VMO_MAX_SIZE)
        return ZX_ERR_OUT_OF_RANGE;
    if (rounded < vmo->size) {
        zx_status_t status = shrink(vmo, rounded);

        if (status != ZX_OK)
            return status;
    }
    vmo->size = rounded;
    vmo->content_size = size;
    vmo_changed(vmo);
    return ZX_OK;
}
