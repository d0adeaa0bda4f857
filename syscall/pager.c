/*
 * pager.c - zx_pager_*: rules section 9.
 */
#include "pager.h"

#include <zircon/policy.h>
#include <zircon/vm.h>

#include "job.h"
#include "port.h"
#include "syscalls.h"
#include "vmo.h"

int64_t sys_pager_create(struct thread *self, uint32_t options, struct user_ptr out)
{
    struct pager *pager;
    zx_status_t status;

    if (options)
        return ZX_ERR_INVALID_ARGS;
    status = pager_create(&pager);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, OBJECT(pager), ZX_DEFAULT_PAGER_RIGHTS, out);
}

int64_t sys_pager_create_vmo(struct thread *self, zx_handle_t pager_handle, uint32_t options,
                             zx_handle_t port_handle, uint64_t key, uint64_t size,
                             struct user_ptr out)
{
    struct process *process = self->process;
    struct pager *pager;
    struct port *port;
    struct vmo *vmo;
    zx_status_t status = job_policy_check(process, ZX_POL_NEW_VMO);

    if (status == ZX_OK)
        status = handle_get(process, pager_handle, ZX_OBJ_TYPE_PAGER, 0, &pager);
    if (status == ZX_OK)
        status = handle_get(process, port_handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port);
    if (status == ZX_OK && options & ~ZX_VMO_RESIZABLE)
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = pager_create_vmo(pager, port, key, size,
                                  options & ZX_VMO_RESIZABLE ? VMO_RESIZABLE : 0, &vmo);
    if (status != ZX_OK)
        return status;
    return handle_return(process, OBJECT(vmo), ZX_DEFAULT_VMO_RIGHTS, out);
}

/* Both handles of a call, no rights needed. */
static zx_status_t get_both(struct process *process, zx_handle_t pager_handle,
                            zx_handle_t vmo_handle, struct pager **pager, struct vmo **vmo)
{
    zx_status_t status = handle_get(process, pager_handle, ZX_OBJ_TYPE_PAGER, 0, pager);

    if (status == ZX_OK)
        status = handle_get(process, vmo_handle, ZX_OBJ_TYPE_VMO, 0, vmo);
    return status;
}

int64_t sys_pager_detach_vmo(struct thread *self, zx_handle_t pager_handle, zx_handle_t vmo_handle)
{
    struct pager *pager;
    struct vmo *vmo;
    zx_status_t status = get_both(self->process, pager_handle, vmo_handle, &pager, &vmo);

    return status == ZX_OK ? pager_detach_vmo(pager, vmo) : status;
}

int64_t sys_pager_supply_pages(struct thread *self, zx_handle_t pager_handle,
                               zx_handle_t vmo_handle, uint64_t offset, uint64_t length,
                               zx_handle_t aux_handle, uint64_t aux_offset)
{
    struct pager *pager;
    struct vmo *vmo, *aux;
    zx_status_t status;

    if ((offset | length | aux_offset) & ZX_PAGE_MASK)
        return ZX_ERR_INVALID_ARGS;
    status = get_both(self->process, pager_handle, vmo_handle, &pager, &vmo);
    if (status == ZX_OK && !pager_owns(pager, vmo))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = handle_get(self->process, aux_handle, ZX_OBJ_TYPE_VMO,
                            ZX_RIGHT_READ | ZX_RIGHT_WRITE, &aux);
    if (status != ZX_OK)
        return status;
    return pager_supply_pages(pager, vmo, offset, length, aux, aux_offset);
}

int64_t sys_pager_op_range(struct thread *self, zx_handle_t pager_handle, uint32_t op,
                           zx_handle_t vmo_handle, uint64_t offset, uint64_t length, uint64_t data)
{
    int64_t error = (int64_t)data;
    struct pager *pager;
    struct vmo *vmo;
    zx_status_t status;

    if ((offset | length) & ZX_PAGE_MASK)
        return ZX_ERR_INVALID_ARGS;
    status = get_both(self->process, pager_handle, vmo_handle, &pager, &vmo);
    if (status == ZX_OK && !pager_owns(pager, vmo))
        status = ZX_ERR_INVALID_ARGS;
    if (status != ZX_OK)
        return status;
    if (op != ZX_PAGER_OP_FAIL)
        return ZX_ERR_NOT_SUPPORTED;
    if (error != ZX_ERR_IO && error != ZX_ERR_IO_DATA_INTEGRITY && error != ZX_ERR_BAD_STATE)
        return ZX_ERR_INVALID_ARGS;
    return pager_fail(pager, vmo, offset, length, (zx_status_t)error);
}
