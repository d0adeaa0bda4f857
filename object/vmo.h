/*
 * vmo.h - memory objects: pages that can be read, written, mapped and cloned.
 *
 * Kinds. A paged VMO keeps its pages in a page tree (pagetree.h) and commits them when they are
 * first written; a page that is not there reads as zero. A contiguous VMO is a paged one whose
 * frames were allocated together and stay. A physical VMO shows a device's memory. A slice is a
 * window on another VMO and owns no pages: every operation goes to the VMO it shows (`base`).
 *
 * Clones. A snapshot shares the page tree of its parent: making one is O(1) in the parent's size,
 * closing either costs only the pages that the closed one alone could see, and a chain of any
 * length is read as fast as its first VMO (pagetree.h says how). The exception are the descendants
 * of pager-backed and contiguous VMOs: they look through to their `source` until they have a page
 * of their own.
 *
 * Lifetime. Handles, mappings, slices and look-through children each hold a reference. A snapshot
 * holds none: it lives on when its parent is gone.
 *
 * Units: offsets, sizes and lengths are bytes; `size` is a multiple of the page size.
 */
#ifndef ZVMM_OBJECT_VMO_H
#define ZVMM_OBJECT_VMO_H

#include <hal.h>
#include <zircon/object.h>
#include <zircon/vm.h>

#include "object.h"
#include "pagetree.h"
#include "usercopy.h"

struct mapping;
struct page_source;
struct vmo_family;

enum vmo_flag {
    VMO_RESIZABLE = 1u << 0,
    VMO_PHYSICAL = 1u << 1,
    VMO_CONTIGUOUS = 1u << 2,
    VMO_SLICE = 1u << 3,
    VMO_CLONE = 1u << 4,         /* copy-on-write child */
    VMO_LOOKS_THROUGH = 1u << 5, /* absent pages are those of `source` */
    VMO_VDSO = 1u << 6,          /* vdso_code_* are valid; see vmar.h */
    VMO_HOLDS_PARENT = 1u << 7,  /* slice or look-through: `parent` is referenced */
    VMO_FROM_PAGER = 1u << 8,    /* pager-backed, or looks through to such a VMO */
};

/* Sizes above this are refused (2^64 rounded down to 128 KiB). */
#define VMO_MAX_SIZE 0xfffffffffffe0000ull

LIST_HEAD(mapping_list, mapping);

struct vmo {
    struct object object;
    uint32_t flags;       /* VMO_* */
    uint8_t cache_policy; /* ZX_CACHE_POLICY_* */
    uint64_t size;
    uint64_t content_size;  /* ZX_PROP_VMO_CONTENT_SIZE */
    struct page_tree pages; /* neither slice nor physical */
    union {
        struct vmo *base;   /* slice: what it shows, never a slice itself (VMO_HOLDS_PARENT) */
        struct vmo *source; /* look-through clone: likewise */
        hal_paddr_t paddr;  /* physical */
    };
    uint64_t base_offset;         /* where this VMO begins in `base` or `source` */
    uint64_t source_limit;        /* offsets of this VMO below it may be seen in `source` */
    uint64_t pinned;              /* page pins held by PMTs */
    struct mapping_list mappings; /* of this VMO and its slices */
    struct page_source *pager;    /* pager-backed: where its pages come from */
    LIST_HEAD(, vmo) lookers;     /* clones whose `source` is this VMO */
    struct vmo_family *family;    /* snapshots made from one another; NULL: none */
    union {
        TAILQ_ENTRY(vmo) family_link;
        LIST_ENTRY(vmo) looker_link; /* in source->lookers */
    };
    uint32_t attribution;  /* the family's number for this VMO (vmo_info.c) */
    uint32_t num_children; /* living slices and clones made from this very VMO */
    struct vmo *parent;    /* NULL: none, or gone */
    zx_koid_t parent_koid;
    LIST_HEAD(, vmo) children;
    LIST_ENTRY(vmo) sibling_link;
    uint32_t mapping_count; /* mappings made of this very VMO, not through slices */
    uint32_t vdso_code_start, vdso_code_end; /* offsets; VMO_VDSO */
    char name[ZX_MAX_NAME_LEN];
};

extern const struct object_ops vmo_ops;

/* ---- Making -------------------------------------------------------------------------------- */

/* `size` is rounded up; flags: VMO_RESIZABLE or 0. One reference. ZX_ERR_OUT_OF_RANGE (too large),
 * ZX_ERR_NO_MEMORY. */
zx_status_t vmo_create(uint64_t size, uint32_t flags, struct vmo **out);

/*
 * A VMO whose pages are the frames from `paddr` (page aligned) on, none copied: boot modules. The
 * frames belong to the VMO from then on. Content size is `length`.
 */
zx_status_t vmo_create_from_frames(hal_paddr_t paddr, uint64_t length, struct vmo **out);

/* Rules 162, 163. align_log2 >= 12; size not 0. */
zx_status_t vmo_create_contiguous(uint64_t size, unsigned align_log2, struct vmo **out);
zx_status_t vmo_create_physical(hal_paddr_t paddr, uint64_t size, struct vmo **out);

/* Rules 159: options are ZX_VMO_CHILD_* without NO_WRITE. */
zx_status_t vmo_create_child(struct vmo *parent, uint32_t options, uint64_t offset, uint64_t size,
                             struct vmo **out);

/* Cut to fit. */
void vmo_set_name(struct vmo *vmo, const char *name);
void vmo_copy_name(struct vmo *to, const struct vmo *from);

/* Declares `vmo` a vDSO image whose code is [code_start, code_end): vmar_map then follows the rules
 * of abi/vdso.md. Children do not inherit it. */
void vmo_set_vdso(struct vmo *vmo, uint32_t code_start, uint32_t code_end);

