/*
 * cold.h - putting what a row will touch out of the processor's caches. How much of a large set is
 * in the far cache is otherwise left to chance: other cores and other virtual machines share it.
 */
#ifndef BENCH_COLD_H
#define BENCH_COLD_H

#include "run.h"

struct cold {
    char *memory; /* NULL: there is none, and cold_make does nothing */
    size_t size;
};

/* Memory of twice the size of the largest cache; after run_fail if it cannot be had, none. */
struct cold cold_prepare(struct run *run);

/* Reads all of it, some milliseconds' work: whatever else was in the caches is there no more. For
 * the beginning of a turn; it is not counted. */
void cold_make(struct run *run, const struct cold *cold);

void cold_free(struct cold *cold);

#endif
