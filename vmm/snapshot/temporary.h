/* temporary.h - a file that gets its name only when it is complete. */
#ifndef ZVMM_SNAPSHOT_TEMPORARY_H
#define ZVMM_SNAPSHOT_TEMPORARY_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct temporary {
    const char *path; /* the caller's */
    char *name;       /* what it is called until then; owned */
    int fd;
};

/* Create it beside `path`, which must be a regular file or nothing. */
int temporary_create(struct temporary *file, const char *path, struct zvmm_error *error);

/* pwrite() of all of it. */
int temporary_write(struct temporary *file, const void *data, uint64_t length, uint64_t offset,
                    struct zvmm_error *error);

/* Give it its name; with `sync` after it has reached the disk. */
int temporary_finish(struct temporary *file, bool sync, struct zvmm_error *error);

/* Close it and, unless it was finished, remove it. */
void temporary_close(struct temporary *file);

#endif
