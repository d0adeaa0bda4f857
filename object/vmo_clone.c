/*
 * vmo_clone.c - children: slices, snapshots, clones that look through; and who is related to whom.
 *
 * Two relations. The parent is the VMO that a child was made from: it counts its living children
 * (ZX_VMO_ZERO_CHILDREN) and says what parent_koid is; the pointer is cleared when the parent goes
 * first. The family is the set of VMOs whose page trees may share pages, in order of age; it exists
 * to decide whose page a shared one is (vmo_info.c) and is left when a VMO is destroyed.
 */
#include "vmo.h"

#include <zircon/errors.h>

#include "heap.h"
#include "kcounter.h"
#include "vmo_family.h"

KCOUNTER(children_created, "vmo.children");

/* ---- Parents ------------------------------------------------------------------------------- */

static void set_parent(struct vmo *child, struct vmo *parent, uint32_t flags)
{
    child->flags |= flags;
    child->parent = parent;
    child->parent_koid = parent->object.koid;
    LIST_INSERT_HEAD(&parent->children, child, sibling_link);
    if (flags & VMO_HOLDS_PARENT)
        object_ref(OBJECT(parent));
    if (parent->num_children++ == 0)
        object_update_signals(OBJECT(parent), ZX_VMO_ZERO_CHILDREN, 0);
}

/* A clone that looked through does not need its source any more. */
static void leave_source(struct vmo *vmo)
{
    LIST_REMOVE(vmo, looker_link);
    vmo->flags &= ~(uint32_t)(VMO_LOOKS_THROUGH | VMO_HOLDS_PARENT);
    vmo->source_limit = 0;
    if (vmo->parent)
        object_release(OBJECT(vmo->parent));
}

void vmo_leave_parent(struct vmo *vmo)
{
    struct vmo *parent = vmo->parent, *child, *next;
    bool held = vmo->flags & VMO_HOLDS_PARENT;

    LIST_FOREACH_SAFE(child, &vmo->children, sibling_link, next)
        child->parent = NULL;
    if (vmo->flags & VMO_LOOKS_THROUGH)
        LIST_REMOVE(vmo, looker_link);
    if (!parent)
        return;
    LIST_REMOVE(vmo, sibling_link);
    if (--parent->num_children == 0)
        object_update_signals(OBJECT(parent), 0, ZX_VMO_ZERO_CHILDREN);
    if (held)
        object_release(OBJECT(parent));
}

/* ---- Families ------------------------------------------------------------------------------ */

void vmo_changed(struct vmo *vmo)
{
    if (vmo->family)
        vmo->family->stale = true;
}

/* Makes sure that `vmo` has a family. */
static zx_status_t found_family(struct vmo *vmo)
{
    struct vmo_family *family;

    if (vmo->family)
        return ZX_OK;
    family = heap_zalloc(sizeof *family);
    if (!family)
        return ZX_ERR_NO_MEMORY;
    TAILQ_INIT(&family->members);
    TAILQ_INSERT_TAIL(&family->members, vmo, family_link);
    family->count = 1;
    family->stale = true;
    vmo->family = family;
    return ZX_OK;
}

static void join_family(struct vmo *vmo, struct vmo_family *family)
{
    TAILQ_INSERT_TAIL(&family->members, vmo, family_link);
    family->count++;
    family->stale = true;
    vmo->family = family;
}

void vmo_leave_family(struct vmo *vmo)
{
    struct vmo_family *family = vmo->family;
    struct vmo *last;

    if (!family)
        return;
    vmo->family = NULL;
    TAILQ_REMOVE(&family->members, vmo, family_link);
    family->stale = true;
    if (--family->count > 1)
        return;
    /* Who is left shares nothing any more. */
    last = TAILQ_FIRST(&family->members);
    if (last)
        last->family = NULL;
    heap_free(family);
}

/* ---- Slices -------------------------------------------------------------------------------- */

static zx_status_t make_slice(struct vmo *parent, uint64_t offset, uint64_t size, struct vmo **out)
{
    uint64_t rounded = (size + HAL_PAGE_MASK) & ~HAL_PAGE_MASK;
    struct vmo *child;
    zx_status_t status;

    if (offset & HAL_PAGE_MASK || rounded < size || offset > parent->size ||
        rounded > parent->size - offset)
        return ZX_ERR_INVALID_ARGS;
    if (parent->flags & VMO_RESIZABLE)
        return ZX_ERR_NOT_SUPPORTED;
    if (parent->cache_policy != ZX_CACHE_POLICY_CACHED &&
        !(parent->flags & (VMO_CONTIGUOUS | VMO_PHYSICAL)))
        return ZX_ERR_BAD_STATE;
    status = vmo_create(size, parent->flags & (VMO_CONTIGUOUS | VMO_PHYSICAL), &child);
    if (status != ZX_OK)
        return status;
    child->cache_policy = parent->cache_policy;
    child->base = vmo_resolve(parent, &offset);
    child->base_offset = offset;
    set_parent(child, parent, VMO_SLICE | VMO_HOLDS_PARENT);
    *out = child;
    return ZX_OK;
}

/* ---- Clones -------------------------------------------------------------------------------- */

