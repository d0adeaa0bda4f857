/*
 * rows_map.c - mapping memory objects. VmoMap/ and VmoMapRange/ are Zircon's rows: map, copy
 * the whole of it once, unmap; by the program itself or ("Kernel") by a system call whose buffer it
 * is. Vmar/ are the parts alone.
 */
#include "guest.h"

#include <string.h>

enum { WRITE = 1, KERNEL = 2, RANGE = 4 };

static void map_copy(struct run *run, const struct row *row)
{
    zx_vm_option_t how = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    char *buffer = buffer_map(run, row->size);
    zx_handle_t vmo = vmo_committed(run, row->size), other = vmo_committed(run, row->size);
    zx_vaddr_t address = 0;

    if (row->flags & RANGE)
        how |= ZX_VM_MAP_RANGE;
    OK(run, zx_vmo_write(vmo, buffer, 0, row->size));
    while (run_next(run)) {
        OK(run, zx_vmar_map(zx_vmar_root_self(), how, 0, vmo, 0, row->size, &address));
        if (run->failed)
            break;
        if ((row->flags & (WRITE | KERNEL)) == (WRITE | KERNEL))
            OK(run, zx_vmo_read(other, (void *)address, 0, row->size));
        else if (row->flags & KERNEL)
            OK(run, zx_vmo_write(other, (void *)address, 0, row->size));
        else if (row->flags & WRITE)
            memcpy((void *)address, buffer, row->size);
        else
            memcpy(buffer, (void *)address, row->size);
        OK(run, zx_vmar_unmap(zx_vmar_root_self(), address, row->size));
    }
    zx_handle_close(vmo);
    zx_handle_close(other);
    buffer_unmap(buffer, row->size);
}

/* With RANGE the pages are there after the call, else none is. */
static void map_unmap(struct run *run, const struct row *row)
{
    zx_vm_option_t how = ZX_VM_PERM_READ | (row->flags & RANGE ? ZX_VM_MAP_RANGE : 0);
    zx_handle_t vmo = vmo_committed(run, row->size);
    zx_vaddr_t address = 0;

    while (run_next(run)) {
        OK(run, zx_vmar_map(zx_vmar_root_self(), how, 0, vmo, 0, row->size, &address));
        run_step(run);
        OK(run, zx_vmar_unmap(zx_vmar_root_self(), address, row->size));
    }
    zx_handle_close(vmo);
}

static void protect(struct run *run, const struct row *row)
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

const struct row map_rows[] = {
    THREE_SIZES("VmoMap/Read", map_copy, .flags = 0),
    THREE_SIZES("VmoMap/Read/Kernel", map_copy, .flags = KERNEL),
    THREE_SIZES("VmoMap/Write", map_copy, .flags = WRITE),
    THREE_SIZES("VmoMap/Write/Kernel", map_copy, .flags = WRITE | KERNEL),
    THREE_SIZES("VmoMapRange/Read", map_copy, .flags = RANGE),
    THREE_SIZES("VmoMapRange/Read/Kernel", map_copy, .flags = RANGE | KERNEL),
    THREE_SIZES("VmoMapRange/Write", map_copy, .flags = RANGE | WRITE),
    THREE_SIZES("VmoMapRange/Write/Kernel", map_copy, .flags = RANGE | WRITE | KERNEL),
    THREE_SIZES("Vmar/MapUnmap", map_unmap, .steps = "map unmap"),
    MORE_SIZES("Vmar/MapUnmap", map_unmap, .steps = "map unmap"),
    THREE_SIZES("Vmar/MapRangeUnmap", map_unmap, .steps = "map unmap", .flags = RANGE),
    MORE_SIZES("Vmar/MapRangeUnmap", map_unmap, .steps = "map unmap", .flags = RANGE),
    THREE_SIZES("Vmar/Protect", protect),
    {"Vmar/AllocateDestroy", region_create, .steps = "allocate destroy"},
    {0},
};
