/*
 * linux.h - what rows on Linux have in common. Each row has the name of the row of zbench that does
 * the same by our kernel's means; the comment of its file says what stands for what.
 */
#ifndef BENCH_LINUX_H
#define BENCH_LINUX_H

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "rows.h"

/* Rows besides those of rows.h. */
extern const struct row call_rows[], channel_rows[], vmo_rows[], task_rows[], switch_rows[];

/* For calls whose failure is a negative result. */
#define OK(run, call)                                                                              \
    do {                                                                                           \
        if (__builtin_expect((long)(call) < 0, 0))                                                 \
            run_fail(run, #call, strerror(errno));                                                 \
    } while (0)

/* A memfd whose pages are there. */
int memory_file(struct run *run, uint64_t size);

/* Both ends of a local socket, with room for the largest message. */
void socket_pair(struct run *run, int type, int ends[2]);

#endif