/* ---- Content ------------------------------------------------------------------------------- */

/*
 * Between the VMO and kernel memory. ZX_ERR_OUT_OF_RANGE (nothing copied), ZX_ERR_BAD_STATE (not
 * cached), ZX_ERR_NOT_SUPPORTED (physical), ZX_ERR_NO_MEMORY, ZX_ERR_SHOULD_WAIT (see
 * vmo_get_page).
 */
zx_status_t vmo_read(struct vmo *vmo, void *to, uint64_t offset, size_t length);
zx_status_t vmo_write(struct vmo *vmo, const void *from, uint64_t offset, size_t length);

/* The same straight between the VMO's frames and the memory of `process`, no bounce buffer. A user
 * address that is not accessible: ZX_ERR_INVALID_ARGS, what comes before it has been copied. */
zx_status_t vmo_read_user(struct vmo *vmo, struct process *process, struct user_ptr to,
                          uint64_t offset, size_t length);
zx_status_t vmo_write_user(struct vmo *vmo, struct process *process, struct user_ptr from,
                           uint64_t offset, size_t length);

/* Rules 157: shrinking unmaps the tail everywhere; growing shows zeros. */
zx_status_t vmo_set_size(struct vmo *vmo, uint64_t size);

/* Rules 158; `op` is ZX_VMO_OP_*. Rights are the caller's business. */
zx_status_t vmo_op_range(struct vmo *vmo, uint32_t op, uint64_t offset, uint64_t length);

/* The parts of vmo_op_range that other objects use. Ranges: page aligned for commit and decommit.
 */
zx_status_t vmo_commit(struct vmo *vmo, uint64_t offset, uint64_t length);
zx_status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t length);
zx_status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t length);

/* Rules 160. */
zx_status_t vmo_set_cache_policy(struct vmo *vmo, uint32_t policy);

/* ---- Pages --------------------------------------------------------------------------------- */

/*
 * The frame behind page `index` of `vmo`, which is no slice. With `write` the page is committed
 * and owned by this VMO alone, so that it may be changed in place. Without, a page that is not
 * there gives hal_frame_zero(). *writable (may be NULL) tells whether it may be changed in place
 * now. ZX_ERR_OUT_OF_RANGE, ZX_ERR_NO_MEMORY; ZX_ERR_SHOULD_WAIT: a pager has been asked for the
 * page (pager.h).
 */
zx_status_t vmo_get_page(struct vmo *vmo, uint64_t index, bool write, hal_paddr_t *frame,
                         bool *writable);

/* Whether changing page `index` of `vmo`, which is no slice, would give it a new frame, without
 * anybody to ask for its content. */
bool vmo_wants_frame(struct vmo *vmo, uint64_t index);
/* For such a page: `frame`, which is filled, is its content now. It is consumed in every case.
 * ZX_ERR_NO_MEMORY. */
zx_status_t vmo_replace_page(struct vmo *vmo, uint64_t index, hal_paddr_t frame);

/* Pins or unpins committed pages (BTI): they stay where they are meanwhile. Pinning commits. Stores
 * the frames if `frames` is not NULL. Range page aligned and inside. */
zx_status_t vmo_pin(struct vmo *vmo, uint64_t offset, uint64_t length, hal_paddr_t *frames);
void vmo_unpin(struct vmo *vmo, uint64_t offset, uint64_t length);

/* As vmo_get_page, for a fault of `faulting`, which is about to map the page: the page is taken out
 * of the other mappings only, when it is replaced. */
zx_status_t vmo_fault_page(struct vmo *vmo, uint64_t index, bool write, struct mapping *faulting,
                           hal_paddr_t *frame, bool *writable);

/* Takes the pages of [offset, offset+length) out of every mapping's page table. */
void vmo_unmap_range(struct vmo *vmo, uint64_t offset, uint64_t length);

/* Takes write permission from every page that is mapped, before pages become shared.
 * ZX_ERR_NO_MEMORY. */
zx_status_t vmo_write_protect(struct vmo *vmo);

/* Frames of a contiguous VMO stay in it: when it changes a page, not it takes a copy but the clones
 * that still see that page. So its pages are not writable as they stand. */
static inline bool vmo_pushes_on_write(const struct vmo *vmo)
{
    return vmo->flags & VMO_CONTIGUOUS && !LIST_EMPTY(&vmo->lookers);
}

/* Whether a page of [offset, offset+length) is pinned. */
bool vmo_range_pinned(struct vmo *vmo, uint64_t offset, uint64_t length);

/* What pages show has changed: counts kept for queries are out of date. */
void vmo_changed(struct vmo *vmo);

/* The VMO whose pages `vmo` shows, and adds the window's offset: `vmo` itself unless a slice. */
static inline struct vmo *vmo_resolve(struct vmo *vmo, uint64_t *offset)
{
    if (!(vmo->flags & VMO_SLICE))
        return vmo;
    *offset += vmo->base_offset;
    return vmo->base;
}

/* ---- Relations (vmo_clone.c) --------------------------------------------------------------- */

/* Called when `vmo` is destroyed. */
void vmo_leave_family(struct vmo *vmo);
void vmo_leave_parent(struct vmo *vmo);

/* ---- Queries ------------------------------------------------------------------------------- */

/* Pages of [offset, offset+length) that count as this VMO's: a page that several snapshots share
 * is the oldest one's. */
uint64_t vmo_attributed_pages(struct vmo *vmo, uint64_t offset, uint64_t length);

/* Fills everything but VIA_* in flags and handle_rights. */
void vmo_get_info(struct vmo *vmo, zx_info_vmo_t *out);

/* How many address spaces map this very VMO. */
size_t vmo_share_count(struct vmo *vmo);

#endif
