/*
 * bti.c - zx_bti_*, zx_pmt_unpin, zx_iommu_create: rules section 11.
 */
#include "bti.h"

#include <zircon/device.h>
#include <zircon/iommu.h>
#include <zircon/resource.h>

#include "heap.h"
#include "resource.h"
#include "syscalls.h"
#include "vmo.h"

int64_t sys_iommu_create(struct thread *self, zx_handle_t resource, uint32_t type,
                         struct user_ptr desc, size_t desc_size, struct user_ptr out)
{
    struct process *process = self->process;
    struct iommu *iommu;
    zx_status_t status = resource_check(process, resource, ZX_RSRC_KIND_ROOT, 0, 0);

    (void)desc; /* the dummy's says nothing */
    if (status != ZX_OK)
        return status;
    if (desc_size > ZX_IOMMU_MAX_DESC_LEN)
        return ZX_ERR_INVALID_ARGS;
    if (type != ZX_IOMMU_TYPE_DUMMY)
        return ZX_ERR_NOT_SUPPORTED;
    if (desc_size != sizeof(zx_iommu_desc_dummy_t))
        return ZX_ERR_INVALID_ARGS;
    status = iommu_create(type, &iommu);
    if (status != ZX_OK)
        return status;
    return handle_return(process, OBJECT(iommu), ZX_DEFAULT_IOMMU_RIGHTS, out);
}

int64_t sys_bti_create(struct thread *self, zx_handle_t iommu_handle, uint32_t options,
                       uint64_t bti_id, struct user_ptr out)
{
    struct iommu *iommu;
    struct bti *bti;
    zx_status_t status;

    if (options)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, iommu_handle, ZX_OBJ_TYPE_IOMMU, 0, &iommu);
    if (status == ZX_OK)
        status = bti_create(iommu, bti_id, &bti);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, OBJECT(bti), ZX_DEFAULT_BTI_RIGHTS, out);
}

struct pin_args {
    struct bti *bti;
    struct vmo *vmo;
    uint64_t offset, size;
    struct user_ptr addrs, pmt;
};

/*
 * Checks the options against the VMO. *count: addresses that user code must have room for. A page
 * is the minimum contiguity here, so COMPRESS gives one address a page as well.
 */
static zx_status_t check_pin(const struct pin_args *args, uint32_t options, zx_rights_t rights,
                             size_t *count)
{
    const uint32_t perms = ZX_BTI_PERM_READ | ZX_BTI_PERM_WRITE | ZX_BTI_PERM_EXECUTE;
    bool contiguous = options & ZX_BTI_CONTIGUOUS;

    if (options & (ZX_BTI_PERM_READ | ZX_BTI_PERM_EXECUTE) && !(rights & ZX_RIGHT_READ))
        return ZX_ERR_ACCESS_DENIED;
    if (options & ZX_BTI_PERM_WRITE && !(rights & ZX_RIGHT_WRITE))
        return ZX_ERR_ACCESS_DENIED;
    if (!(options & perms) || options & ~(perms | ZX_BTI_COMPRESS | ZX_BTI_CONTIGUOUS))
        return ZX_ERR_INVALID_ARGS;
    if (contiguous &&
        (options & ZX_BTI_COMPRESS || !(args->vmo->flags & (VMO_CONTIGUOUS | VMO_PHYSICAL))))
        return ZX_ERR_INVALID_ARGS;
    if (args->size == 0)
        return ZX_ERR_INVALID_ARGS;
    if (args->offset > args->vmo->size || args->size > args->vmo->size - args->offset)
        return ZX_ERR_OUT_OF_RANGE;
    *count = contiguous ? 1 : args->size / HAL_PAGE_SIZE;
    return ZX_OK;
}

static zx_status_t pin(struct process *process, const struct pin_args *args, size_t count)
{
    size_t pages = args->size / HAL_PAGE_SIZE;
    hal_paddr_t *frames = heap_alloc(pages * sizeof *frames);
    struct pmt *pmt;
    zx_status_t status;

    if (!frames)
        return ZX_ERR_NO_MEMORY;
    status = bti_pin(args->bti, args->vmo, args->offset, args->size, frames, &pmt);
    if (status != ZX_OK) {
        heap_free(frames);
        return status;
    }
    status = user_write(process, args->addrs, frames, count * sizeof *frames);
    heap_free(frames);
    if (status == ZX_OK) {
        object_ref(OBJECT(pmt));
        status = handle_return(process, OBJECT(pmt), ZX_DEFAULT_PMT_RIGHTS, args->pmt);
    }
    if (status != ZX_OK)
        pmt_unpin(pmt); /* no device has been told the addresses */
    object_release(OBJECT(pmt));
    return status;
}

int64_t sys_bti_pin(struct thread *self, zx_handle_t bti_handle, uint32_t options,
                    zx_handle_t vmo_handle, uint64_t offset, uint64_t size, struct user_ptr addrs,
                    size_t num_addrs, struct user_ptr pmt)
{
    struct process *process = self->process;
    struct pin_args args = {.offset = offset, .size = size, .addrs = addrs, .pmt = pmt};
    zx_rights_t rights;
    size_t count;
    zx_status_t status = handle_get(process, bti_handle, ZX_OBJ_TYPE_BTI, ZX_RIGHT_MAP, &args.bti);

    if (status == ZX_OK && (offset | size) & HAL_PAGE_MASK)
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = handle_get_rights(process, vmo_handle, ZX_OBJ_TYPE_VMO, ZX_RIGHT_MAP, &args.vmo,
                                   &rights);
    if (status == ZX_OK)
        status = check_pin(&args, options, rights, &count);
    if (status == ZX_OK && num_addrs != count)
        status = ZX_ERR_INVALID_ARGS;
    return status == ZX_OK ? pin(process, &args, count) : status;
}

int64_t sys_bti_release_quarantine(struct thread *self, zx_handle_t bti_handle)
{
    struct bti *bti;
    zx_status_t status =
        handle_get(self->process, bti_handle, ZX_OBJ_TYPE_BTI, ZX_RIGHT_WRITE, &bti);

    if (status == ZX_OK)
        bti_release_quarantine(bti);
    return status;
}

/* The handle goes whatever it is. */
int64_t sys_pmt_unpin(struct thread *self, zx_handle_t handle)
{
    struct handle_ref ref;
    zx_status_t status = handle_remove(self->process, handle, &ref);

    if (status != ZX_OK)
        return status;
    if (ref.object->ops->type == ZX_OBJ_TYPE_PMT)
        pmt_unpin(container_of(ref.object, struct pmt, object));
    else
        status = ZX_ERR_WRONG_TYPE;
    handle_ref_close(ref);
    return status;
}
