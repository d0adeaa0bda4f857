/*
 * rows_vmo.c - Linux: a memfd for a VMO, read and written by pread and pwrite; committing and
 * decommitting by fallocate.
 */
#include "linux.h"

#include <fcntl.h>
#include <unistd.h>

static void vmo_read(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    int fd = memory_file(run, row->size);

    OK(run, pwrite(fd, buffer, row->size, 0));
    RUN_TURNS(run)
        OK(run, pread(fd, buffer, row->size, 0));
    close(fd);
    buffer_unmap(buffer, row->size);
}

static void vmo_write(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    int fd = memory_file(run, row->size);

    RUN_TURNS(run)
        OK(run, pwrite(fd, buffer, row->size, 0));
    close(fd);
    buffer_unmap(buffer, row->size);
}

static void vmo_commit(struct run *run, const struct row *row)
{
    int fd = memory_file(run, row->size);

    RUN_TURNS(run) {
        OK(run, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)row->size));
        run_step(run);
        OK(run, fallocate(fd, 0, 0, (off_t)row->size));
    }
    close(fd);
}

const struct row vmo_rows[] = {
    THREE_SIZES("Vmo/Read", vmo_read),
    MORE_SIZES("Vmo/Read", vmo_read),
    THREE_SIZES("Vmo/Write", vmo_write),
    MORE_SIZES("Vmo/Write", vmo_write),
    THREE_SIZES("Vmo/Commit", vmo_commit, .steps = "decommit commit"),
    {0},
};
