/* bootfs.h - ZBI containers and the boot file system: read one, merge a directory, write one. */
#ifndef ZVMM_BOOTFS_H
#define ZVMM_BOOTFS_H

#include "error.h"

/* A file of the image: its bytes are at `data` (not owned), or in the host file `path` (owned). */
struct bootfs_file {
    char *name; /* owned; relative, without a leading slash */
    const uint8_t *data;
    char *path;
    uint32_t length;
    uint32_t sequence; /* order of adding: of two files with one name the later wins */
};

/* An image being put together. Data given to bootfs_add_zbi() stays the caller's and must live
 * until bootfs_write() is done. */
struct bootfs {
    struct bootfs_file *files;
    uint32_t count, room;
    const uint8_t *zbi; /* items other than the boot file system are copied from here */
    uint64_t zbi_length;
    uint64_t directory_bytes; /* set by bootfs_finish() */
    uint64_t payload_bytes;
    uint64_t prefix_bytes; /* container header, other items and padding, before the BOOTFS item */
};

void bootfs_init(struct bootfs *bootfs);

/* Whether `data` starts with a ZBI container that fits into `length`; `name` is for messages. */
int bootfs_check_zbi(const uint8_t *data, uint64_t length, const char *name,
                     struct zvmm_error *error);

/* Take over the items and files of a checked or unchecked ZBI; it may be hostile. Once at most. */
int bootfs_add_zbi(struct bootfs *bootfs, const uint8_t *data, uint64_t length,
                   struct zvmm_error *error);

/* Add every file below `directory`, named relative to it; symbolic links are followed. */
int bootfs_add_directory(struct bootfs *bootfs, const char *directory, struct zvmm_error *error);

/* Add bytes under a name. For tests and tools. */
int bootfs_add_bytes(struct bootfs *bootfs, const char *name, const void *data, uint32_t length,
                     struct zvmm_error *error);

/* Sort, drop replaced files, and compute the ZBI's size into *bytes. Nothing is added later. */
int bootfs_finish(struct bootfs *bootfs, uint64_t *bytes, struct zvmm_error *error);

/*
 * Write the ZBI to `to`: page-aligned, zero-filled, as long as bootfs_finish() said. The payload
 * of the BOOTFS item starts on a page of the ZBI, so that a kernel can share its pages.
 */
int bootfs_write(const struct bootfs *bootfs, uint8_t *to, struct zvmm_error *error);

void bootfs_free(struct bootfs *bootfs);

#endif
