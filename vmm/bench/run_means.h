/*
 * run_means.h - a row's figure from several runs, and how well it is known.
 *
 * Each run is one boot: one layout of memory, one moment. The figure is the mean over the layouts of
 * the means over the middle half of their runs of the runs' medians: once in a while a boot is an
 * outlier as a whole. How far the runs of a layout differ says how well it repeats with the same
 * layouts; of layouts that were run only once that is not known, and then it is how far all runs
 * differ.
 */
#ifndef ZVMM_BENCH_RUN_MEANS_H
#define ZVMM_BENCH_RUN_MEANS_H

#include <stdbool.h>

#include "bench/statistics.h"

struct run_means {
    double mean;
    double margin; /* of the 95 % confidence interval, either way; 0 of a single run */
    size_t runs;   /* with enough samples for a median to mean something */
    bool repeated; /* each layout was run several times */
};

/* 0, or -1 without memory or without samples. */
int run_means_find(struct run_means *out, const struct statistics_data *data);

#endif
