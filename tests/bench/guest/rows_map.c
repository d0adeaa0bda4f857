/* rows_map.c - mapping memory objects, and creating a region. */
#include "guest.h"

#include <string.h>

void map_copy(struct run *run, const struct row *row)
{
    zx_vm_option_t how = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    char *buffer = buffer_map(run, row->size);
    zx_handle_t vmo = vmo_committed(run, row->size), other = vmo_committed(run, row->size);
    zx_vaddr_t address = 0;

    if (row->flags & MAPPED_RANGE)
        how |= ZX_VM_MAP_RANGE;
    OK(run, zx_vmo_write(vmo, buffer, 0, row->size));
    while (run_next(run)) {
        OK(run, zx_vmar_map(zx_vmar_root_self(), how, 0, vmo, 0, row->size, &address));
        if (run->failed)
            break;
        if ((row->flags & (MAPPED_WRITE | MAPPED_KERNEL)) == (MAPPED_WRITE | MAPPED_KERNEL))
            OK(run, zx_vmo_read(other, (void *)address, 0, row->size));
        else if (row->flags & MAPPED_KERNEL)
            OK(run, zx_vmo_write(other, (void *)address, 0, row->size));
        else if (row->flags & MAPPED_WRITE)
            memcpy((void *)address, buffer, row->size);
        else
            memcpy(buffer, (void *)address, row->size);
        OK(run, zx_vmar_unmap(zx_vmar_root_self(), address, row->size));
    }
    zx_handle_close(vmo);
    zx_handle_close(other);
    buffer_unmap(buffer, row->size);
}

/* With MAPPED_RANGE the pages are there after the call, else none is. */
void map_unmap(struct run *run, const struct row *row)
{
    zx_vm_option_t how = ZX_VM_PERM_READ | (row->flags & MAPPED_RANGE ? ZX_VM_MAP_RANGE : 0);
    zx_handle_t vmo = vmo_committed(run, row->size);
    zx_vaddr_t address = 0;

    while (run_next(run)) {
        OK(run, zx_vmar_map(zx_vmar_root_self(), how, 0, vmo, 0, row->size, &address));
        run_step(run);
        OK(run, zx_vmar_unmap(zx_vmar_root_self(), address, row->size));
    }
    zx_handle_close(vmo);
}

void protect(struct run *run, const struct row *row)
{
    zx_handle_t vmo = vmo_committed(run, row->size);
    zx_vm_option_t how = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    zx_vaddr_t address = 0;

    OK(run,
       zx_vmar_map(zx_vmar_root_self(), how | ZX_VM_MAP_RANGE, 0, vmo, 0, row->size, &address));
    while (run_next(run)) {
        how ^= ZX_VM_PERM_WRITE;
        OK(run, zx_vmar_protect(zx_vmar_root_self(), how, address, row->size));
    }
    zx_vmar_unmap(zx_vmar_root_self(), address, row->size);
    zx_handle_close(vmo);
}

static void region_create(struct run *run, const struct row *row)
{
    zx_handle_t vmar;
    zx_vaddr_t address;

    (void)row;
    while (run_next(run)) {
        OK(run, zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ, 0, MIB, &vmar, &address));
        run_step(run);
        OK(run, zx_vmar_destroy(vmar));
        zx_handle_close(vmar);
    }
}

const struct row region_rows[] = {
    {"Vmar/AllocateDestroy", region_create, .steps = "allocate destroy"},
    {0},
};
