/*
 * samples.h - all samples of a session, by subject and row, with the verdict on each.
 */
#ifndef ZVMM_BENCH_SAMPLES_H
#define ZVMM_BENCH_SAMPLES_H

#include <stddef.h>

#include "bench/boot.h"
#include "bench/statistics.h"

/* A row, or one step of it, of one subject. */
struct series {
    char *name, *unit;
    size_t subject; /* index */
    double *values;
    unsigned *runs;
    unsigned *reasons; /* VOUCH_* of each; 0: vouched for */
    uint64_t *paces;   /* see struct vouch_window */
    size_t count, room;
    size_t vouched; /* how many are; they are moved to the front by samples_sort() */
    size_t left_out[VOUCH_REASONS];
    size_t described;             /* samples that `statistics` is about, with those left out */
    char *skipped;                /* why there are no samples, or NULL */
    struct statistics statistics; /* of those vouched for; count 0: there are none */
};

struct samples {
    struct series *series;
    size_t count, room;
    uint64_t *paces; /* of all samples; no order */
    size_t pace_count, pace_room;
    size_t paces_judged; /* how many of them full_pace was found in */
    uint64_t full_pace;  /* see vouch_full_pace(); samples_finish() sets it */
    unsigned layouts;    /* see struct statistics_data */
};

/* Take the samples out of what a boot has printed and judge them. -1: out of memory. */
int samples_add(struct samples *samples, const struct boot *boot, size_t subject, unsigned run);

/* Add one sample that is vouched for, from a file. -1: out of memory. */
int samples_add_value(struct samples *samples, size_t subject, const char *name, double value);

/* The series, or NULL. */
struct series *samples_find(const struct samples *samples, size_t subject, const char *name);

/* What the reasons are called, by bit. */
extern const char *const samples_reasons[VOUCH_REASONS];

/* Why no sample of the series counts, in words. */
void series_explain(const struct series *series, char *text, size_t size);

/*
 * To what part of itself the median is known either way: half its confidence interval. INFINITY: it
 * has not at least SERIES_FEWEST_RUNS runs, and several of each layout.
 */
enum { SERIES_FEWEST_RUNS = 3 };
double series_margin(const struct series *series);

/* Whether that is at most `tolerance`. */
bool series_is_settled(const struct series *series, double tolerance);

/* Sort good from bad and compute the statistics. Call it when all are added; may be called again.
 */
void samples_finish(struct samples *samples);

/* What is vouched for in one of the samples' series. */
struct statistics_data series_data(const struct samples *samples, const struct series *series);
void samples_clear(struct samples *samples);

#endif
