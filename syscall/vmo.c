/*
 * vmo.c - zx_vmo_*: rules section 8.
 */
#include "vmo.h"

#include <zircon/policy.h>
#include <zircon/resource.h>

#include "bti.h"
#include "job.h"
#include "name.h"
#include "resource.h"
#include "syscalls.h"

int64_t sys_vmo_create(struct thread *self, uint64_t size, uint32_t options, struct user_ptr out)
{
    struct vmo *vmo;
    zx_status_t status = job_policy_check(self->process, ZX_POL_NEW_VMO);

    if (status == ZX_OK && options & ~ZX_VMO_RESIZABLE)
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = vmo_create(size, options & ZX_VMO_RESIZABLE ? VMO_RESIZABLE : 0, &vmo);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, OBJECT(vmo), ZX_DEFAULT_VMO_RIGHTS, out);
}

int64_t sys_vmo_read(struct thread *self, zx_handle_t handle, struct user_ptr buffer,
                     uint64_t offset, size_t buffer_size)
{
    struct vmo *vmo;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMO, ZX_RIGHT_READ, &vmo);

    if (status != ZX_OK)
        return status;
    return vmo_read_user(vmo, self->process, buffer, offset, buffer_size);
}

int64_t sys_vmo_write(struct thread *self, zx_handle_t handle, struct user_ptr buffer,
                      uint64_t offset, size_t buffer_size)
{
    struct vmo *vmo;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMO, ZX_RIGHT_WRITE, &vmo);

    if (status != ZX_OK)
        return status;
    return vmo_write_user(vmo, self->process, buffer, offset, buffer_size);
}

int64_t sys_vmo_get_size(struct thread *self, zx_handle_t handle, struct user_ptr size)
{
    struct vmo *vmo;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMO, 0, &vmo);

    return status == ZX_OK ? user_write_value(self->process, size, vmo->size) : status;
}

int64_t sys_vmo_set_size(struct thread *self, zx_handle_t handle, uint64_t size)
{
    struct vmo *vmo;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMO, ZX_RIGHT_WRITE, &vmo);

    return status == ZX_OK ? vmo_set_size(vmo, size) : status;
}

/* The right that an operation needs; 0: none. */
static zx_rights_t op_right(uint32_t op)
{
    switch (op) {
    case ZX_VMO_OP_COMMIT:
    case ZX_VMO_OP_DECOMMIT:
    case ZX_VMO_OP_CACHE_INVALIDATE:
    case ZX_VMO_OP_ZERO:
        return ZX_RIGHT_WRITE;
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
        return ZX_RIGHT_READ;
    default:
        return 0;
    }
}

int64_t sys_vmo_op_range(struct thread *self, zx_handle_t handle, uint32_t op, uint64_t offset,
                         uint64_t size, struct user_ptr buffer, size_t buffer_size)
{
    struct vmo *vmo;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMO, op_right(op), &vmo);

    (void)buffer; /* no operation uses it */
    (void)buffer_size;
    return status == ZX_OK ? vmo_op_range(vmo, op, offset, size) : status;
}

static zx_rights_t child_rights(zx_rights_t parent, uint32_t options, bool no_write)
{
    zx_rights_t rights = parent | ZX_RIGHTS_PROPERTY;

    if (no_write)
        return rights & ~ZX_RIGHT_WRITE;
    if (options & ZX_VMO_CHILD_SLICE)
        return rights;
    return (rights | ZX_RIGHT_WRITE) & ~ZX_RIGHT_EXECUTE;
}

int64_t sys_vmo_create_child(struct thread *self, zx_handle_t handle, uint32_t options,
                             uint64_t offset, uint64_t size, struct user_ptr out)
{
    bool no_write = options & ZX_VMO_CHILD_NO_WRITE;
    struct vmo *vmo, *child;
    zx_rights_t rights;
    zx_status_t status = handle_get_rights(self->process, handle, ZX_OBJ_TYPE_VMO,
                                           ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ, &vmo, &rights);

    if (status != ZX_OK)
        return status;
    options &= ~ZX_VMO_CHILD_NO_WRITE;
    status = vmo_create_child(vmo, options, offset, size, &child);
    if (status != ZX_OK)
        return status;
    if (rights & ZX_RIGHT_GET_PROPERTY)
        vmo_copy_name(child, vmo);
    return handle_return(self->process, OBJECT(child), child_rights(rights, options, no_write),
                         out);
}

