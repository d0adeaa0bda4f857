/*
 * vmar.c - zx_vmar_*: rules section 7.
 */
#include "vmar.h"

#include "syscalls.h"
#include "vmo.h"

/* What user code may ask vmar_map for; CAN_MAP_* follow from the handles' rights. */
#define MAP_OPTIONS                                                                                \
    (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE | ZX_VM_COMPACT | ZX_VM_SPECIFIC |    \
     ZX_VM_SPECIFIC_OVERWRITE | ZX_VM_MAP_RANGE | ZX_VM_REQUIRE_NON_RESIZABLE |                    \
     ZX_VM_ALLOW_FAULTS | ZX_VM_OFFSET_IS_UPPER_LIMIT | (0xffu << ZX_VM_ALIGN_BASE))

/* READ, WRITE and EXECUTE stand at other bits in options; `first` is the option for READ. */
static zx_rights_t rights_of(uint32_t options, uint32_t first)
{
    return (options & first ? ZX_RIGHT_READ : 0) | (options & first << 1 ? ZX_RIGHT_WRITE : 0) |
           (options & first << 2 ? ZX_RIGHT_EXECUTE : 0);
}

static uint32_t can_map_of(zx_rights_t rights)
{
    return (rights & ZX_RIGHT_READ ? ZX_VM_CAN_MAP_READ : 0) |
           (rights & ZX_RIGHT_WRITE ? ZX_VM_CAN_MAP_WRITE : 0) |
           (rights & ZX_RIGHT_EXECUTE ? ZX_VM_CAN_MAP_EXECUTE : 0);
}

int64_t sys_vmar_allocate(struct thread *self, zx_handle_t parent_vmar, zx_vm_option_t options,
                          uint64_t offset, uint64_t size, struct user_ptr child_vmar,
                          struct user_ptr child_addr)
{
    zx_rights_t rights = rights_of(options, ZX_VM_CAN_MAP_READ);
    struct vmar *parent, *child;
    zx_status_t status = handle_get(self->process, parent_vmar, ZX_OBJ_TYPE_VMAR, rights, &parent);

    if (status != ZX_OK)
        return status;
    status = vmar_allocate(parent, options, offset, size, &child);
    if (status != ZX_OK)
        return status;
    status = user_write_value(self->process, child_addr, child->region.base);
    if (status == ZX_OK) {
        object_ref(OBJECT(child));
        status = handle_return(self->process, OBJECT(child), ZX_DEFAULT_VMAR_RIGHTS | rights,
                               child_vmar);
    }
    if (status != ZX_OK)
        vmar_destroy(child); /* user code has no name for it */
    object_release(OBJECT(child));
    return status;
}

int64_t sys_vmar_destroy(struct thread *self, zx_handle_t handle)
{
    struct vmar *vmar;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMAR, 0, &vmar);

    return status == ZX_OK ? vmar_destroy(vmar) : status;
}

int64_t sys_vmar_map(struct thread *self, zx_handle_t handle, zx_vm_option_t options,
                     uint64_t vmar_offset, zx_handle_t vmo_handle, uint64_t vmo_offset,
                     uint64_t len, struct user_ptr mapped_addr)
{
    struct process *process = self->process;
    zx_rights_t vmar_rights, vmo_rights, needed = rights_of(options, ZX_VM_PERM_READ);
    struct vmar *vmar;
    struct vmo *vmo;
    zx_vaddr_t va;
    zx_status_t status =
        handle_get_rights(process, handle, ZX_OBJ_TYPE_VMAR, 0, &vmar, &vmar_rights);

    if (status == ZX_OK)
        status = handle_get_rights(process, vmo_handle, ZX_OBJ_TYPE_VMO, ZX_RIGHT_MAP, &vmo,
                                   &vmo_rights);
    if (status != ZX_OK)
        return status;
    if (options & ~MAP_OPTIONS || (needed && !(needed & ZX_RIGHT_READ)) ||
        (options & ZX_VM_MAP_RANGE && options & ZX_VM_SPECIFIC_OVERWRITE))
        return ZX_ERR_INVALID_ARGS;
    if (needed & ~(vmar_rights & vmo_rights))
        return ZX_ERR_ACCESS_DENIED;
    status = vmar_map(vmar, options | can_map_of(vmar_rights & vmo_rights), vmar_offset, vmo,
                      vmo_offset, len, &va);
    if (status != ZX_OK)
        return status;
    status = user_write_value(process, mapped_addr, va);
    if (status != ZX_OK)
        vmar_unmap(vmar, va, len); /* the vDSO's code stays: it cannot be unmapped */
    return status;
}

int64_t sys_vmar_unmap(struct thread *self, zx_handle_t handle, zx_vaddr_t addr, uint64_t len)
{
    struct vmar *vmar;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMAR, 0, &vmar);

    return status == ZX_OK ? vmar_unmap(vmar, addr, len) : status;
}

int64_t sys_vmar_protect(struct thread *self, zx_handle_t handle, zx_vm_option_t options,
                         zx_vaddr_t addr, uint64_t len)
{
    struct vmar *vmar;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMAR,
                                    rights_of(options, ZX_VM_PERM_READ), &vmar);

    return status == ZX_OK ? vmar_protect(vmar, options, addr, len) : status;
}

int64_t sys_vmar_op_range(struct thread *self, zx_handle_t handle, uint32_t op, zx_vaddr_t address,
                          uint64_t size, struct user_ptr buffer, size_t buffer_size)
{
    struct vmar *vmar;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_VMAR, 0, &vmar);

    if (status != ZX_OK)
        return status;
    if (!user_null(buffer) || buffer_size != 0)
        return ZX_ERR_INVALID_ARGS;
    return vmar_op_range(vmar, op, address, size);
}
