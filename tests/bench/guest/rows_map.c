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
    RUN_TURNS(run) {
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

/*
 * A VMAR of 64 MiB with three regions, a quarter of it apart, for others to come and go between. In
 * the root VMAR what a turn takes would depend on how many were taken before: when a window of that
 * size has no room at a few random places the kernel goes on in another, which is empty and so
 * easier on the processor's guesses (object/vmar_place.c).
 */
static zx_handle_t vmar_in_use(struct run *run)
{
    const uint64_t size = 64 * MIB;
    zx_handle_t vmar = ZX_HANDLE_INVALID;
    zx_vaddr_t address;

    OK(run, zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_SPECIFIC, 0,
                             size, &vmar, &address));
    for (uint64_t offset = size / 4; offset < size && !run->failed; offset += size / 4) {
        zx_handle_t region = ZX_HANDLE_INVALID;

        OK(run, zx_vmar_allocate(vmar, ZX_VM_SPECIFIC, offset, ZX_PAGE_SIZE, &region, &address));
        zx_handle_close(region); /* it stays */
    }
    return vmar;
}

static void vmar_done(zx_handle_t vmar)
{
    zx_vmar_destroy(vmar);
    zx_handle_close(vmar);
}

/* With MAPPED_RANGE the pages are there after the call, else none is. */
void map_unmap(struct run *run, const struct row *row)
{
    zx_vm_option_t how = ZX_VM_PERM_READ | (row->flags & MAPPED_RANGE ? ZX_VM_MAP_RANGE : 0);
    zx_handle_t vmo = vmo_committed(run, row->size), vmar = vmar_in_use(run);
    zx_vaddr_t address = 0;

    RUN_TURNS(run) {
        OK(run, zx_vmar_map(vmar, how, 0, vmo, 0, row->size, &address));
        run_step(run);
        OK(run, zx_vmar_unmap(vmar, address, row->size));
    }
    vmar_done(vmar);
    zx_handle_close(vmo);
}

void protect(struct run *run, const struct row *row)
{
    zx_handle_t vmo = vmo_committed(run, row->size);
    zx_vm_option_t how = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    zx_vaddr_t address = 0;

    OK(run,
       zx_vmar_map(zx_vmar_root_self(), how | ZX_VM_MAP_RANGE, 0, vmo, 0, row->size, &address));
    RUN_TURNS(run) {
        how ^= ZX_VM_PERM_WRITE;
        OK(run, zx_vmar_protect(zx_vmar_root_self(), how, address, row->size));
    }
    zx_vmar_unmap(zx_vmar_root_self(), address, row->size);
    zx_handle_close(vmo);
}

static void region_create(struct run *run, const struct row *row)
{
    zx_handle_t parent = vmar_in_use(run), vmar;
    zx_vaddr_t address;

    (void)row;
    RUN_TURNS(run) {
        OK(run, zx_vmar_allocate(parent, ZX_VM_CAN_MAP_READ, 0, MIB, &vmar, &address));
        run_step(run);
        OK(run, zx_vmar_destroy(vmar));
        zx_handle_close(vmar);
    }
    vmar_done(parent);
}

const struct row region_rows[] = {
    {"Vmar/AllocateDestroy", region_create, .steps = "allocate destroy"},
    {0},
};
