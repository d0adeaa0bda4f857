/*
 * vmo.c - VMOs as objects: how they come into being, what they are called, how they end. Pages are
 * vmo_pages.c's business, children vmo_clone.c's, copying vmo_copy.c's, counting vmo_info.c's.
 */
#include "vmo.h"

#include <zircon/errors.h>

#include "heap.h"
#include "name.h"
#include "pager.h"
#include "name.h"
#include "string.h"

static zx_status_t vmo_new(uint64_t size, uint32_t flags, struct vmo **out)
{
    struct vmo *vmo;

    if (size > VMO_MAX_SIZE)
        return ZX_ERR_OUT_OF_RANGE;
    vmo = heap_zalloc(sizeof *vmo);
    if (!vmo)
        return ZX_ERR_NO_MEMORY;
    object_init(&vmo->object, &vmo_ops, ZX_VMO_ZERO_CHILDREN);
    vmo->flags = flags;
    vmo->content_size = size;
    vmo->size = (size + HAL_PAGE_MASK) & ~HAL_PAGE_MASK;
    *out = vmo;
    return ZX_OK;
}

zx_status_t vmo_create(uint64_t size, uint32_t flags, struct vmo **out)
{
    return vmo_new(size, flags, out);
}

/* Puts `count` consecutive frames into an empty VMO. On failure the frames stay the caller's. */
static zx_status_t put_frames(struct vmo *vmo, hal_paddr_t paddr, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        hal_paddr_t frame = paddr + i * HAL_PAGE_SIZE;
        zx_status_t status;

        *hal_frame_owner(frame) = 0;
        status = page_tree_set(&vmo->pages, i, frame | PAGE_PRESENT);
        if (status == ZX_OK)
            continue;
        while (i--) /* so that dropping the tree does not free them */
            page_ref(paddr + i * HAL_PAGE_SIZE);
        page_tree_drop(&vmo->pages);
        return status;
    }
    return ZX_OK;
}

zx_status_t vmo_create_from_frames(hal_paddr_t paddr, uint64_t length, struct vmo **out)
{
    struct vmo *vmo;
    zx_status_t status = vmo_new(length, 0, &vmo);

    if (status != ZX_OK)
        return status;
    status = put_frames(vmo, paddr, vmo->size / HAL_PAGE_SIZE);
    if (status != ZX_OK) {
        object_release(OBJECT(vmo));
        return status;
    }
    *out = vmo;
    return ZX_OK;
}

zx_status_t vmo_create_contiguous(uint64_t size, unsigned align_log2, struct vmo **out)
{
    struct vmo *vmo;
    hal_paddr_t paddr;
    uint64_t count;
    zx_status_t status = vmo_new(size, VMO_CONTIGUOUS, &vmo);

    if (status != ZX_OK)
        return status;
    count = vmo->size / HAL_PAGE_SIZE;
    status = hal_frame_alloc_contiguous(count, align_log2, &paddr);
    if (status == ZX_OK) {
        hal_pmem_zero(paddr, vmo->size);
        status = put_frames(vmo, paddr, count);
        if (status != ZX_OK) {
            for (uint64_t i = 0; i < count; i++)
                hal_frame_free(paddr + i * HAL_PAGE_SIZE);
        }
    }
    if (status != ZX_OK) {
        object_release(OBJECT(vmo));
        return status;
    }
    *out = vmo;
    return ZX_OK;
}

zx_status_t vmo_create_physical(hal_paddr_t paddr, uint64_t size, struct vmo **out)
{
    zx_status_t status = vmo_new(size, VMO_PHYSICAL, out);

    if (status != ZX_OK)
        return status;
    (*out)->paddr = paddr;
    (*out)->cache_policy = ZX_CACHE_POLICY_UNCACHED;
    return ZX_OK;
}

void vmo_set_name(struct vmo *vmo, const char *name)
{
    name_set(vmo->name, sizeof vmo->name, name, strlen(name));
}

void vmo_copy_name(struct vmo *to, const struct vmo *from)
{
    memcpy(to->name, from->name, sizeof to->name);
}

void vmo_set_vdso(struct vmo *vmo, uint32_t code_start, uint32_t code_end)
{
    vmo->flags |= VMO_VDSO;
    vmo->vdso_code_start = code_start;
    vmo->vdso_code_end = code_end;
}

zx_status_t vmo_set_cache_policy(struct vmo *vmo, uint32_t policy)
{
    if (policy > ZX_CACHE_POLICY_MASK)
        return ZX_ERR_INVALID_ARGS;
    if (vmo->pages.root && vmo->cache_policy != ZX_CACHE_POLICY_CACHED)
        return ZX_ERR_BAD_STATE;
    if (vmo->pinned || !LIST_EMPTY(&vmo->mappings) || vmo->num_children || vmo->parent_koid)
        return ZX_ERR_BAD_STATE;
    vmo->cache_policy = (uint8_t)policy;
    return ZX_OK;
}

/*
 * The last reference is gone: there is no handle, no mapping, no slice and no clone that looks
 * through. Snapshots made from this VMO live on with trees of their own.
 */
static void vmo_destroy(struct object *object)
{
    struct vmo *vmo = container_of(object, struct vmo, object);

    assert(LIST_EMPTY(&vmo->mappings) && LIST_EMPTY(&vmo->lookers));
    if (vmo->pager)
        page_source_close(vmo);
    vmo_leave_family(vmo);
    page_tree_drop(&vmo->pages);
    vmo_leave_parent(vmo);
    heap_free(vmo);
}

static char *vmo_name_of(struct object *object)
{
    return container_of(object, struct vmo, object)->name;
}

static zx_status_t vmo_get_property(struct object *object, uint32_t property, uint64_t *value)
{
    if (property != ZX_PROP_VMO_CONTENT_SIZE)
        return ZX_ERR_WRONG_TYPE;
    *value = container_of(object, struct vmo, object)->content_size;
    return ZX_OK;
}

static zx_status_t vmo_set_property(struct object *object, uint32_t property, uint64_t value)
{
    if (property != ZX_PROP_VMO_CONTENT_SIZE)
        return ZX_ERR_WRONG_TYPE;
    container_of(object, struct vmo, object)->content_size = value;
    return ZX_OK;
}

static void vmo_info(struct object *object, void *record)
{
    vmo_get_info(container_of(object, struct vmo, object), record);
}

const struct object_ops vmo_ops = {
    .type = ZX_OBJ_TYPE_VMO,
    .name = "vmo",
    .default_rights = ZX_DEFAULT_VMO_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = vmo_destroy,
    .name_of = vmo_name_of,
    .info_topic = ZX_INFO_VMO,
    .info_size = sizeof(zx_info_vmo_t),
    .get_info = vmo_info,
    .get_property = vmo_get_property,
    .set_property = vmo_set_property,
};
