/*
 * vmar.c - the tree of address regions: making, mapping, unmapping, protecting. Where a region goes
 * is vmar_place.c's business, page-table entries vmar_mapping.c's.
 */
#include "vmar.h"

#include <zircon/errors.h>
#include <zircon/limits.h>

#include "aspace.h"
#include "heap.h"
#include "vmar_place.h"
#include "vmo.h"

#define PERMS (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)
#define CAN_MAP                                                                                    \
    (ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)
#define ALIGN_MASK (0xffu << ZX_VM_ALIGN_BASE)
#define PLACEMENT  (ZX_VM_COMPACT | ZX_VM_SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT | ALIGN_MASK)

/* ---- Regions ------------------------------------------------------------------------------- */

static int region_compare(struct region *a, struct region *b)
{
    return a->base < b->base ? -1 : a->base > b->base;
}
RB_GENERATE_STATIC(region_tree, region, link, region_compare)

void vmar_insert_region(struct vmar *vmar, struct region *region)
{
    RB_INSERT(region_tree, &vmar->regions, region);
}

void vmar_remove_region(struct vmar *vmar, struct region *region)
{
    RB_REMOVE(region_tree, &vmar->regions, region);
}

struct region *vmar_region_from(struct vmar *vmar, zx_vaddr_t address)
{
    struct region *at = RB_ROOT(&vmar->regions), *above = NULL;

    while (at) {
        if (address < at->base) {
            above = at;
            at = RB_LEFT(at, link);
        } else if (address - at->base < at->size) {
            return at;
        } else {
            at = RB_RIGHT(at, link);
        }
    }
    return above;
}

struct region *vmar_region_next(struct region *region)
{
    return RB_NEXT(region_tree, NULL, region);
}

struct mapping *aspace_find_mapping(struct aspace *aspace, zx_vaddr_t address)
{
    struct vmar *vmar = aspace->root;

    while (vmar->aspace) {
        struct region *region = vmar_region_from(vmar, address);

        if (!region || region->base > address)
            return NULL;
        if (region->is_mapping)
            return region_mapping(region);
        vmar = region_vmar(region);
    }
    return NULL;
}

/* PERM_* and CAN_MAP_* say the same three things at different bits. */
static uint32_t can_map_of(uint32_t perms)
{
    return (perms & ZX_VM_PERM_READ ? ZX_VM_CAN_MAP_READ : 0) |
           (perms & ZX_VM_PERM_WRITE ? ZX_VM_CAN_MAP_WRITE : 0) |
           (perms & ZX_VM_PERM_EXECUTE ? ZX_VM_CAN_MAP_EXECUTE : 0);
}

static bool perms_valid(uint32_t perms)
{
    return perms & ZX_VM_PERM_READ || !(perms & (ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE));
}

static bool holds_vdso_code(const struct aspace *aspace, zx_vaddr_t address, uint64_t length)
{
    return aspace->vdso_code < address + length && aspace->vdso_code_end > address;
}

/* Rounds *length up and checks that the range lies inside a living VMAR (rules 150 to 152). */
static zx_status_t check_range(const struct vmar *vmar, zx_vaddr_t address, uint64_t *length,
                               zx_status_t outside)
{
    if (*length == 0 || address & HAL_PAGE_MASK)
        return ZX_ERR_INVALID_ARGS;
    if (!vmar->aspace)
        return ZX_ERR_BAD_STATE;
    if (*length > vmar->region.size || address < vmar->region.base ||
        address - vmar->region.base > vmar->region.size - *length)
        return outside;
    *length = (*length + HAL_PAGE_MASK) & ~HAL_PAGE_MASK;
    return ZX_OK;
}

/* ---- Making and ending VMARs --------------------------------------------------------------- */

static struct vmar *vmar_new(struct aspace *aspace, uint32_t can_map, uint64_t size)
{
    struct vmar *vmar = heap_zalloc(sizeof *vmar);

