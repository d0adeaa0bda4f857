/*
 * vmar.h - address regions: the tree that says what is mapped where.
 *
 * A VMAR's parts, sub-VMARs and mappings, are struct region in a red-black tree by address and
 * never overlap. Kernel code passes absolute addresses or offsets as each function says.
 *
 * Lifetime. The parent's tree holds a reference to a sub-VMAR until that is destroyed; a handle may
 * keep a dead VMAR. A mapping holds a reference to its VMO. VMARs point to their aspace and parent
 * without a reference: both outlive them, or clear the pointers by destroying them.
 *
 * vDSO (abi/vdso.md, Mapping rules): of a VMO marked by vmo_set_vdso, only the exact code range may
 * be mapped executable, once per address space; that mapping stays until the process ends.
 */
#ifndef ZVMM_OBJECT_VMAR_H
#define ZVMM_OBJECT_VMAR_H

#include <zircon/vm.h>

#include "object.h"

struct aspace;
struct vmo;

/* Part of a VMAR. */
struct region {
    RB_ENTRY(region) link;
    struct vmar *parent; /* NULL: root, or not in a tree any more */
    zx_vaddr_t base;
    uint64_t size;
    bool is_mapping;
};

RB_HEAD(region_tree, region);

struct vmar {
    struct object object;
    struct region region;
    struct aspace *aspace; /* NULL: dead */
    uint32_t can_map;      /* ZX_VM_CAN_MAP_* this VMAR allows */
    struct region_tree regions;
    zx_vaddr_t window;            /* where the last random placement found room; 0: nowhere yet */
    STAILQ_ENTRY(vmar) work_link; /* while being destroyed */
};

struct mapping {
    struct region region;
    struct aspace *aspace;
    struct vmo *vmo;   /* as given to vmar_map; referenced */
    struct vmo *pages; /* whose pages these are: vmo, or the base of a slice */
    uint64_t offset;   /* into `pages` */
    uint64_t limit;    /* likewise: a slice ends there; for others there is none */
    uint32_t perms;    /* ZX_VM_PERM_* */
    uint32_t can_map;  /* ZX_VM_CAN_MAP_*: limit for vmar_protect */
    bool wrote;        /* a page may be mapped writable since the last vmo_write_protect */
    LIST_ENTRY(mapping) vmo_link; /* in pages->mappings */
};

extern const struct object_ops vmar_ops;

/* Rules 147. `offset` from the VMAR's base. One reference. */
zx_status_t vmar_allocate(struct vmar *parent, uint32_t options, uint64_t offset, uint64_t size,
                          struct vmar **out);

/* Rules 148: unmaps everything inside, kills sub-VMARs. ZX_ERR_BAD_STATE (dead),
 * ZX_ERR_ACCESS_DENIED (vDSO code inside). */
zx_status_t vmar_destroy(struct vmar *vmar);

/*
 * Rules 149. options: ZX_VM_PERM_*, SPECIFIC, SPECIFIC_OVERWRITE, COMPACT, MAP_RANGE,
 * REQUIRE_NON_RESIZABLE, ALLOW_FAULTS, ALIGN_*; and, which user code may not give, ZX_VM_CAN_MAP_*:
 * what vmar_protect may give later, beyond the PERMs themselves. *va is the address.
 */
zx_status_t vmar_map(struct vmar *vmar, uint32_t options, uint64_t vmar_offset, struct vmo *vmo,
                     uint64_t vmo_offset, uint64_t length, zx_vaddr_t *va);

/* Rules 150 to 152; `address` is absolute. */
zx_status_t vmar_unmap(struct vmar *vmar, zx_vaddr_t address, uint64_t length);
zx_status_t vmar_protect(struct vmar *vmar, uint32_t perms, zx_vaddr_t address, uint64_t length);
zx_status_t vmar_op_range(struct vmar *vmar, uint32_t op, zx_vaddr_t address, uint64_t length);

/* For aspace.c: the root VMAR of `aspace`. One reference. ZX_ERR_NO_MEMORY. */
zx_status_t vmar_create_root(struct aspace *aspace, struct vmar **out);
/* As vmar_destroy, but also where the vDSO's code is mapped. Precondition: alive. */
void vmar_kill(struct vmar *vmar);

/* The mapping that holds `address`, NULL if there is none. */
struct mapping *aspace_find_mapping(struct aspace *aspace, zx_vaddr_t address);

/* The region of `vmar` that holds `address`, or else the next one above; NULL: none. */
struct region *vmar_region_from(struct vmar *vmar, zx_vaddr_t address);
/* The next region of the same VMAR. */
struct region *vmar_region_next(struct region *region);

/* Puts a region into the tree of `vmar`, takes it out. */
void vmar_insert_region(struct vmar *vmar, struct region *region);
void vmar_remove_region(struct vmar *vmar, struct region *region);

/* ---- Mappings (vmar_mapping.c) -------------------------------------------------------------- */

static inline struct mapping *region_mapping(struct region *region)
{
    return container_of(region, struct mapping, region);
}

static inline struct vmar *region_vmar(struct region *region)
{
    return container_of(region, struct vmar, region);
}

static inline zx_vaddr_t region_end(const struct region *region)
{
    return region->base + region->size;
}

/* The offset into `pages` where this mapping shows nothing any more. */
static inline uint64_t mapping_limit(const struct mapping *mapping, uint64_t size_of_pages)
{
    return mapping->limit < size_of_pages ? mapping->limit : size_of_pages;
}

/* What page tables say about a page of `mapping`. */
uint32_t mapping_hal_flags(const struct mapping *mapping, bool writable);

/* A mapping that is in no VMAR and no VMO's list; holds a reference to `vmo`. NULL: no memory. */
struct mapping *mapping_new(struct aspace *aspace, struct vmo *vmo, uint64_t vmo_offset,
                            uint64_t size, uint32_t perms, uint32_t can_map);
/* Frees one that was never attached. NULL is allowed. */
void mapping_free(struct mapping *mapping);
/* Puts it at `base` of `vmar`, where there is room; it belongs to the VMAR from now on. */
void mapping_attach(struct mapping *mapping, struct vmar *vmar, zx_vaddr_t base);
/* Takes it out and frees it. Its pages must be out of the page table. */
void mapping_detach(struct mapping *mapping);
/* Cuts `mapping` at `address`, inside it: the part from there on becomes `rest`, an unattached
 * mapping of the same VMO. */
void mapping_split(struct mapping *mapping, zx_vaddr_t address, struct mapping *rest);
/* An unattached mapping for mapping_split. NULL: no memory. */
struct mapping *mapping_new_rest(const struct mapping *mapping);
/* Enters the pages that exist of [address, address + count pages) into the page table.
 * ZX_ERR_NO_MEMORY: some of them. */
zx_status_t mapping_populate(struct mapping *mapping, zx_vaddr_t address, uint64_t count);
/* Changes what may be done with the pages. */
void mapping_set_perms(struct mapping *mapping, uint32_t perms);

#endif
