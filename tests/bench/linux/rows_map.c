/*
 * rows_map.c - Linux: a memfd mapped shared; MAP_POPULATE for ZX_VM_MAP_RANGE; "Kernel" copies are
 * pread and pwrite of another memfd.
 */
#include "linux.h"

#include <sys/mman.h>
#include <unistd.h>

enum { WRITE = 1, KERNEL = 2, RANGE = 4 };

static void map_copy(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    int fd = memory_file(run, row->size), other = memory_file(run, row->size);
    int how = MAP_SHARED | (row->flags & RANGE ? MAP_POPULATE : 0);

    OK(run, pwrite(fd, buffer, row->size, 0));
    while (run_next(run)) {
        char *mapped = mmap(NULL, row->size, PROT_READ | PROT_WRITE, how, fd, 0);

        if (mapped == MAP_FAILED)
            run_fail(run, "mmap", strerror(errno));
        else if ((row->flags & (WRITE | KERNEL)) == (WRITE | KERNEL))
            OK(run, pread(other, mapped, row->size, 0));
        else if (row->flags & KERNEL)
            OK(run, pwrite(other, mapped, row->size, 0));
        else if (row->flags & WRITE)
            memcpy(mapped, buffer, row->size);
        else
            memcpy(buffer, mapped, row->size);
        OK(run, munmap(mapped, row->size));
    }
    close(fd);
    close(other);
    buffer_unmap(buffer, row->size);
}

static void map_unmap(struct run *run, const struct row *row)
{
    int how = MAP_SHARED | (row->flags & RANGE ? MAP_POPULATE : 0);
    int fd = memory_file(run, row->size);

    while (run_next(run)) {
        void *mapped = mmap(NULL, row->size, PROT_READ, how, fd, 0);

        run_step(run);
        OK(run, munmap(mapped, row->size));
    }
    close(fd);
}

static void protect(struct run *run, const struct row *row)
{
    int how = PROT_READ | PROT_WRITE, fd = memory_file(run, row->size);
    void *mapped = mmap(NULL, row->size, how, MAP_SHARED | MAP_POPULATE, fd, 0);

    while (run_next(run)) {
        how ^= PROT_WRITE;
        OK(run, mprotect(mapped, row->size, how));
    }
    munmap(mapped, row->size);
    close(fd);
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
    {0},
};