    if (!vmar)
        return NULL;
    object_init(&vmar->object, &vmar_ops, 0);
    vmar->aspace = aspace;
    vmar->can_map = can_map;
    vmar->region.size = size;
    RB_INIT(&vmar->regions);
    return vmar;
}

zx_status_t vmar_create_root(struct aspace *aspace, struct vmar **out)
{
    zx_vaddr_t base, top;

    hal_page_table_range(aspace->table, &base, &top);
    *out = vmar_new(aspace, CAN_MAP, top - base);
    if (!*out)
        return ZX_ERR_NO_MEMORY;
    (*out)->region.base = base;
    return ZX_OK;
}

zx_status_t vmar_allocate(struct vmar *parent, uint32_t options, uint64_t offset, uint64_t size,
                          struct vmar **out)
{
    zx_vaddr_t base;
    zx_status_t status;

    if (options & ~(CAN_MAP | PLACEMENT) || size & HAL_PAGE_MASK)
        return ZX_ERR_INVALID_ARGS;
    status = vmar_place(parent, options, options & CAN_MAP, offset, size, false, &base);
    if (status != ZX_OK)
        return status;
    *out = vmar_new(parent->aspace, options & CAN_MAP, size);
    if (!*out)
        return ZX_ERR_NO_MEMORY;
    (*out)->region.base = base;
    (*out)->region.parent = parent;
    vmar_insert_region(parent, &(*out)->region);
    object_ref(OBJECT(*out)); /* the tree's */
    return ZX_OK;
}

/* Unmaps everything in one go, then takes the tree apart without recursion. */
void vmar_kill(struct vmar *top)
{
    STAILQ_HEAD(, vmar) work = STAILQ_HEAD_INITIALIZER(work);
    struct vmar *vmar;

    hal_page_table_unmap(top->aspace->table, top->region.base, top->region.size / HAL_PAGE_SIZE);
    if (top->region.parent) {
        vmar_remove_region(top->region.parent, &top->region);
        top->region.parent = NULL;
    } else {
        object_ref(OBJECT(top)); /* the root is in no tree, so drops no reference below */
    }
    STAILQ_INSERT_TAIL(&work, top, work_link);
    while ((vmar = STAILQ_FIRST(&work))) {
        struct region *region;

        STAILQ_REMOVE_HEAD(&work, work_link);
        while ((region = RB_ROOT(&vmar->regions))) {
            if (region->is_mapping) {
                mapping_detach(region_mapping(region));
            } else {
                vmar_remove_region(vmar, region);
                region->parent = NULL;
                STAILQ_INSERT_TAIL(&work, region_vmar(region), work_link);
            }
        }
        vmar->aspace = NULL;
        object_release(OBJECT(vmar));
    }
}

zx_status_t vmar_destroy(struct vmar *vmar)
{
    if (!vmar->aspace)
        return ZX_ERR_BAD_STATE;
    if (holds_vdso_code(vmar->aspace, vmar->region.base, vmar->region.size))
        return ZX_ERR_ACCESS_DENIED;
    vmar_kill(vmar);
    return ZX_OK;
}

/* ---- Unmapping ----------------------------------------------------------------------------- */

/* Whether [address, end) may be unmapped: every sub-VMAR it touches lies inside it. */
static zx_status_t check_unmap(struct vmar *vmar, zx_vaddr_t address, zx_vaddr_t end)
{
    if (holds_vdso_code(vmar->aspace, address, end - address))
        return ZX_ERR_ACCESS_DENIED;
    for (struct region *region = vmar_region_from(vmar, address); region && region->base < end;
         region = vmar_region_next(region)) {
        if (!region->is_mapping && (region->base < address || region_end(region) > end))
            return ZX_ERR_INVALID_ARGS;
    }
    return ZX_OK;
}

/* Takes [address, end) out of a mapping; `rest` serves what is left above, if both ends stay. */
static void cut_mapping(struct mapping *mapping, zx_vaddr_t address, zx_vaddr_t end,
                        struct mapping **rest)
{
    struct region *region = &mapping->region;
    uint64_t cut;

