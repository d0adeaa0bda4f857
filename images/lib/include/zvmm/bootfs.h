/*
 * Reading the boot file system: a VMO with a directory at its start and the files at page
 * boundaries. The directory is read through a small window, nothing is mapped.
 */
#ifndef ZVMM_BOOTFS_H
#define ZVMM_BOOTFS_H

#include <zircon/types.h>
#include <zircon/zbi.h>

struct bootfs_entry {
    char name[ZBI_BOOTFS_MAX_NAME_LEN];
    uint32_t offset; /* of the contents in the VMO, a multiple of the page size */
    uint32_t size;
};

struct bootfs_reader {
    zx_handle_t vmo; /* borrowed */
    uint64_t next;   /* offset of the next entry */
    uint64_t end;    /* of the directory */
    uint64_t window_start;
    size_t window_size;
    char window[1024];
};

/* ZX_ERR_IO_DATA_INTEGRITY if the VMO holds no boot file system. */
zx_status_t bootfs_open(struct bootfs_reader *reader, zx_handle_t vmo);

/* Entries come in the order of their names. ZX_ERR_STOP after the last. */
zx_status_t bootfs_next(struct bootfs_reader *reader, struct bootfs_entry *entry);

/* The entry of one whole name, or ZX_ERR_NOT_FOUND. */
zx_status_t bootfs_find(zx_handle_t vmo, const char *name, struct bootfs_entry *entry);

/*
 * A program's file: name itself or, as a user leaves "bin/" out or the boot file system has no such
 * folder, bin/NAME, and NAME for bin/NAME.
 */
zx_status_t bootfs_find_program(zx_handle_t vmo, const char *name, struct bootfs_entry *entry);

#endif
