/*
 * aspace.h - a process's address space: its page table and its root VMAR.
 */
#ifndef ZVMM_OBJECT_ASPACE_H
#define ZVMM_OBJECT_ASPACE_H

#include <hal.h>
#include <zircon/object.h>

struct mapping;
struct vmar;
struct vmo;

struct aspace {
    struct hal_page_table *table;
    struct vmar *root;                   /* referenced */
    zx_vaddr_t vdso_base;                /* 0: the vDSO's code is not mapped */
    zx_vaddr_t call_base;                /* the same, but 0 while there are paged_mappings: then
                                            system calls take the long way (syscall/dispatch.c) */
    zx_vaddr_t vdso_code, vdso_code_end; /* range of the executable mapping */
    uint64_t mapped_pages;               /* pages in mappings, for ZX_INFO_TASK_STATS */
    uint64_t paged_mappings;             /* mappings whose pages a pager supplies */
    struct mapping *last;                /* where the last fault was; NULL: unknown */
    uint64_t counted;                    /* mark of vmo_share_count */
};

/* ZX_ERR_NO_MEMORY. */
zx_status_t aspace_create(struct aspace **out);
/* Destroys every mapping, the root VMAR and the page table; switches away from it if active. */
void aspace_destroy(struct aspace *aspace);

/*
 * Resolves an access to `address` (HAL_FAULT_* in `access`) by mapping the page the VMARs say
 * belongs there. ZX_OK: the access can be made now. ZX_ERR_NOT_FOUND: nothing is mapped there,
 * ZX_ERR_ACCESS_DENIED: not with these permissions, ZX_ERR_OUT_OF_RANGE: beyond the VMO's end,
 * ZX_ERR_NO_MEMORY. ZX_ERR_SHOULD_WAIT: a pager was asked for the page and the calling thread has
 * been parked; what made the access is executed again later.
 */
zx_status_t aspace_fault(struct aspace *aspace, zx_vaddr_t address, uint32_t access);

/* After a change of vdso_base or paged_mappings. */
static inline void aspace_set_call_base(struct aspace *aspace)
{
    aspace->call_base = aspace->paged_mappings ? 0 : aspace->vdso_base;
}

/* ---- Queries ------------------------------------------------------------------------------- */

/*
 * Calls `visit` for each record of ZX_INFO_PROCESS_MAPS, in the order of that topic: the address
 * space itself, then depth first, a VMAR before its parts.
 */
void aspace_visit_maps(struct aspace *aspace,
                       void (*visit)(const zx_info_maps_t *record, void *arg), void *arg);

/* Calls `visit` for the VMO of each mapping, in the same order, with VIA_MAPPING set; a VMO that is
 * mapped more than once comes more than once. */
void aspace_visit_vmos(struct aspace *aspace, void (*visit)(const zx_info_vmo_t *record, void *arg),
                       void *arg);

/* ZX_INFO_TASK_STATS. */
void aspace_task_stats(struct aspace *aspace, zx_info_task_stats_t *out);

#endif
