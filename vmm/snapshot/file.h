/*
 * file.h - reading snapshot files: open one with its parents, check it, map its memory.
 *
 * Everything in a file is hostile. snapshot_open() verifies the header and every section but the
 * memory, so what snapshot_section() returns is what the writer wrote; what the numbers in it mean
 * is checked by whoever uses them. The memory came from the guest and is checked by nobody.
 */
#ifndef ZVMM_SNAPSHOT_FILE_H
#define ZVMM_SNAPSHOT_FILE_H

#include "memory.h"
#include "snapshot.h"
#include "target.h"

enum { SNAPSHOT_CHAIN_MAX = 64 };

struct snapshot_file;

/* Open `path`, and its parents if it is incremental. On success *out is the caller's. */
int snapshot_open(struct snapshot_file **out, const char *path, struct zvmm_error *error);

/* The same without its parents: for looking at one file. It cannot be mapped. */
int snapshot_open_one(struct snapshot_file **out, const char *path, struct zvmm_error *error);

/* Free it; memory that snapshot_map() handed out stays. NULL is fine. */
void snapshot_close(struct snapshot_file *file);

const struct zsnap_header *snapshot_header(const struct snapshot_file *file);
const char *snapshot_path(const struct snapshot_file *file);

/* The parent, or NULL. */
const struct snapshot_file *snapshot_parent(const struct snapshot_file *file);

/* The bytes of a section, aligned to 8, and their number; NULL if the file has none of this type.
 * The memory is not returned. Lives as long as the file. */
const void *snapshot_section(const struct snapshot_file *file, uint32_t type, uint64_t *length);

/* A section of exactly `length` bytes, or NULL with a line in `error`. */
const void *snapshot_need(const struct snapshot_file *file, uint32_t type, uint64_t length,
                          struct zvmm_error *error);

/* A section that is text, terminated; "" if there is none. */
const char *snapshot_text(const struct snapshot_file *file, uint32_t type);

/* The runs of this file alone: checked to be sorted, inside RAM, multiples of a page. */
const struct zsnap_run *snapshot_runs(const struct snapshot_file *file, uint64_t *count);

/*
 * Map RAM as the snapshot has it, copy on write: nothing is read before it is touched, and clean
 * pages are shared by everybody who maps the file. The caller unmaps header->memory_bytes.
 */
int snapshot_map(const struct snapshot_file *file, uint8_t **base, struct zvmm_error *error);

/* Whether the memory is what was written: every run's checksum, of the parents too. */
int snapshot_verify(const struct snapshot_file *file, struct zvmm_error *error);

/* Read the machine through the view of target.h; it lives as long as the file. */
int snapshot_target(struct snapshot_file *file, struct target *target, struct zvmm_error *error);

struct zvmm;

/* The same view of a VM that is not running (from its own thread): the state is complete only
 * after vm_settle(). It lives until the VM runs again. */
int target_from_vm(struct zvmm *vm, struct target *target, struct zvmm_error *error);

#endif
