/*
 * rows_clone.c - snapshots of memory objects; and rows that read or write the parent instead, of
 * which Linux has no counterpart.
 */
#include "guest.h"

#define INTERVAL (8 * ZX_PAGE_SIZE)

static inline zx_handle_t clone_of(struct run *run, zx_handle_t vmo, uint64_t size)
{
    zx_handle_t clone = ZX_HANDLE_INVALID;

    OK(run, zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, size, &clone));
    return clone;
}

void clone_close(struct run *run, const struct row *row)
{
    zx_handle_t vmo = vmo_committed(run, row->size);

    RUN_TURNS(run) {
        zx_handle_t clone = clone_of(run, vmo, row->size);

        run_step(run);
        OK(run, zx_handle_close(clone));
    }
    zx_handle_close(vmo);
}

/* The parent is mapped: its pages must become read-only. */
void clone_map(struct run *run, const struct row *row)
{
    zx_handle_t vmo = vmo_committed(run, row->size);
    zx_vaddr_t address = 0;

    RUN_TURNS(run) {
        zx_handle_t clone;

        OK(run, zx_vmar_map(zx_vmar_root_self(), ZX_VM_MAP_RANGE | ZX_VM_PERM_READ, 0, vmo, 0,
                            row->size, &address));
        run_step(run);
        clone = clone_of(run, vmo, row->size);
        run_step(run);
        OK(run, zx_handle_close(clone));
        run_step(run);
        OK(run, zx_vmar_unmap(zx_vmar_root_self(), address, row->size));
    }
    zx_handle_close(vmo);
}

static void copy(struct run *run, const struct row *row, zx_handle_t target, char *buffer)
{
    uint64_t piece = row->flags & CLONE_SOME ? ZX_PAGE_SIZE : row->size;
    uint64_t interval = row->flags & CLONE_SOME ? INTERVAL : row->size;

    for (uint64_t offset = 0; offset < row->size; offset += interval) {
        if (row->flags & CLONE_WRITE)
            OK(run, zx_vmo_write(target, buffer, offset, piece));
        else
            OK(run, zx_vmo_read(target, buffer, offset, piece));
    }
}

void clone_copy(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    zx_handle_t vmo = vmo_committed(run, row->size);

    RUN_TURNS(run) {
        zx_handle_t clone = clone_of(run, vmo, row->size);

        run_step(run);
        copy(run, row, row->flags & CLONE_ORIGINAL ? vmo : clone, buffer);
        run_step(run);
        OK(run, zx_handle_close(clone));
    }
    zx_handle_close(vmo);
    buffer_unmap(buffer, row->size);
}

const struct row original_rows[] = {
    THREE_SIZES("Vmo/Clone/ReadOrigAll", clone_copy, CLONE_READ_STEPS, .flags = CLONE_ORIGINAL),
    THREE_SIZES("Vmo/Clone/ReadOrigSome", clone_copy, CLONE_READ_STEPS,
                .flags = CLONE_ORIGINAL | CLONE_SOME),
    THREE_SIZES("Vmo/Clone/WriteOrigAll", clone_copy, CLONE_WRITE_STEPS,
                .flags = CLONE_WRITE | CLONE_ORIGINAL),
    THREE_SIZES("Vmo/Clone/WriteOrigSome", clone_copy, CLONE_WRITE_STEPS,
                .flags = CLONE_WRITE | CLONE_ORIGINAL | CLONE_SOME),
    {0},
};
