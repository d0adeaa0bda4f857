/* window-calls.h - what both systems' windows can do; behind their window.h. */
#ifndef BENCH_WINDOW_CALLS_H
#define BENCH_WINDOW_CALLS_H

#include "rows.h"

#define WINDOW        (4 * MIB)
#define WINDOW_UNUSED (16 * MIB) /* of frames that nobody has used: none comes back soon */
#define WINDOW_SPARE  MIB        /* room for copies and tables */

struct window;

void window_open(struct run *run, struct window *w, enum fault_kind kind, uint64_t size);
void window_close(struct window *w);

/* So that the frames which the samples will get, or see, are supplied by the host already. */
void window_rehearse(struct run *run, uint64_t size);

/* The first page is no longer there. */
void window_drop_page(struct run *run, struct window *w);

#endif
