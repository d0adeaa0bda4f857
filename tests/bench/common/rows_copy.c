/* rows_copy.c - memcpy in user mode: the floor of everything that moves memory. */
#include <string.h>

#include "rows.h"

static void copy(struct run *run, const struct row *row)
{
    size_t size = row->size < PAGE ? PAGE : row->size;
    char *to = buffer_map(run, size), *from = buffer_map(run, size);

    RUN_TURNS(run) {
        memcpy(to, from, row->size);
        __asm__ volatile("" : : "r"(to), "r"(from) : "memory");
    }
    buffer_unmap(to, size);
    buffer_unmap(from, size);
}

const struct row copy_rows[] = {
    {"Memcpy/64bytes", copy, .size = 64, .batch = 64},
    {"Memcpy/1024bytes", copy, .size = 1024, .batch = 32},
    {"Memcpy/32768bytes", copy, .size = 32768},
    {"Memcpy/65536bytes", copy, .size = 65536},
    THREE_SIZES("Memcpy", copy),
    MORE_SIZES("Memcpy", copy),
    {0},
};
