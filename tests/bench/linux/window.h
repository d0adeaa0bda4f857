/*
 * window.h - a mapping whose pages are touched.
 */
#ifndef BENCH_WINDOW_H
#define BENCH_WINDOW_H

#include "linux.h"
#include "window-calls.h"

#define WINDOW_BLOCK (16 * PAGE) /* a fault brings no more than this in */

struct window {
    int fd;
    volatile char *base;
    uint64_t size, next; /* `next` is the row's: where the next fault is */
};

#endif
