/*
 * statistics.h - what is said about the samples of a row. Values are in any unit; arrays are the
 * caller's. Random numbers come from a fixed seed, so the same samples give the same answer.
 */
#ifndef ZVMM_BENCH_STATISTICS_H
#define ZVMM_BENCH_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATISTICS_BINS 10

/*
 * Samples of one row. Those of one run have one boot, one layout of memory: they resemble each
 * other more than those of another run, and the bootstrap takes whole runs to account for it.
 */
struct statistics_data {
    const double *values;
    const unsigned *runs; /* values[i] is of run runs[i], counted from 0; NULL: all of one */
    size_t count;
    unsigned layouts; /* runs N and N + layouts had the same layout; 0 or 1: each its own */
};

/*
 * The figure for a row is `median`. Of samples of one run it is their median. Of several it is the
 * mean of the runs' medians, that is of the layouts' means of them (run_means.h): a median of all
 * samples would lie anywhere between two layouts of which one is fast and one slow.
 */
struct statistics {
    size_t count, runs;
    double minimum, median, p90, mean;
    double low, high; /* 95 % confidence interval of the median */
    bool repeated;    /* of several runs: each layout had more than one */
    /* Samples in equal parts of [minimum, histogram_end), the last part with all above. */
    double histogram_end;
    size_t bins[STATISTICS_BINS];
};

/* How a row differs from its baseline: the ratio of the two `median`, ours to theirs. */
struct statistics_change {
    double ratio;
    double low, high;  /* 99 % confidence interval */
    double confidence; /* 0.5..1: the part of the bootstrap that agrees on the direction */
};

/* 0, or -1 without memory or without samples. */
int statistics_describe(struct statistics *out, const struct statistics_data *data);
int statistics_compare(struct statistics_change *out, const struct statistics_data *ours,
                       const struct statistics_data *theirs);

/*
 * The median of sorted values. If a clock has rounded them to its steps, those equal to it are taken
 * to lie evenly in a step around it.
 */
double statistics_median(const double *sorted, size_t count);

void statistics_sort(double *values, size_t count);

/* The value below which the part `q` (0..1) of the sorted values lies, interpolated. */
double statistics_quantile(const double *sorted, size_t count, double q);

#endif
