/*
 * rows_clone.c - Linux: the nearest thing to a clone of a VMO is a private mapping of a memfd. It
 * is no snapshot (pages that nobody has written follow the file), so the rows that use the original
 * have no counterpart.
 */
#include "linux.h"

#include <sys/mman.h>
#include <unistd.h>

#define INTERVAL (8 * PAGE)

static char *clone_of(struct run *run, int fd, uint64_t size)
{
    char *clone = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

    if (clone == MAP_FAILED)
        run_fail(run, "mmap", strerror(errno));
    return clone;
}

void clone_close(struct run *run, const struct row *row)
{
    int fd = memory_file(run, row->size);

    RUN_TURNS(run) {
        char *clone = clone_of(run, fd, row->size);

        run_step(run);
        OK(run, munmap(clone, row->size));
    }
    close(fd);
}

/* A parent that is mapped, too. */
void clone_map(struct run *run, const struct row *row)
{
    int fd = memory_file(run, row->size);

    RUN_TURNS(run) {
        void *mapped = mmap(NULL, row->size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
        char *clone;

        run_step(run);
        clone = clone_of(run, fd, row->size);
        run_step(run);
        OK(run, munmap(clone, row->size));
        run_step(run);
        OK(run, munmap(mapped, row->size));
    }
    close(fd);
}

static void copy(const struct row *row, char *clone, char *buffer)
{
    size_t piece = row->flags & CLONE_SOME ? PAGE : row->size;
    size_t interval = row->flags & CLONE_SOME ? INTERVAL : row->size;

    for (size_t offset = 0; offset < row->size; offset += interval) {
        if (row->flags & CLONE_WRITE)
            memcpy(clone + offset, buffer, piece);
        else
            memcpy(buffer, clone + offset, piece);
    }
}

void clone_copy(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    int fd = memory_file(run, row->size);

    RUN_TURNS(run) {
        char *clone = clone_of(run, fd, row->size);

        run_step(run);
        copy(row, clone, buffer);
        run_step(run);
        OK(run, munmap(clone, row->size));
    }
    close(fd);
    buffer_unmap(buffer, row->size);
}
