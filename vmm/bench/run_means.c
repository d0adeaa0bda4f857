/* run_means.c - means of runs' medians. */
#include "bench/run_means.h"

#include <math.h>
#include <stdlib.h>

enum { FEWEST_SAMPLES = 5 }; /* of a run, unless all have fewer */

struct sample {
    unsigned run;
    double value;
};

/* A run's median. */
struct median {
    unsigned run;
    size_t samples;
    double value;
};

static int compare_samples(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    if (a->run != b->run)
        return a->run < b->run ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

/* ---- Medians -------------------------------------------------------------------------------- */

/* The runs' medians, `count` of them; the caller frees them. NULL: no memory. */
static struct median *find_medians(const struct statistics_data *data, size_t *count)
{
    struct sample *samples = malloc(data->count * sizeof(*samples));
    struct median *medians = malloc(data->count * sizeof(*medians));
    double *values = malloc(data->count * sizeof(*values));
    *count = 0;
    for (size_t i = 0; samples != NULL && i < data->count; i++)
        samples[i] = (struct sample){data->runs != NULL ? data->runs[i] : 0, data->values[i]};
    if (samples != NULL && medians != NULL && values != NULL) {
        qsort(samples, data->count, sizeof(*samples), compare_samples);
        for (size_t i = 0, n; i < data->count; i += n) {
            for (n = 0; i + n < data->count && samples[i + n].run == samples[i].run; n++)
                values[n] = samples[i + n].value;
            medians[(*count)++] = (struct median){samples[i].run, n, statistics_median(values, n)};
        }
    }
    free(samples);
    free(values);
    if (*count == 0) {
        free(medians);
        return NULL;
    }
    return medians;
}

/* Leaves out the runs with too few samples, unless there are no others. Returns how many remain. */
static size_t keep_large(struct median *medians, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (medians[i].samples >= FEWEST_SAMPLES)
            medians[kept++] = medians[i];
    return kept != 0 ? kept : count;
}

/* ---- Layouts -------------------------------------------------------------------------------- */

/*
 * What the runs of one layout say: the mean of the middle half of their medians, and its variance
 * by the medians' own, with the outer quarters pulled in (Tukey and McLaughlin's for trimmed
 * means).
 */
struct layout {
    size_t degrees;        /* of freedom */
    double mean, variance; /* of a single run the variance is 0 */
};

static double variance_of(const double *values, size_t count)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        double apart = values[i] - mean;
        mean += apart / (double)(i + 1);
        squares += apart * (values[i] - mean);
    }
    return squares / (double)(count - 1);
}

/* Changes `values`. */
static struct layout describe_layout(double *values, size_t count)
{
    size_t outer = count / 4, middle = count - 2 * outer;
    struct layout out = {.degrees = middle - 1};
    statistics_sort(values, count);
    for (size_t i = outer; i < count - outer; i++)
        out.mean += values[i] / (double)middle;
    for (size_t i = 0; i < outer; i++) {
        values[i] = values[outer];
        values[count - 1 - i] = values[count - 1 - outer];
    }
    if (count > 1) {
        double kept = (double)middle / (double)count;
        out.variance = variance_of(values, count) / (kept * kept * (double)count);
    }
    return out;
}

/* The medians of the layout's runs. Returns how many. */
static size_t gather(double *values, const struct median *medians, size_t count, unsigned layout,
                     unsigned layouts)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (medians[i].run % layouts == layout)
            values[found++] = medians[i].value;
    return found;
}

/* Student's t: 95 % of the distribution are within so many standard errors. */
static double student(size_t degrees)
{
    static const double table[] = {0, 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23};
    if (degrees < sizeof(table) / sizeof(table[0]))
        return table[degrees];
    return 1.96 + 2.7 / (double)degrees;
}

/* `values` is for as many as `medians`. */
static void describe_layouts(struct run_means *out, double *values, const struct median *medians,
                             size_t count, unsigned layouts)
{
    size_t found = 0, alone = 0, degrees = 0;
    double variance = 0;
    *out = (struct run_means){.runs = count};
    for (unsigned i = 0; i < layouts; i++) {
        size_t runs = gather(values, medians, count, i, layouts);
        if (runs == 0)
            continue;
        struct layout layout = describe_layout(values, runs);
        found++;
        alone += runs == 1;
        degrees += layout.degrees;
        out->mean += layout.mean;
        variance += layout.variance;
    }
    out->mean /= (double)found;
    out->margin = student(degrees) * sqrt(variance) / (double)found;
    out->repeated = alone == 0;
}

int run_means_find(struct run_means *out, const struct statistics_data *data)
{
    size_t count;
    struct median *medians = data->count != 0 ? find_medians(data, &count) : NULL;
    double *values = medians != NULL ? malloc(count * sizeof(*values)) : NULL;
    int result = values != NULL ? 0 : -1;
    if (result == 0) {
        count = keep_large(medians, count);
        describe_layouts(out, values, medians, count, data->layouts > 0 ? data->layouts : 1);
        if (!out->repeated) {
            struct run_means all;
            describe_layouts(&all, values, medians, count, 1);
            out->margin = all.margin;
        }
    }
    free(values);
    free(medians);
    return result;
}