/* Bytes of a child of `size` at `offset` that lie inside the parent. */
static uint64_t overlap(const struct vmo *parent, uint64_t offset, uint64_t size)
{
    if (offset >= parent->size)
        return 0;
    return size < parent->size - offset ? size : parent->size - offset;
}

/* A child that sees what its source shows until it has a page of its own. */
static zx_status_t make_looker(struct vmo *parent, uint64_t offset, struct vmo *child)
{
    uint64_t limit = overlap(parent, offset, child->size);
    struct vmo *source = vmo_resolve(parent, &offset);
    zx_status_t status = ZX_OK;

    if (source->flags & VMO_CONTIGUOUS) /* see push_to_lookers */
        status = vmo_write_protect(source);
    if (status != ZX_OK)
        return status;
    child->source = source;
    child->base_offset = offset;
    child->source_limit = limit;
    LIST_INSERT_HEAD(&source->lookers, child, looker_link);
    set_parent(child, parent,
               VMO_CLONE | VMO_LOOKS_THROUGH | VMO_HOLDS_PARENT | (source->flags & VMO_FROM_PAGER));
    return ZX_OK;
}

static zx_status_t make_snapshot(struct vmo *parent, uint64_t offset, struct vmo *child)
{
    zx_status_t status = found_family(parent);

    if (status != ZX_OK)
        return status;
    status = vmo_write_protect(parent);
    if (status == ZX_OK)
        status = page_tree_share(&child->pages, &parent->pages, offset / HAL_PAGE_SIZE,
                                 child->size / HAL_PAGE_SIZE, offset > 0,
                                 offset + child->size < parent->size);
    if (status != ZX_OK) {
        if (parent->family->count == 1)
            vmo_leave_family(parent);
        return status;
    }
    join_family(child, parent->family);
    set_parent(child, parent, VMO_CLONE);
    return ZX_OK;
}

/*
 * A clone of a contiguous VMO looks through to it. Before it can be snapshotted itself it takes
 * copies of all that it sees, once.
 */
static zx_status_t stand_alone(struct vmo *vmo)
{
    for (uint64_t i = 0; i < vmo->source_limit / HAL_PAGE_SIZE; i++) {
        hal_paddr_t frame;
        zx_status_t status = vmo_get_page(vmo, i, false, &frame, NULL);

        if (status == ZX_OK && frame != hal_frame_zero())
            status = vmo_get_page(vmo, i, true, &frame, NULL);
        if (status != ZX_OK)
            return status;
    }
    leave_source(vmo);
    return ZX_OK;
}

static zx_status_t check_clone(struct vmo *parent, uint32_t options, uint64_t offset, uint64_t size)
{
    uint32_t kind = options & ~ZX_VMO_CHILD_RESIZABLE;

    if (kind != ZX_VMO_CHILD_SNAPSHOT && kind != ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE)
        return ZX_ERR_INVALID_ARGS;
    if (offset & HAL_PAGE_MASK)
        return ZX_ERR_INVALID_ARGS;
    if (size > VMO_MAX_SIZE || offset + ((size + HAL_PAGE_MASK) & ~HAL_PAGE_MASK) < offset)
        return ZX_ERR_OUT_OF_RANGE;
    if (parent->flags & VMO_PHYSICAL)
        return ZX_ERR_NOT_SUPPORTED;
    return ZX_OK;
}

static zx_status_t make_clone(struct vmo *parent, uint32_t options, uint64_t offset,
                              struct vmo *child)
{
    uint64_t ignored = 0;
    struct vmo *base = vmo_resolve(parent, &ignored);
    zx_status_t status;

    if (base->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    if (base->flags & VMO_FROM_PAGER) {
        if (options & ZX_VMO_CHILD_SNAPSHOT)
            return ZX_ERR_NOT_SUPPORTED;
        return make_looker(parent, offset, child);
    }
    if (parent->flags & VMO_SLICE)
        return ZX_ERR_NOT_SUPPORTED;
    if (vmo_range_pinned(parent, 0, parent->size))
        return ZX_ERR_BAD_STATE;
    if (parent->flags & VMO_CONTIGUOUS)
        return make_looker(parent, offset, child);
    if (parent->flags & VMO_LOOKS_THROUGH) {
        status = stand_alone(parent);
        if (status != ZX_OK)
            return status;
    }
    return make_snapshot(parent, offset, child);
}

zx_status_t vmo_create_child(struct vmo *parent, uint32_t options, uint64_t offset, uint64_t size,
                             struct vmo **out)
{
    zx_status_t status;

    if (options & ZX_VMO_CHILD_SLICE) {
        if (options != ZX_VMO_CHILD_SLICE)
            return ZX_ERR_INVALID_ARGS;
        return make_slice(parent, offset, size, out);
    }
    status = check_clone(parent, options, offset, size);
    if (status != ZX_OK)
        return status;
    status = vmo_create(size, options & ZX_VMO_CHILD_RESIZABLE ? VMO_RESIZABLE : 0, out);
    if (status != ZX_OK)
        return status;
    status = make_clone(parent, options, offset, *out);
    if (status != ZX_OK)
        object_release(OBJECT(*out));
    else
        kcounter_add(&children_created, 1);
    return status;
}
