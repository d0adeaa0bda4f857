/*
 * resource.c - resources.
 */
#include "resource.h"

#include <zircon/errors.h>

#include "executor.h"
#include "handle.h"
#include "heap.h"
#include "name.h"
#include "string.h"

static bool has_range(uint32_t kind)
{
    return kind == ZX_RSRC_KIND_MMIO || kind == ZX_RSRC_KIND_IRQ || kind == ZX_RSRC_KIND_IOPORT ||
           kind == ZX_RSRC_KIND_SMC;
}

/* [base, base+size) within the resource's range; careful with ranges that end at 2^64. */
static bool covers(const struct resource *resource, uint64_t base, uint64_t size)
{
    return base >= resource->base && size <= resource->size &&
           base - resource->base <= resource->size - size;
}

static bool overlaps(const struct resource *resource, uint64_t base, uint64_t size)
{
    return base < resource->base + resource->size && resource->base < base + size;
}

zx_status_t resource_create_root(struct resource **out)
{
    struct resource *root = heap_zalloc(sizeof *root);

    if (!root)
        return ZX_ERR_NO_MEMORY;
    object_init(&root->object, &resource_ops, 0);
    root->kind = ZX_RSRC_KIND_ROOT;
    name_set(root->name, sizeof root->name, "root", 4);
    TAILQ_INIT(&root->all);
    *out = root;
    return ZX_OK;
}

/* Does the parent give this away at all? */
static zx_status_t check_parent(const struct resource *parent, uint32_t kind, uint32_t flags,
                                uint64_t base, uint64_t size)
{
    if (parent->kind != ZX_RSRC_KIND_ROOT) {
        if (parent->kind != kind || !covers(parent, base, size))
            return ZX_ERR_ACCESS_DENIED;
        if ((parent->flags | flags) & ZX_RSRC_FLAG_EXCLUSIVE)
            return ZX_ERR_INVALID_ARGS;
    }
    if (!has_range(kind))
        return base == 0 && size == 0 ? ZX_OK : ZX_ERR_INVALID_ARGS;
    return size > 0 && base + size > base ? ZX_OK : ZX_ERR_INVALID_ARGS;
}

/* An exclusive range overlaps nothing else of its kind, whichever of the two came first. */
static zx_status_t check_exclusive(const struct resource *root, uint32_t kind, uint32_t flags,
                                   uint64_t base, uint64_t size)
{
    const struct resource *other;

    TAILQ_FOREACH (other, &root->all, link) {
        if (other->kind == kind && ((other->flags | flags) & ZX_RSRC_FLAG_EXCLUSIVE) &&
            overlaps(other, base, size))
            return ZX_ERR_NOT_FOUND;
    }
    return ZX_OK;
}

zx_status_t resource_create(struct resource *parent, uint32_t kind, uint32_t flags, uint64_t base,
                            uint64_t size, const char name[ZX_MAX_NAME_LEN], struct resource **out)
{
    struct resource *root = kernel()->root_resource, *resource;
    zx_status_t status = check_parent(parent, kind, flags, base, size);

    if (status == ZX_OK && has_range(kind))
        status = check_exclusive(root, kind, flags, base, size);
    if (status != ZX_OK)
        return status;
    resource = heap_zalloc(sizeof *resource);
    if (!resource)
        return ZX_ERR_NO_MEMORY;
    object_init(&resource->object, &resource_ops, 0);
    resource->kind = kind;
    resource->flags = flags;
    resource->base = base;
    resource->size = size;
    name_set(resource->name, sizeof resource->name, name, ZX_MAX_NAME_LEN);
    object_ref(&root->object);
    TAILQ_INSERT_TAIL(&root->all, resource, link);
    *out = resource;
    return ZX_OK;
}

zx_status_t resource_check(struct process *process, zx_handle_t handle, uint32_t kind,
                           uint64_t base, uint64_t size)
{
    struct resource *resource;
    zx_status_t status =
        handle_get(process, handle, ZX_OBJ_TYPE_RESOURCE, ZX_RIGHT_NONE, &resource);

    if (status != ZX_OK || resource->kind == ZX_RSRC_KIND_ROOT)
        return status;
    if (resource->kind != kind)
        return ZX_ERR_WRONG_TYPE;
    return !has_range(kind) || covers(resource, base, size) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
}

static void resource_get_info(struct object *object, void *record)
{
    const struct resource *resource = container_of(object, struct resource, object);
    zx_info_resource_t *info = record;

    info->kind = resource->kind;
    info->flags = resource->flags;
    info->base = resource->base;
    info->size = resource->size;
    memcpy(info->name, resource->name, sizeof info->name);
}

static void resource_destroy(struct object *object)
{
    struct resource *resource = container_of(object, struct resource, object);
    struct resource *root = kernel()->root_resource;

    if (resource != root) {
        TAILQ_REMOVE(&root->all, resource, link);
        object_release(&root->object);
    }
    heap_free(resource);
}

static char *resource_name(struct object *object)
{
    return container_of(object, struct resource, object)->name;
}

const struct object_ops resource_ops = {
    .type = ZX_OBJ_TYPE_RESOURCE,
    .name = "resource",
    .default_rights = ZX_DEFAULT_RESOURCE_RIGHTS,
    .user_signals = 0,
    .not_waitable = true,
    .destroy = resource_destroy,
    .name_of = resource_name,
    .info_topic = ZX_INFO_RESOURCE,
    .info_size = sizeof(zx_info_resource_t),
    .get_info = resource_get_info,
};
