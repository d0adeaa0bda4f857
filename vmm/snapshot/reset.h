/* reset.h - back to an earlier state of the same machine; the functions are zvmm.h's. */
#ifndef ZVMM_SNAPSHOT_RESET_H
#define ZVMM_SNAPSHOT_RESET_H

#include "memory.h"

struct mark;

/* Free what zvmm_mark() has kept of a machine with this memory. NULL is fine. */
void mark_free(struct mark *mark, const struct memory *memory);

#endif