    if (end < region_end(region) && address > region->base) {
        mapping_split(mapping, end, *rest);
        *rest = NULL;
    }
    if (address <= region->base && end >= region_end(region)) {
        mapping_detach(mapping);
        return;
    }
    if (address > region->base) {
        cut = region_end(region) - address;
    } else {
        cut = end - region->base;
        region->base = end; /* its place in the tree stays the same */
        mapping->offset += cut;
    }
    region->size -= cut;
    mapping->aspace->mapped_pages -= cut / HAL_PAGE_SIZE;
}

/* Precondition: check_unmap. ZX_ERR_NO_MEMORY: nothing has happened. */
static zx_status_t unmap_checked(struct vmar *vmar, zx_vaddr_t address, zx_vaddr_t end)
{
    struct region *region = vmar_region_from(vmar, address), *next;
    struct mapping *rest = NULL;

    if (!region || region->base >= end)
        return ZX_OK;
    if (region->base < address && region_end(region) > end) {
        rest = mapping_new_rest(region_mapping(region));
        if (!rest)
            return ZX_ERR_NO_MEMORY;
    }
    hal_page_table_unmap(vmar->aspace->table, address, (size_t)((end - address) / HAL_PAGE_SIZE));
    for (; region && region->base < end; region = next) {
        next = vmar_region_next(region);
        if (region->is_mapping)
            cut_mapping(region_mapping(region), address, end, &rest);
        else
            vmar_kill(region_vmar(region));
    }
    return ZX_OK;
}

zx_status_t vmar_unmap(struct vmar *vmar, zx_vaddr_t address, uint64_t length)
{
    zx_status_t status = check_range(vmar, address, &length, ZX_ERR_INVALID_ARGS);

    if (status == ZX_OK)
        status = check_unmap(vmar, address, address + length);
    return status == ZX_OK ? unmap_checked(vmar, address, address + length) : status;
}

/* ---- Mapping ------------------------------------------------------------------------------- */

static zx_status_t check_map(const struct vmar *vmar, uint32_t options, const struct vmo *vmo,
                             uint64_t vmo_offset, uint64_t length)
{
    const uint32_t known = PERMS | (CAN_MAP & ~ZX_VM_CAN_MAP_SPECIFIC) | PLACEMENT |
                           ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_MAP_RANGE |
                           ZX_VM_REQUIRE_NON_RESIZABLE | ZX_VM_ALLOW_FAULTS;

    if (options & ~known || !perms_valid(options))
        return ZX_ERR_INVALID_ARGS;
    if (options & ZX_VM_MAP_RANGE && options & ZX_VM_SPECIFIC_OVERWRITE)
        return ZX_ERR_INVALID_ARGS;
    if (options & ZX_VM_REQUIRE_NON_RESIZABLE && vmo->flags & VMO_RESIZABLE)
        return ZX_ERR_NOT_SUPPORTED;
    if (length == 0 || length + HAL_PAGE_MASK < length || vmo_offset & HAL_PAGE_MASK ||
        vmo_offset + ((length + HAL_PAGE_MASK) & ~HAL_PAGE_MASK) < vmo_offset)
        return ZX_ERR_INVALID_ARGS;
    if (!vmar->aspace)
        return ZX_ERR_BAD_STATE;
    if (can_map_of(options & PERMS) & ~vmar->can_map)
        return ZX_ERR_ACCESS_DENIED;
    return ZX_OK;
}

/* The rules for executable mappings of a vDSO. */
static zx_status_t check_vdso(const struct aspace *aspace, const struct mapping *mapping)
{
    const struct vmo *vmo = mapping->vmo;

    if (!(vmo->flags & VMO_VDSO) || !(mapping->perms & ZX_VM_PERM_EXECUTE))
        return ZX_OK;
    if (aspace->vdso_base || mapping->offset != vmo->vdso_code_start ||
        mapping->region.size != vmo->vdso_code_end - vmo->vdso_code_start)
        return ZX_ERR_ACCESS_DENIED;
    return ZX_OK;
}

