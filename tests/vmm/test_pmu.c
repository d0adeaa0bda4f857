/*
 * test_pmu.c - counters of a made-up processor: which of their readings belong to which sample, and
 * from a program's output to series.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/pmu.h"
#include "bench/samples.h"

/* A provider: each tick of its clock is 3 cycles and 2 instructions. */
static uint64_t now;

static bool fake_open(void **state)
{
    *state = &now;
    return true;
}

static bool fake_read(void *state, struct pmu_reading *out)
{
    uint64_t time = *(uint64_t *)state;
    *out = (struct pmu_reading){time, time * 3, time * 2};
    return true;
}

static const struct pmu_provider fake = {"fake", fake_open, fake_read};

enum { SAMPLES = 10 };

/* Markers 5 ticks before and after samples of 100 + i ticks, which are 50 apart. */
static size_t run_fake(struct pmu_reading *readings, struct vouch_window *windows)
{
    void *state;
    size_t count = 0;
    assert_true(fake.open(&state));
    now = 1000;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        fake.read(state, &readings[count++]);
        windows[i] = (struct vouch_window){.begin = now + 5, .end = now + 5 + 100 + i};
        now = windows[i].end + 5;
        fake.read(state, &readings[count++]);
        now += 50;
    }
    return count;
}

/* Between samples are 50 ticks, which is what markers cost here; each sample's own is 110 + i. */
static void test_attribute(void **state)
{
    (void)state;
    struct pmu_reading readings[2 * SAMPLES];
    struct vouch_window windows[SAMPLES];
    struct pmu_cost costs[SAMPLES];
    size_t count = run_fake(readings, windows);
    pmu_attribute(readings, count, windows, SAMPLES, costs);
    for (size_t i = 0; i < SAMPLES; i++) {
        assert_true(costs[i].known);
        assert_true(costs[i].cycles == 3.0 * (double)(60 + i));
        assert_true(costs[i].instructions == 2.0 * (double)(60 + i));
    }
}

/* A reading inside a sample, or none around it: its cost is not known. */
static void test_unknown(void **state)
{
    (void)state;
    const struct pmu_reading readings[] = {{100, 1, 1}, {150, 2, 2}, {200, 3, 3}};
    const struct vouch_window windows[] = {
        {.begin = 110, .end = 160}, {.begin = 50, .end = 90}, {.begin = 210, .end = 220}};
    struct pmu_cost costs[3];
    pmu_attribute(readings, 3, windows, 3, costs);
    for (size_t i = 0; i < 3; i++)
        assert_false(costs[i].known);
    pmu_attribute(readings, 0, windows, 3, costs);
    assert_false(costs[0].known);
}

static void test_series(void **state)
{
    (void)state;
    char text[] = "window A 10 1005+100,1165+101\nrow A ns 2 1 1 1 10,10.1\n";
    struct pmu_reading readings[2 * SAMPLES];
    struct vouch_window windows[SAMPLES];
    size_t count = run_fake(readings, windows);
    struct boot boot = {
        .text = text, .length = sizeof(text) - 1, .readings = readings, .reading_count = count};
    struct samples samples = {0};
    assert_int_equal(samples_add(&samples, &boot, 0, 0), 0);
    samples_finish(&samples);
    const struct series *series = samples_find(&samples, 0, "A:cycles");
    assert_non_null(series);
    assert_int_equal(series->count, 2);
    assert_true(series->statistics.minimum == 18); /* 60 ticks of 3 cycles, 10 turns */
    series = samples_find(&samples, 0, "A:instructions");
    assert_non_null(series);
    assert_true(series->statistics.minimum == 12);
    samples_clear(&samples);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attribute),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_series),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
