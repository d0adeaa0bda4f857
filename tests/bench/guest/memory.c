/*
 * memory.c - buffers and memory objects for rows.
 */
#include "guest.h"

zx_handle_t vmo_committed(struct run *run, uint64_t size)
{
    zx_handle_t vmo = ZX_HANDLE_INVALID;

    OK(run, zx_vmo_create(size, 0, &vmo));
    OK(run, zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, size, NULL, 0));
    return vmo;
}

/* Page by page: what is all zeros could be shared, and would be cheaper to read than real data. */
char *buffer_map(struct run *run, size_t size)
{
    zx_handle_t vmo = vmo_committed(run, size);
    zx_vaddr_t address = 0;

    OK(run, zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, size,
                        &address));
    zx_handle_close(vmo);
    for (size_t i = 0; address != 0 && i < size; i += 512)
        *(volatile char *)(address + i) = (char)(i / 512 + 1);
    return (char *)address;
}

void buffer_unmap(char *buffer, size_t size)
{
    zx_vmar_unmap(zx_vmar_root_self(), (zx_vaddr_t)buffer, size);
}
