/*
 * figures.h - figures from elsewhere, to stand beside those that were measured: published ones (CSV
 * with the columns row, Zircon, zCore, in ns; lines that begin with # are comments), and counts of
 * instructions (result lines of zbench --ticks on the rig).
 */
#ifndef ZVMM_BENCH_FIGURES_H
#define ZVMM_BENCH_FIGURES_H

#include <stddef.h>

#include "error.h"

enum figure_kind { FIGURE_ZIRCON, FIGURE_ZCORE, FIGURE_COUNT, FIGURE_LINUX_COUNT, FIGURE_KINDS };

struct figures {
    struct figure {
        char *row;
        enum figure_kind kind;
        double value;
    } * list;
    size_t count, room;
};

/* Add what a file has; -1 if it cannot be read. */
int figures_read_published(struct figures *figures, const char *path, struct zvmm_error *error);
int figures_read_counts(struct figures *figures, const char *path, enum figure_kind kind,
                        struct zvmm_error *error);

/* The figure, or a negative number if there is none. */
double figures_find(const struct figures *figures, enum figure_kind kind, const char *row);

void figures_clear(struct figures *figures);

#endif
