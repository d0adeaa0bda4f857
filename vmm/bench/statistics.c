/*
 * statistics.c - medians, bootstrap confidence intervals, histograms.
 *
 * The bootstrap draws runs with replacement and, in each, samples with replacement. What is drawn of
 * a run is not an array of values but counts over the sorted ones; the median is found by adding up.
 */
#include "bench/statistics.h"

#include "bench/random.h"
#include "bench/run_means.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 1000

/* ---- Order ---------------------------------------------------------------------------------- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void statistics_sort(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
}

double statistics_quantile(const double *sorted, size_t count, double q)
{
    double at = q * (double)(count - 1);
    size_t below = (size_t)at;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Where nearly all values differ it is the ordinary median. */
double statistics_median(const double *sorted, size_t count)
{
    double middle = sorted[count / 2], step = INFINITY;
    size_t distinct = 1, below = 0, equal = 0;
    for (size_t i = 0; i < count; i++) {
        below += sorted[i] < middle;
        equal += sorted[i] == middle;
        if (i == 0 || sorted[i] == sorted[i - 1])
            continue;
        distinct++;
        if (sorted[i] - sorted[i - 1] < step)
            step = sorted[i] - sorted[i - 1];
    }
    if (distinct == 1 || count < 4 * distinct)
        return statistics_quantile(sorted, count, 0.5);
    return middle - step / 2 + step * ((double)count / 2 - (double)below) / (double)equal;
}

/* ---- Resamples ------------------------------------------------------------------------------ */

/* Samples sorted by value, and for each run the places of its samples in that order. */
struct pool {
    size_t count, runs;
    double *sorted;
    size_t *places;     /* grouped by run */
    size_t *run_starts; /* runs + 1 of them, into places */
    unsigned *drawn;    /* how often each of a run's samples is in the resample */
    uint64_t random;
};

struct keyed {
    double value;
    unsigned run;
};

static int compare_keyed(const void *left, const void *right)
{
    return compare_doubles(&((const struct keyed *)left)->value,
                           &((const struct keyed *)right)->value);
}

static size_t count_runs(const struct statistics_data *data)
{
    unsigned most = 0;
    for (size_t i = 0; data->runs != NULL && i < data->count; i++)
        if (data->runs[i] > most)
            most = data->runs[i];
    return (size_t)most + 1;
}

static void pool_free(struct pool *pool)
{
    free(pool->sorted);
    free(pool->places);
    free(pool->run_starts);
    free(pool->drawn);
}

/* Fill places and run_starts by counting; runs without samples are left out. */
static void group_by_run(struct pool *pool, const struct keyed *keyed, size_t runs)
{
    size_t filled = 0;
    pool->runs = 0;
    for (size_t run = 0; run < runs; run++) {
        size_t start = filled;
        for (size_t i = 0; i < pool->count; i++)
            if (keyed[i].run == run)
                pool->places[filled++] = i;
        if (filled > start)
            pool->run_starts[pool->runs++] = start;
    }
    pool->run_starts[pool->runs] = filled;
}