int64_t sys_vmo_set_cache_policy(struct thread *self, zx_handle_t handle, uint32_t cache_policy)
{
    struct vmo *vmo;
    zx_status_t status;

    if (cache_policy > ZX_CACHE_POLICY_MASK)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMO, ZX_RIGHT_MAP, &vmo);
    return status == ZX_OK ? vmo_set_cache_policy(vmo, cache_policy) : status;
}

/* The source handle goes in every case but one: that it was not found. */
int64_t sys_vmo_replace_as_executable(struct thread *self, zx_handle_t handle, zx_handle_t vmex,
                                      struct user_ptr out)
{
    struct process *process = self->process;
    struct handle_ref source;
    zx_handle_t value;
    zx_status_t status = vmex == ZX_HANDLE_INVALID
                             ? job_policy_check(process, ZX_POL_AMBIENT_MARK_VMO_EXEC)
                             : resource_check(process, vmex, ZX_RSRC_KIND_VMEX, 0, 0);

    if (handle_remove(process, handle, &source) != ZX_OK)
        return ZX_ERR_BAD_HANDLE;
    if (status == ZX_OK && source.object->ops->type != ZX_OBJ_TYPE_VMO)
        status = ZX_ERR_BAD_HANDLE;
    if (status == ZX_OK) {
        source.rights |= ZX_RIGHT_EXECUTE;
        status = handle_install(process, source, &value);
    }
    if (status != ZX_OK) {
        handle_ref_close(source);
        return status;
    }
    status = user_write_u32(process, out, value);
    if (status != ZX_OK)
        handle_close(process, value);
    return status;
}

int64_t sys_vmo_create_contiguous(struct thread *self, zx_handle_t bti_handle, size_t size,
                                  uint32_t alignment_log2, struct user_ptr out)
{
    struct process *process = self->process;
    struct bti *bti;
    struct vmo *vmo;
    zx_status_t status;

    if (size == 0)
        return ZX_ERR_INVALID_ARGS;
    if (alignment_log2 == 0)
        alignment_log2 = 12;
    if (alignment_log2 < 12 || alignment_log2 >= 64)
        return ZX_ERR_INVALID_ARGS;
    status = job_policy_check(process, ZX_POL_NEW_VMO);
    if (status == ZX_OK)
        status = handle_get(process, bti_handle, ZX_OBJ_TYPE_BTI, ZX_RIGHT_MAP, &bti);
    if (status == ZX_OK)
        status = vmo_create_contiguous(size, alignment_log2, &vmo);
    if (status != ZX_OK)
        return status;
    return handle_return(process, OBJECT(vmo), ZX_DEFAULT_VMO_RIGHTS, out);
}

int64_t sys_vmo_create_physical(struct thread *self, zx_handle_t resource, zx_paddr_t paddr,
                                size_t size, struct user_ptr out)
{
    struct process *process = self->process;
    uint64_t rounded = (size + HAL_PAGE_MASK) & ~HAL_PAGE_MASK;
    struct vmo *vmo;
    zx_status_t status = job_policy_check(process, ZX_POL_NEW_VMO);

    if (status == ZX_OK)
        status = resource_check(process, resource, ZX_RSRC_KIND_MMIO, paddr, rounded);
    if (status != ZX_OK)
        return status;
    if (rounded == 0 || paddr & HAL_PAGE_MASK || paddr + rounded < paddr)
        return ZX_ERR_INVALID_ARGS;
    status = vmo_create_physical(paddr, rounded, &vmo);
    if (status != ZX_OK)
        return status;
    return handle_return(process, OBJECT(vmo), ZX_DEFAULT_VMO_RIGHTS, out);
}
