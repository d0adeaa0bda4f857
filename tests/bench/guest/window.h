/*
 * window.h - a mapped memory object whose pages are touched.
 */
#ifndef BENCH_WINDOW_H
#define BENCH_WINDOW_H

#include "guest.h"
#include "window-calls.h"

#define WINDOW_BLOCK (128 * PAGE) /* a fault brings no more than this in */

struct window {
    zx_handle_t vmo, clone;
    volatile char *base;
    uint64_t size, next; /* `next` is the row's: where the next fault is */
};

#endif