static int pool_init(struct pool *pool, const struct statistics_data *data)
{
    size_t count = data->count, runs = count_runs(data);
    if (count == 0)
        return -1;
    *pool = (struct pool){.count = count, .random = count};
    struct keyed *keyed = malloc(count * sizeof(*keyed));
    pool->sorted = malloc(count * sizeof(*pool->sorted));
    pool->places = malloc(count * sizeof(*pool->places));
    pool->run_starts = malloc((runs + 1) * sizeof(*pool->run_starts));
    pool->drawn = malloc(count * sizeof(*pool->drawn));
    if (keyed == NULL || pool->sorted == NULL || pool->places == NULL || pool->run_starts == NULL ||
        pool->drawn == NULL) {
        free(keyed);
        pool_free(pool);
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        keyed[i] = (struct keyed){data->values[i], data->runs != NULL ? data->runs[i] : 0};
    qsort(keyed, count, sizeof(*keyed), compare_keyed);
    for (size_t i = 0; i < count; i++)
        pool->sorted[i] = keyed[i].value;
    group_by_run(pool, keyed, runs);
    free(keyed);
    return 0;
}

/* The median of samples of a run that are drawn anew. */
static double redrawn_median(struct pool *pool, const size_t *places, size_t count)
{
    size_t at = 0;
    memset(pool->drawn, 0, count * sizeof(*pool->drawn));
    for (size_t i = 0; i < count; i++)
        pool->drawn[random_below(&pool->random, count)]++;
    for (size_t seen = pool->drawn[0]; seen * 2 <= count; seen += pool->drawn[at])
        at++;
    return pool->sorted[places[at]];
}

/* The mean of the medians of one resample: of runs, and of the samples of each. */
static double resample(struct pool *pool)
{
    double sum = 0;
    for (size_t i = 0; i < pool->runs; i++) {
        size_t run = random_below(&pool->random, pool->runs), start = pool->run_starts[run];
        sum += redrawn_median(pool, pool->places + start, pool->run_starts[run + 1] - start);
    }
    return sum / (double)pool->runs;
}

/* ---- Answers -------------------------------------------------------------------------------- */

/* Up to twice as far as the 90th percentile: a few stragglers must not squeeze the rest. */
static void fill_histogram(struct statistics *out, const double *sorted)
{
    double width = (out->p90 - out->minimum) * 1.25 / STATISTICS_BINS;
    memset(out->bins, 0, sizeof(out->bins));
    out->histogram_end = out->minimum + width * STATISTICS_BINS;
    for (size_t i = 0; i < out->count; i++) {
        double bin = width > 0 ? (sorted[i] - out->minimum) / width : 0;
        out->bins[bin < STATISTICS_BINS - 1 ? (size_t)bin : STATISTICS_BINS - 1]++;
    }
}

/* The interval of one run's median. */
static void bootstrap_interval(struct statistics *out, struct pool *pool)
{
    double medians[RESAMPLES];
    for (size_t i = 0; i < RESAMPLES; i++)
        medians[i] = resample(pool);
    statistics_sort(medians, RESAMPLES);
    out->low = statistics_quantile(medians, RESAMPLES, 0.025);
    out->high = statistics_quantile(medians, RESAMPLES, 0.975);
}

static int describe_runs(struct statistics *out, const struct statistics_data *data)
{
    struct run_means means;
    if (run_means_find(&means, data) != 0)
        return -1;
    out->runs = means.runs;
    out->repeated = means.repeated;
    out->median = means.mean;
    out->low = means.mean - means.margin;
    out->high = means.mean + means.margin;
    return 0;
}

/* The median, and of several runs its interval, too: see struct statistics. */
static int describe_figure(struct statistics *out, const struct pool *pool,
                           const struct statistics_data *data)
{
    out->runs = pool->runs;
    if (pool->runs > 1)
        return describe_runs(out, data);
    out->median = statistics_median(pool->sorted, pool->count);
    return 0;
}

int statistics_describe(struct statistics *out, const struct statistics_data *data)
{
    struct pool pool;
    double sum = 0;
    *out = (struct statistics){0};
    if (pool_init(&pool, data) != 0)
        return -1;
    for (size_t i = 0; i < pool.count; i++)
        sum += pool.sorted[i];
    out->count = pool.count;
    out->mean = sum / (double)pool.count;
    out->minimum = pool.sorted[0];
    out->p90 = statistics_quantile(pool.sorted, pool.count, 0.9);
    fill_histogram(out, pool.sorted);
    int result = describe_figure(out, &pool, data);
    if (pool.runs == 1)
        bootstrap_interval(out, &pool);
    pool_free(&pool);
    return result;
}

static double ratio_of(double ours, double theirs)
{
    if (theirs > 0)
        return ours / theirs;
    return ours > 0 ? INFINITY : 1;
}

/*
 * Few runs underrate how much runs differ: Student's t for that many degrees of freedom, against
 * the normal distribution's, at 99 %. One run each says nothing of that, and nothing is corrected.
 */
static double widening(size_t degrees)
{
    static const double factors[] = {1, 24.7, 3.85, 2.27, 1.79, 1.57, 1.44, 1.36, 1.30, 1.26, 1.23};
    size_t last = sizeof(factors) / sizeof(factors[0]) - 1;
    return factors[degrees < last ? degrees : last];
}

/* `limit` moved away from `ratio` by `factor`, on a scale of ratios. */
static double widened(double limit, double ratio, double factor)
{
    return limit > 0 && ratio > 0 && isfinite(limit) ? ratio * pow(limit / ratio, factor) : limit;
}

/* Bootstrap the ratio of two figures. */
static void describe_change(struct statistics_change *out, struct pool *mine, struct pool *other)
{
    double ratios[RESAMPLES];
    size_t below = 0, above = 0;
    other->random = ~other->random; /* or both would draw alike */
    for (size_t i = 0; i < RESAMPLES; i++) {
        ratios[i] = ratio_of(resample(mine), resample(other));
        below += ratios[i] < 1;
        above += ratios[i] > 1;
    }
    statistics_sort(ratios, RESAMPLES);
    double factor = widening(mine->runs + other->runs - 2);
    out->low = widened(statistics_quantile(ratios, RESAMPLES, 0.005), out->ratio, factor);
    out->high = widened(statistics_quantile(ratios, RESAMPLES, 0.995), out->ratio, factor);
    size_t equal = RESAMPLES - below - above;
    double agree = (double)(below > above ? below : above) + (double)equal / 2;
    out->confidence = agree / RESAMPLES;
}

int statistics_compare(struct statistics_change *out, const struct statistics_data *ours,
                       const struct statistics_data *theirs)
{
    struct pool mine, other;
    struct statistics my_figure, other_figure;
    int result = -1;
    if (pool_init(&mine, ours) != 0)
        return -1;
    if (pool_init(&other, theirs) != 0) {
        pool_free(&mine);
        return -1;
    }
    if (describe_figure(&my_figure, &mine, ours) == 0 &&
        describe_figure(&other_figure, &other, theirs) == 0) {
        out->ratio = ratio_of(my_figure.median, other_figure.median);
        describe_change(out, &mine, &other);
        result = 0;
    }
    pool_free(&mine);
    pool_free(&other);
    return result;
}
