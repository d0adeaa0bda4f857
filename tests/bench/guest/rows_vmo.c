/*
 * rows_vmo.c - reading and writing memory objects by system calls.
 */
#include "guest.h"

static void vmo_read(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    zx_handle_t vmo = vmo_committed(run, row->size);

    OK(run, zx_vmo_write(vmo, buffer, 0, row->size));
    RUN_TURNS(run)
        OK(run, zx_vmo_read(vmo, buffer, 0, row->size));
    zx_handle_close(vmo);
    buffer_unmap(buffer, row->size);
}

static void vmo_write(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    zx_handle_t vmo = vmo_committed(run, row->size);

    RUN_TURNS(run)
        OK(run, zx_vmo_write(vmo, buffer, 0, row->size));
    zx_handle_close(vmo);
    buffer_unmap(buffer, row->size);
}

/* Pages come and go: those that an object gets have been used and must be cleared. */
static void vmo_commit(struct run *run, const struct row *row)
{
    zx_handle_t vmo = vmo_committed(run, row->size);

    RUN_TURNS(run) {
        OK(run, zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, row->size, NULL, 0));
        run_step(run);
        OK(run, zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, row->size, NULL, 0));
    }
    zx_handle_close(vmo);
}

const struct row vmo_rows[] = {
    THREE_SIZES("Vmo/Read", vmo_read),
    MORE_SIZES("Vmo/Read", vmo_read),
    THREE_SIZES("Vmo/Write", vmo_write),
    MORE_SIZES("Vmo/Write", vmo_write),
    THREE_SIZES("Vmo/Commit", vmo_commit, .steps = "decommit commit"),
    {0},
};