static void note_vdso(struct aspace *aspace, const struct mapping *mapping)
{
    if (!(mapping->vmo->flags & VMO_VDSO) || !(mapping->perms & ZX_VM_PERM_EXECUTE))
        return;
    aspace->vdso_code = mapping->region.base;
    aspace->vdso_code_end = region_end(&mapping->region);
    aspace->vdso_base = aspace->vdso_code - mapping->vmo->vdso_code_start;
    aspace_set_call_base(aspace);
}

/* Finds the place for `mapping`, clearing it if it is to be overwritten, and puts it there. */
static zx_status_t place_mapping(struct vmar *vmar, uint32_t options, uint64_t vmar_offset,
                                 struct mapping *mapping)
{
    bool overwrite = options & ZX_VM_SPECIFIC_OVERWRITE;
    uint64_t size = mapping->region.size;
    zx_vaddr_t base;
    zx_status_t status = check_vdso(vmar->aspace, mapping);

    if (overwrite)
        options |= ZX_VM_SPECIFIC;
    if (status == ZX_OK)
        status = vmar_place(vmar, options, 0, vmar_offset, size, overwrite, &base);
    if (status == ZX_OK && overwrite) {
        status = check_unmap(vmar, base, base + size);
        if (status == ZX_OK)
            status = unmap_checked(vmar, base, base + size);
    }
    if (status != ZX_OK)
        return status;
    mapping_attach(mapping, vmar, base);
    note_vdso(vmar->aspace, mapping);
    return ZX_OK;
}

zx_status_t vmar_map(struct vmar *vmar, uint32_t options, uint64_t vmar_offset, struct vmo *vmo,
                     uint64_t vmo_offset, uint64_t length, zx_vaddr_t *va)
{
    uint32_t perms = options & PERMS;
    uint32_t can_map = ((options & CAN_MAP) | can_map_of(perms)) & vmar->can_map;
    struct mapping *mapping;
    zx_status_t status = check_map(vmar, options, vmo, vmo_offset, length);

    if (status != ZX_OK)
        return status;
    length = (length + HAL_PAGE_MASK) & ~HAL_PAGE_MASK;
    mapping = mapping_new(vmar->aspace, vmo, vmo_offset, length, perms, can_map);
    if (!mapping)
        return ZX_ERR_NO_MEMORY;
    status = place_mapping(vmar, options, vmar_offset, mapping);
    if (status != ZX_OK) {
        mapping_free(mapping);
        return status;
    }
    *va = mapping->region.base;
    if (options & ZX_VM_MAP_RANGE && perms & ZX_VM_PERM_READ)
        mapping_populate(mapping, *va, length / HAL_PAGE_SIZE);
    return ZX_OK;
}

/* ---- Protecting and operations on ranges --------------------------------------------------- */

/* All of [address, end) is mapped, by mappings of `vmar` itself that all can have `can_map`. Holes
 * and tails give `hole`, sub-VMARs `sub`. */
static zx_status_t check_mapped(struct vmar *vmar, zx_vaddr_t address, zx_vaddr_t end,
                                uint32_t can_map, zx_status_t hole, zx_status_t sub)
{
    struct region *region = vmar_region_from(vmar, address);
    zx_status_t status = ZX_OK;

    for (; address < end; region = vmar_region_next(region)) {
        if (!region || region->base > address)
            return hole;
        if (!region->is_mapping)
            return sub;
        if (can_map & ~region_mapping(region)->can_map)
            status = ZX_ERR_ACCESS_DENIED; /* unless something is worse further on */
        address = region_end(region);
    }
    return status;
}

