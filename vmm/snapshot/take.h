/*
 * take.h - taking a snapshot of a machine that goes on.
 *
 * The vCPU's state is read, and the memory is set aside: a few pages that differ from the parent
 * are copied, and a thread writes them; for more the process forks, and the child, which has a
 * frozen copy of everything, writes. Then the guest runs again. How long it stands still does not
 * depend on how fast the disk is.
 */
#ifndef ZVMM_SNAPSHOT_TAKE_H
#define ZVMM_SNAPSHOT_TAKE_H

#include "memory.h"

struct take;
struct zvmm;

struct take_request {
    const char *path;
    const char *parent; /* NULL, or a snapshot file: write only what differs from it */
    const char *label;  /* what it is taken at, for people */
    bool quick;         /* do not wait for the disk */
};

/* All that can be done while the guest still runs, from any thread. The request is copied. On
 * success *out goes to take_begin(), or to take_free(). */
int take_new(struct zvmm *vm, const struct take_request *request, struct take **out,
             struct zvmm_error *error);
void take_free(struct take *take);

/* From the vCPU's thread, with the vCPU settled. On success `take` goes to take_end(), which has
 * to be called before the machine is destroyed; on failure it is freed. */
int take_begin(struct take *take, struct zvmm_error *error);

/* Wait until the file is there. From any thread of the process. Frees `take`. */
int take_end(struct take *take, struct zvmm_error *error);

/* All of it while the machine waits, which takes less in sum. From the vCPU's thread, settled. */
int take_now(struct zvmm *vm, const struct take_request *request, struct zvmm_error *error);

#endif
