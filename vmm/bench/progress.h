/*
 * progress.h - how far a session is, on stderr: a bar on a terminal, else a line at every tenth.
 */
#ifndef ZVMM_BENCH_PROGRESS_H
#define ZVMM_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    enum progress_kind { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_BAR } kind;
    const char *subject; /* what is measured now; the caller's */
    size_t done, total;  /* rows, over all runs and subjects */
    uint64_t start_ns;   /* CLOCK_MONOTONIC */
    size_t tenths;       /* lines: how many were printed */
};

/* A bar if stderr is a terminal. */
void progress_begin(struct progress *progress, bool quiet, size_t total);

/* `rows` of the current boot are done, besides `done`. */
void progress_show(struct progress *progress, size_t rows);

/* Remove the bar. */
void progress_end(struct progress *progress);

#endif