/* Splits what crosses the ends of [address, end), so that whole mappings are inside. All mapped. */
static zx_status_t split_at_ends(struct vmar *vmar, zx_vaddr_t address, zx_vaddr_t end)
{
    struct mapping *first = region_mapping(vmar_region_from(vmar, address));
    struct mapping *last = region_mapping(vmar_region_from(vmar, end - 1));
    bool split_first = address > first->region.base;
    bool split_last = end < region_end(&last->region);
    struct mapping *head = split_first ? mapping_new_rest(first) : NULL;
    struct mapping *tail = split_last ? mapping_new_rest(last) : NULL;

    if ((split_first && !head) || (split_last && !tail)) {
        mapping_free(head);
        mapping_free(tail);
        return ZX_ERR_NO_MEMORY;
    }
    if (split_last)
        mapping_split(last, end, tail);
    if (split_first)
        mapping_split(first, address, head);
    return ZX_OK;
}

zx_status_t vmar_protect(struct vmar *vmar, uint32_t perms, zx_vaddr_t address, uint64_t length)
{
    struct region *region;
    zx_status_t status;

    if (perms & ~PERMS || !perms_valid(perms))
        return ZX_ERR_INVALID_ARGS;
    status = check_range(vmar, address, &length, ZX_ERR_INVALID_ARGS);
    if (status != ZX_OK)
        return status;
    if (holds_vdso_code(vmar->aspace, address, length))
        return ZX_ERR_ACCESS_DENIED;
    status = check_mapped(vmar, address, address + length, can_map_of(perms), ZX_ERR_NOT_FOUND,
                          ZX_ERR_INVALID_ARGS);
    if (status == ZX_OK)
        status = split_at_ends(vmar, address, address + length);
    if (status != ZX_OK)
        return status;
    for (region = vmar_region_from(vmar, address); region && region->base < address + length;
         region = vmar_region_next(region)) {
        if (region_mapping(region)->perms != perms)
            mapping_set_perms(region_mapping(region), perms);
    }
    return ZX_OK;
}

/* Ends of mappings behind the VMO's end are left out, as that has nothing there. */
static zx_status_t decommit_part(struct mapping *mapping, zx_vaddr_t address, zx_vaddr_t end)
{
    struct vmo *vmo = mapping->vmo;
    uint64_t offset = mapping->offset + (address - mapping->region.base);

    if (vmo != mapping->pages)
        offset -= vmo->base_offset;
    return vmo_decommit(vmo, offset, end - address);
}

zx_status_t vmar_op_range(struct vmar *vmar, uint32_t op, zx_vaddr_t address, uint64_t length)
{
    zx_vaddr_t end;
    zx_status_t status = check_range(vmar, address, &length, ZX_ERR_OUT_OF_RANGE);

    if (status != ZX_OK)
        return status;
    if (op != ZX_VMAR_OP_DECOMMIT)
        return ZX_ERR_NOT_SUPPORTED;
    end = address + length;
    if (holds_vdso_code(vmar->aspace, address, length))
        return ZX_ERR_ACCESS_DENIED;
    status =
        check_mapped(vmar, address, end, ZX_VM_CAN_MAP_WRITE, ZX_ERR_BAD_STATE, ZX_ERR_BAD_STATE);
    while (status == ZX_OK && address < end) {
        struct mapping *mapping = region_mapping(vmar_region_from(vmar, address));
        zx_vaddr_t part_end = region_end(&mapping->region);

        if (part_end > end)
            part_end = end;
        status = decommit_part(mapping, address, part_end);
        address = part_end;
    }
    return status;
}

/* ---- Object -------------------------------------------------------------------------------- */

/* Closing the last handle unmaps nothing; the tree's reference keeps a living VMAR. */
static void vmar_free(struct object *object)
{
    heap_free(container_of(object, struct vmar, object));
}

const struct object_ops vmar_ops = {
    .type = ZX_OBJ_TYPE_VMAR,
    .name = "vmar",
    .default_rights = ZX_DEFAULT_VMAR_RIGHTS,
    .not_waitable = true,
    .destroy = vmar_free,
};
