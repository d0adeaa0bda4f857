/*
 * rows_map.c - Linux: a memfd mapped shared; MAP_POPULATE for ZX_VM_MAP_RANGE; "Kernel" copies are
 * pread and pwrite of another memfd.
 */
#include "linux.h"

#include <sys/mman.h>
#include <unistd.h>

void map_copy(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, row->size);
    int fd = memory_file(run, row->size), other = memory_file(run, row->size);
    int how = MAP_SHARED | (row->flags & MAPPED_RANGE ? MAP_POPULATE : 0);

    OK(run, pwrite(fd, buffer, row->size, 0));
    RUN_TURNS(run) {
        char *mapped = mmap(NULL, row->size, PROT_READ | PROT_WRITE, how, fd, 0);

        if (mapped == MAP_FAILED)
            run_fail(run, "mmap", strerror(errno));
        else if ((row->flags & (MAPPED_WRITE | MAPPED_KERNEL)) == (MAPPED_WRITE | MAPPED_KERNEL))
            OK(run, pread(other, mapped, row->size, 0));
        else if (row->flags & MAPPED_KERNEL)
            OK(run, pwrite(other, mapped, row->size, 0));
        else if (row->flags & MAPPED_WRITE)
            memcpy(mapped, buffer, row->size);
        else
            memcpy(buffer, mapped, row->size);
        OK(run, munmap(mapped, row->size));
    }
    close(fd);
    close(other);
    buffer_unmap(buffer, row->size);
}

void map_unmap(struct run *run, const struct row *row)
{
    int how = MAP_SHARED | (row->flags & MAPPED_RANGE ? MAP_POPULATE : 0);
    int fd = memory_file(run, row->size);

    RUN_TURNS(run) {
        void *mapped = mmap(NULL, row->size, PROT_READ, how, fd, 0);

        run_step(run);
        OK(run, munmap(mapped, row->size));
    }
    close(fd);
}

void protect(struct run *run, const struct row *row)
{
    int how = PROT_READ | PROT_WRITE, fd = memory_file(run, row->size);
    void *mapped = mmap(NULL, row->size, how, MAP_SHARED | MAP_POPULATE, fd, 0);

    RUN_TURNS(run) {
        how ^= PROT_WRITE;
        OK(run, mprotect(mapped, row->size, how));
    }
    munmap(mapped, row->size);
    close(fd);
}
