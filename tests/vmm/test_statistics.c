/* test_statistics.c - medians, bootstrap intervals, histograms and comparisons on known data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/statistics.h"

#define COUNT 400

static double values[COUNT], others[COUNT];
static unsigned runs[COUNT];

/* 1..100 four times, in an order that is not sorted. */
static void fill(double *to, double offset)
{
    for (size_t i = 0; i < COUNT; i++)
        to[i] = offset + (double)(i * 37 % 100) + 1;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (value < expected - tolerance || value > expected + tolerance)
        fail_msg("%g is not within %g of %g", value, tolerance, expected);
}

static void test_quantile(void **state)
{
    (void)state;
    const double sorted[] = {10, 20, 30, 40, 50};
    assert_near(statistics_quantile(sorted, 5, 0), 10, 0);
    assert_near(statistics_quantile(sorted, 5, 0.5), 30, 0);
    assert_near(statistics_quantile(sorted, 5, 0.875), 45, 1e-9);
    assert_near(statistics_quantile(sorted, 5, 1), 50, 0);
    assert_near(statistics_quantile(sorted, 1, 0.7), 10, 0);
}

static void test_describe(void **state)
{
    (void)state;
    struct statistics s;
    size_t total = 0;
    fill(values, 0);
    assert_int_equal(statistics_describe(&s, &(struct statistics_data){values, NULL, COUNT, 0}), 0);
    assert_int_equal(s.count, COUNT);
    assert_near(s.minimum, 1, 0);
    assert_near(s.median, 50.5, 1e-9);
    assert_near(s.mean, 50.5, 1e-9);
    assert_near(s.p90, 90, 1);
    /* A median of 400 values spread evenly over 100: standard error about 2.5. */
    assert_true(s.low > 43 && s.low < 49);
    assert_true(s.high > 52 && s.high < 58);
    for (size_t i = 0; i < STATISTICS_BINS; i++)
        total += s.bins[i];
    assert_int_equal(total, COUNT);
}

static void test_repeats(void **state)
{
    (void)state;
    struct statistics first, second;
    fill(values, 3);
    struct statistics_data data = {values, NULL, COUNT, 0};
    statistics_describe(&first, &data);
    statistics_describe(&second, &data);
    assert_memory_equal(&first, &second, sizeof(first));
}

static void test_constant(void **state)
{
    (void)state;
    struct statistics s;
    for (size_t i = 0; i < COUNT; i++)
        values[i] = 7;
    assert_int_equal(statistics_describe(&s, &(struct statistics_data){values, NULL, COUNT, 0}), 0);
    assert_true(s.minimum == 7 && s.median == 7 && s.low == 7 && s.high == 7);
    assert_int_equal(s.bins[0], COUNT);
}

/* A clock with steps of 2: 60 values at 50, 40 at 52. The median lies where the steps' share says.
 */
static void test_steps_of_the_clock(void **state)
{
    (void)state;
    struct statistics s;
    for (size_t i = 0; i < 100; i++)
        values[i] = i % 5 < 3 ? 50 : 52;
    assert_int_equal(statistics_describe(&s, &(struct statistics_data){values, NULL, 100, 0}), 0);
    assert_near(s.median, 49 + 2 * 50.0 / 60, 1e-9);
}

static void test_one_and_none(void **state)
{
    (void)state;
    struct statistics s;
    values[0] = 5;
    assert_int_equal(statistics_describe(&s, &(struct statistics_data){values, NULL, 1, 0}), 0);
    assert_true(s.median == 5 && s.low == 5 && s.high == 5);
    assert_int_equal(statistics_describe(&s, &(struct statistics_data){values, NULL, 0, 0}), -1);
    assert_int_equal(s.count, 0);
}

/* Runs that differ among themselves widen the interval: their samples are not independent. */
static void test_runs_widen(void **state)
{
    (void)state;
    struct statistics as_one, by_run;
    for (size_t i = 0; i < COUNT; i++) {
        runs[i] = (unsigned)(i % 4);
        values[i] = 100 + 10 * runs[i] + (double)(i % 7) / 10;
    }
    statistics_describe(&as_one, &(struct statistics_data){values, NULL, COUNT, 0});
    statistics_describe(&by_run, &(struct statistics_data){values, runs, COUNT, 0});
    assert_true(by_run.high - by_run.low > as_one.high - as_one.low);
    assert_true(by_run.low < 111 && by_run.high > 119);
}

/* A run of which nothing was vouched for is no run. */
static void test_empty_run(void **state)
{
    (void)state;
    struct statistics s;
    for (size_t i = 0; i < COUNT; i++) {
        runs[i] = i % 2 == 0 ? 1 : 5;
        values[i] = (double)(i % 10);
    }
    assert_int_equal(statistics_describe(&s, &(struct statistics_data){values, runs, COUNT, 0}), 0);
    assert_near(s.median, 4.5, 0.5);
}

/*
 * Three layouts, each run twice: their medians differ much, those of one layout little. The figure is
 * the mean of all; how well it is known depends on whether the layouts are known to be the same.
 */
