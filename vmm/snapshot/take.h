/*
 * take.h - taking a snapshot of a machine that goes on.
 *
 * The vCPU's state is read, then the process forks: the child has a frozen copy of the memory and
 * writes it to the file while the guest runs again. How long the guest stands still does not
 * depend on how fast the disk is.
 */
#ifndef ZVMM_SNAPSHOT_TAKE_H
#define ZVMM_SNAPSHOT_TAKE_H

#include "memory.h"

struct page_set;
struct take;

struct take_request {
    const char *path;
    const char *parent; /* NULL, or a snapshot file: write only what differs from it */
    const char *label;  /* what it is taken at, for people */
    bool quick;         /* do not wait for the disk */
};

/* From the vCPU's thread, with the vCPU settled. On success *out goes to take_end(). */
int take_begin(struct zvmm *vm, const struct take_request *request, struct take **out,
               struct zvmm_error *error);

/* Pages of mapped files are part of the memory even if nobody has touched them. */
void take_add_backed(struct page_set *set, const struct zvmm *vm);

/* Wait until the file is there. From any thread of the process. Frees `take`. */
int take_end(struct take *take, struct zvmm_error *error);

#endif
