/*
 * rows_clone.c - snapshots of memory objects: making one, reading or writing all or every eighth
 * page of it or of its parent, and closing it. Names and steps are Zircon's.
 */
#include "guest.h"

enum { WRITE = 1, ORIGINAL = 2, SOME = 4 };

#define INTERVAL (8 * ZX_PAGE_SIZE)

static inline zx_handle_t clone_of(struct run *run, zx_handle_t vmo, uint64_t size)
{
    zx_handle_t clone = ZX_HANDLE_INVALID;

    OK(run, zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, size, &clone));
    return clone;
}

static void clone_close(struct run *run, const struct row *row)
{
    zx_handle_t vmo = vmo_committed(run, row->size);

    while (run_next(run)) {
        zx_handle_t clone = clone_of(run, vmo, row->size);

        run_step(run);
        OK(run, zx_handle_close(clone));
    }
    zx_handle_close(vmo);
}

/* The parent is mapped: its pages must become read-only. */
static void clone_map(struct run *run, const struct row *row)
{
    zx_handle_t vmo = vmo_committed(run, row->size);
    zx_vaddr_t address = 0;

    while (run_next(run)) {
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
    uint64_t piece = row->flags & SOME ? ZX_PAGE_SIZE : row->size;
    uint64_t interval = row->flags & SOME ? INTERVAL : row->size;

    for (uint64_t offset = 0; offset < row->size; offset += interval) {
        if (row->flags & WRITE)
            OK(run, zx_vmo_write(target, buffer, offset, piece));
        else
            OK(run, zx_vmo_read(target, buffer, offset, piece));
    }
}

static void clone_copy(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    zx_handle_t vmo = vmo_committed(run, row->size);

    while (run_next(run)) {
        zx_handle_t clone = clone_of(run, vmo, row->size);

        run_step(run);
        copy(run, row, row->flags & ORIGINAL ? vmo : clone, buffer);
        run_step(run);
        OK(run, zx_handle_close(clone));
    }
    zx_handle_close(vmo);
    buffer_unmap(buffer, row->size);
}

#define READ_STEPS  .steps = "clone read close"
#define WRITE_STEPS .steps = "clone write close"

const struct row clone_rows[] = {
    THREE_SIZES("Vmo/Clone", clone_close, .steps = "clone close"),
    MORE_SIZES("Vmo/Clone", clone_close, .steps = "clone close"),
    THREE_SIZES("Vmo/CloneMap", clone_map, .steps = "map clone close unmap"),
    THREE_SIZES("Vmo/Clone/ReadCloneAll", clone_copy, READ_STEPS, .flags = 0),
    THREE_SIZES("Vmo/Clone/ReadCloneSome", clone_copy, READ_STEPS, .flags = SOME),
    THREE_SIZES("Vmo/Clone/ReadOrigAll", clone_copy, READ_STEPS, .flags = ORIGINAL),
    THREE_SIZES("Vmo/Clone/ReadOrigSome", clone_copy, READ_STEPS, .flags = ORIGINAL | SOME),
    THREE_SIZES("Vmo/Clone/WriteCloneAll", clone_copy, WRITE_STEPS, .flags = WRITE),
    THREE_SIZES("Vmo/Clone/WriteCloneSome", clone_copy, WRITE_STEPS, .flags = WRITE | SOME),
    THREE_SIZES("Vmo/Clone/WriteOrigAll", clone_copy, WRITE_STEPS, .flags = WRITE | ORIGINAL),
    THREE_SIZES("Vmo/Clone/WriteOrigSome", clone_copy, WRITE_STEPS,
                .flags = WRITE | ORIGINAL | SOME),
    {0},
};