static void test_layouts(void **state)
{
    (void)state;
    static const double medians[] = {10, 20, 40, 10.2, 20.2, 40.2};
    struct statistics repeated, different;
    for (size_t i = 0; i < COUNT; i++) {
        runs[i] = (unsigned)(i % 6);
        values[i] = medians[i % 6] + (double)(i / 6 % 3) - 1;
    }
    statistics_describe(&repeated, &(struct statistics_data){values, runs, 396, 3});
    assert_near(repeated.median, 140.6 / 6, 1e-9);
    /* Variances 0.02 of two runs each; Student's t of three degrees of freedom. */
    assert_near(repeated.high - repeated.median, 3.18 * 0.1732 / 3, 1e-3);
    assert_near(repeated.median - repeated.low, repeated.high - repeated.median, 1e-9);
    assert_int_equal(repeated.runs, 6);
    assert_true(repeated.repeated);
    statistics_describe(&different, &(struct statistics_data){values, runs, 396, 0});
    assert_near(different.median, (10.2 + 20 + 20.2 + 40) / 4, 1e-9); /* the middle four */
    assert_true(different.high - different.low > 50 * (repeated.high - repeated.low));

    /* One run of the third layout: how its runs differ is not known, so all are others. */
    for (size_t i = 0; i < COUNT; i++)
        runs[i] = (unsigned)(i % 5);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = medians[i % 5];
    statistics_describe(&repeated, &(struct statistics_data){values, runs, COUNT, 3});
    assert_near(repeated.median, (10.1 + 20.1 + 40) / 3, 1e-9);
    assert_true(repeated.high - repeated.low > 20);
    assert_false(repeated.repeated);
}

/* One boot in eight that is slow as a whole changes nothing. */
static void test_outlier(void **state)
{
    (void)state;
    struct statistics s;
    for (size_t i = 0; i < COUNT; i++) {
        runs[i] = (unsigned)(i % 8);
        values[i] = runs[i] == 3 ? 90 : 50 + runs[i] / 10.0;
    }
    statistics_describe(&s, &(struct statistics_data){values, runs, COUNT, 1});
    assert_near(s.median, 50.425, 1e-9);
    assert_true(s.low > 49 && s.high < 52);
}

/* A run of three good samples says nothing beside one of hundreds. */
static void test_small_run(void **state)
{
    (void)state;
    struct statistics s;
    for (size_t i = 0; i < COUNT; i++) {
        runs[i] = i < 3 ? 2 : (unsigned)(i % 2);
        values[i] = i < 3 ? 1000 : 50;
    }
    assert_int_equal(statistics_describe(&s, &(struct statistics_data){values, runs, COUNT, 0}), 0);
    assert_near(s.median, 50, 1e-9);
    assert_int_equal(s.runs, 2);
    assert_int_equal(statistics_describe(&s, &(struct statistics_data){values, runs, 4, 0}), 0);
    assert_near(s.median, 525, 1e-9);
}

static void test_compare(void **state)
{
    (void)state;
    struct statistics_change change;
    struct statistics_data ours = {values, NULL, COUNT, 0}, theirs = {others, NULL, COUNT, 0};
    fill(values, 1000);
    fill(others, 1000);
    assert_int_equal(statistics_compare(&change, &ours, &theirs), 0);
    assert_near(change.ratio, 1, 1e-9);
    assert_true(change.low < 1 && change.high > 1);
    assert_true(change.confidence < 0.99);

    fill(values, 1200);
    assert_int_equal(statistics_compare(&change, &ours, &theirs), 0);
    assert_near(change.ratio, 1250.5 / 1050.5, 1e-9);
    assert_true(change.low > 1.17 && change.high < 1.21);
    assert_true(change.confidence == 1);

    /* The same samples as two runs each say less. */
    struct statistics_change by_runs;
    for (size_t i = 0; i < COUNT; i++)
        runs[i] = (unsigned)(i % 2);
    ours.runs = theirs.runs = runs;
    assert_int_equal(statistics_compare(&by_runs, &ours, &theirs), 0);
    assert_true(by_runs.high - by_runs.low > 2 * (change.high - change.low));

    ours.count = 0;
    assert_int_equal(statistics_compare(&change, &ours, &theirs), -1);
}

/* A fast layout and a slow one, of which ours has one sample more: what is compared are the figures
 * that describing shows, not the medians of all samples, which lie anywhere between. */
static void test_compare_figures(void **state)
{
    (void)state;
    struct statistics_change change;
    struct statistics our_figure, their_figure;
    struct statistics_data ours = {values, runs, COUNT - 1, 2}, theirs = {others, runs, COUNT, 2};
    for (size_t i = 0; i < COUNT; i++) {
        runs[i] = (unsigned)(i % 4);
        values[i] = (i % 2 == 0 ? 100 : 200) + (double)(i / 4 % 3);
        others[i] = (i % 2 == 0 ? 100 : 200) + (double)(i / 4 % 3);
    }
    assert_int_equal(statistics_compare(&change, &ours, &theirs), 0);
    statistics_describe(&our_figure, &ours);
    statistics_describe(&their_figure, &theirs);
    assert_near(change.ratio, our_figure.median / their_figure.median, 1e-9);
    assert_near(change.ratio, 1, 0.01);
    assert_true(change.low < 1 && change.high > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantile),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_steps_of_the_clock),
        cmocka_unit_test(test_one_and_none),
        cmocka_unit_test(test_runs_widen),
        cmocka_unit_test(test_empty_run),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_outlier),
        cmocka_unit_test(test_small_run),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_compare_figures),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
