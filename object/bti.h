/*
 * bti.h - bus transaction initiators and pinned memory tokens (rules, section 11).
 *
 * There is no IOMMU that translates: a device sees physical addresses, one page is the smallest
 * contiguous piece. A PMT keeps pages of a VMO pinned until pmt_unpin. A PMT that is closed without
 * that leaves its pages pinned, in the BTI's quarantine, until bti_release_quarantine: a device may
 * still be writing to them.
 */
#ifndef ZVMM_OBJECT_BTI_H
#define ZVMM_OBJECT_BTI_H

#include <hal.h>

#include "object.h"

struct vmo;

struct iommu {
    struct object object;
    uint32_t type;
};

struct pmt;
LIST_HEAD(pmt_list, pmt);

struct bti {
    struct object object;
    struct iommu *iommu; /* referenced */
    uint64_t id;
    uint64_t num_pmts; /* living, quarantined ones included */
    struct pmt_list quarantine;
    char name[ZX_MAX_NAME_LEN];
};

struct pmt {
    struct object object;
    struct bti *bti; /* referenced */
    struct vmo *vmo; /* referenced; NULL once unpinned */
    uint64_t offset, length;
    bool quarantined;
    LIST_ENTRY(pmt) link; /* in the quarantine, which holds a reference */
};

extern const struct object_ops iommu_ops, bti_ops, pmt_ops;

/* One reference each. ZX_ERR_NO_MEMORY. */
zx_status_t iommu_create(uint32_t type, struct iommu **out);
zx_status_t bti_create(struct iommu *iommu, uint64_t id, struct bti **out);

/* Pins [offset, offset+length) of `vmo`: page aligned, inside, not empty. `frames` (length / page
 * size entries) receives the addresses. Errors are vmo_pin's. */
zx_status_t bti_pin(struct bti *bti, struct vmo *vmo, uint64_t offset, uint64_t length,
                    hal_paddr_t *frames, struct pmt **out);
/* Lets the pages go, also from quarantine. Nothing happens the second time. */
void pmt_unpin(struct pmt *pmt);
void bti_release_quarantine(struct bti *bti);

#endif
