/*
 * write.h - writing snapshot files.
 *
 * A file is written under a temporary name in the same folder, synchronised, and renamed, so the
 * name always has a whole file: the old one or the new one.
 */
#ifndef ZVMM_SNAPSHOT_WRITE_H
#define ZVMM_SNAPSHOT_WRITE_H

#include "memory.h"
#include "snapshot.h"

/* Memory to be written: pages that follow each other, and where their bytes are now. */
struct snapshot_extent {
    uint64_t paddr, length;
    const uint8_t *data; /* NULL: all zero */
};

/* A small section. */
struct snapshot_part {
    uint32_t type;
    const void *bytes;
    uint64_t length;
};

struct snapshot_image {
    /* magic, sizes, section table and checksum are filled in by snapshot_write() */
    struct zsnap_header header;
    const struct snapshot_part *parts;
    uint32_t num_parts;
    const struct snapshot_extent *extents; /* sorted, without overlap */
    uint64_t num_extents;
    /* NULL, or the parent's RAM as a whole: pages that are the same there are left out. Without it
     * pages that are zero are. With `exact` all extents are written as they are. */
    const uint8_t *parent;
    bool exact;
    bool sync; /* wait until the file is on the disk before it gets its name */
};

/* Write the file `path`. */
int snapshot_write(const char *path, struct snapshot_image *image, struct zvmm_error *error);

#endif
