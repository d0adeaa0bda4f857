/* compare.h - the kernel under test against its baseline: which rows changed, how surely. */
#ifndef ZVMM_BENCH_COMPARE_H
#define ZVMM_BENCH_COMPARE_H

#include <stdio.h>

#include "bench/samples.h"

enum verdict {
    VERDICT_SAME,   /* no change of at least 1 % is sure */
    VERDICT_FASTER, /* the 99 % interval of the ratio is below 1 */
    VERDICT_SLOWER, /* ... above 1 */
};

/* By the rule above: a change counts if it is sure and its ratio is at least 1 % off. */
enum verdict compare_judge(const struct statistics_change *change);

/* Rows of subject `ours` against rows of the same name of `baseline`, subject `theirs`. */
void compare_print(FILE *out, const struct samples *samples, size_t ours,
                   const struct samples *baseline, size_t theirs);

/* A remark if the processor's full pace, in ticks, is another one than the baseline's; 0: unknown.
 */
void compare_print_pace(FILE *out, uint64_t now, uint64_t baseline);

#endif
