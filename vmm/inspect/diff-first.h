/* diff-first.h - zvmm diff's explanation: which inputs differ, and what is the first difference. */
#ifndef ZVMM_INSPECT_DIFF_FIRST_H
#define ZVMM_INSPECT_DIFF_FIRST_H

#include "inspect/pages.h"

/* One of the two machines. */
struct diff_side {
    struct inspector *inspector;
    const struct frames *frames;
};

/* Adds "inputs", what the two kernels were given at boot and is not the same, to `root`. */
void diff_inputs(struct report *report, struct item *root, const struct diff_side *a,
                 const struct diff_side *b);

/*
 * Adds "first" to `root`: the lowest address at which memory in use differs, what that is, and its
 * value in both. Left out are the boot block, which diff_inputs() explains, free memory, and the
 * bookkeeping of the allocators.
 */
void diff_first(struct report *report, struct item *root, const struct diff_side *a,
                const struct diff_side *b);

#endif
