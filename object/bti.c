/*
 * bti.c - IOMMUs, bus transaction initiators and pinned memory tokens.
 */
#include "bti.h"

#include <zircon/errors.h>

#include "heap.h"
#include "vmo.h"

/* ---- IOMMU --------------------------------------------------------------------------------- */

zx_status_t iommu_create(uint32_t type, struct iommu **out)
{
    struct iommu *iommu = heap_zalloc(sizeof *iommu);

    if (!iommu)
        return ZX_ERR_NO_MEMORY;
    object_init(&iommu->object, &iommu_ops, 0);
    iommu->type = type;
    *out = iommu;
    return ZX_OK;
}

static void iommu_destroy(struct object *object)
{
    heap_free(container_of(object, struct iommu, object));
}

const struct object_ops iommu_ops = {
    .type = ZX_OBJ_TYPE_IOMMU,
    .name = "iommu",
    .default_rights = ZX_DEFAULT_IOMMU_RIGHTS,
    .not_waitable = true,
    .destroy = iommu_destroy,
};

/* ---- PMT ----------------------------------------------------------------------------------- */

zx_status_t bti_pin(struct bti *bti, struct vmo *vmo, uint64_t offset, uint64_t length,
                    hal_paddr_t *frames, struct pmt **out)
{
    struct pmt *pmt = heap_zalloc(sizeof *pmt);
    zx_status_t status;

    if (!pmt)
        return ZX_ERR_NO_MEMORY;
    vmo = vmo_resolve(vmo, &offset);
    status = vmo_pin(vmo, offset, length, frames);
    if (status != ZX_OK) {
        heap_free(pmt);
        return status;
    }
    object_init(&pmt->object, &pmt_ops, 0);
    object_ref(OBJECT(bti));
    object_ref(OBJECT(vmo));
    pmt->bti = bti;
    pmt->vmo = vmo;
    pmt->offset = offset;
    pmt->length = length;
    bti->num_pmts++;
    *out = pmt;
    return ZX_OK;
}

void pmt_unpin(struct pmt *pmt)
{
    struct vmo *vmo = pmt->vmo;

    if (!vmo)
        return;
    pmt->vmo = NULL;
    vmo_unpin(vmo, pmt->offset, pmt->length);
    object_release(OBJECT(vmo));
    if (pmt->quarantined) {
        pmt->quarantined = false;
        LIST_REMOVE(pmt, link);
        object_release(OBJECT(pmt));
    }
}

/* Nobody can unpin it any more, and the device may not know: into quarantine. */
static void pmt_on_zero_handles(struct object *object)
{
    struct pmt *pmt = container_of(object, struct pmt, object);

    if (!pmt->vmo || pmt->bti->object.handles == 0)
        return; /* without a BTI nobody can release the quarantine: destroying it unpins */
    object_ref(object);
    pmt->quarantined = true;
    LIST_INSERT_HEAD(&pmt->bti->quarantine, pmt, link);
}

static void pmt_destroy(struct object *object)
{
    struct pmt *pmt = container_of(object, struct pmt, object);

    pmt_unpin(pmt);
    pmt->bti->num_pmts--;
    object_release(OBJECT(pmt->bti));
    heap_free(pmt);
}

const struct object_ops pmt_ops = {
    .type = ZX_OBJ_TYPE_PMT,
    .name = "pmt",
    .default_rights = ZX_DEFAULT_PMT_RIGHTS,
    .not_waitable = true,
    .on_zero_handles = pmt_on_zero_handles,
    .destroy = pmt_destroy,
};

/* ---- BTI ----------------------------------------------------------------------------------- */

zx_status_t bti_create(struct iommu *iommu, uint64_t id, struct bti **out)
{
    struct bti *bti = heap_zalloc(sizeof *bti);

    if (!bti)
        return ZX_ERR_NO_MEMORY;
    object_init(&bti->object, &bti_ops, 0);
    object_ref(OBJECT(iommu));
    bti->iommu = iommu;
    bti->id = id;
    *out = bti;
    return ZX_OK;
}

void bti_release_quarantine(struct bti *bti)
{
    struct pmt *pmt;

    while ((pmt = LIST_FIRST(&bti->quarantine)))
        pmt_unpin(pmt);
}

/* The device is given up: what it was allowed to reach comes back. */
static void bti_on_zero_handles(struct object *object)
{
    bti_release_quarantine(container_of(object, struct bti, object));
}

static void bti_destroy(struct object *object)
{
    struct bti *bti = container_of(object, struct bti, object);

    object_release(OBJECT(bti->iommu));
    heap_free(bti);
}

static char *bti_name_of(struct object *object)
{
    return container_of(object, struct bti, object)->name;
}

static uint64_t quarantined(const struct bti *bti)
{
    const struct pmt *pmt;
    uint64_t count = 0;

    LIST_FOREACH(pmt, &bti->quarantine, link)
        count++;
    return count;
}

static void bti_info(struct object *object, void *record)
{
    struct bti *bti = container_of(object, struct bti, object);

    *(zx_info_bti_t *)record = (zx_info_bti_t){
        .minimum_contiguity = HAL_PAGE_SIZE,
        .aspace_size = UINT64_MAX,
        .pmo_count = bti->num_pmts,
        .quarantine_count = quarantined(bti),
    };
}

const struct object_ops bti_ops = {
    .type = ZX_OBJ_TYPE_BTI,
    .name = "bti",
    .default_rights = ZX_DEFAULT_BTI_RIGHTS,
    .not_waitable = true,
    .on_zero_handles = bti_on_zero_handles,
    .destroy = bti_destroy,
    .name_of = bti_name_of,
    .info_topic = ZX_INFO_BTI,
    .info_size = sizeof(zx_info_bti_t),
    .get_info = bti_info,
};
