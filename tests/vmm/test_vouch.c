/*
 * test_vouch.c - which samples are believed, with made-up facts; and from a program's output to
 * series.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/budget.h"
#include "bench/facts.h"
#include "bench/samples.h"
#include "bench/steal.h"
#include "bench/switches.h"

static void test_undisturbed(void **state)
{
    (void)state;
    struct vouch_facts facts = {0};
    struct vouch_window windows[] = {{100, 200, 0, 9}, {300, 400, 0, 9}};
    vouch_judge(&facts, windows, 2);
    assert_int_equal(windows[0].reasons, 0);
    assert_int_equal(windows[1].reasons, 0);
}

static void test_descheduled(void **state)
{
    (void)state;
    struct vouch_facts facts = {0};
    struct vouch_window windows[] = {
        {100, 200, 0, 0}, {300, 400, 0, 0}, {500, 600, 0, 0}, {700, 800, 0, 0}};
    vouch_add_span(&facts, 210, 290, VOUCH_DESCHEDULED); /* between two samples */
    vouch_add_span(&facts, 398, 450, VOUCH_DESCHEDULED); /* the second's end */
    vouch_add_span(&facts, 540, 541, VOUCH_DESCHEDULED); /* inside the third */
    vouch_add_span(&facts, 550, 900, VOUCH_STOLEN);      /* from the third to after the fourth */
    vouch_judge(&facts, windows, 4);
    assert_int_equal(windows[0].reasons, 0);
    assert_int_equal(windows[1].reasons, VOUCH_DESCHEDULED);
    assert_int_equal(windows[2].reasons, VOUCH_DESCHEDULED | VOUCH_STOLEN);
    assert_int_equal(windows[3].reasons, VOUCH_STOLEN);
    vouch_clear(&facts);
}

/* The work needs two exits a sample; one sample has three, one none. */
static void test_exits(void **state)
{
    (void)state;
    struct vouch_facts facts = {0};
    struct vouch_window windows[5];
    for (size_t i = 0; i < 5; i++) {
        windows[i] = (struct vouch_window){i * 100, i * 100 + 50, 0, 0};
        for (size_t k = 0; k < 2 && i != 4; k++)
            vouch_add_exit(&facts, i * 100 + 10 * (k + 1));
        if (i == 2)
            vouch_add_exit(&facts, 240);
        vouch_add_exit(&facts, i * 100 + 60); /* between samples */
    }
    vouch_judge(&facts, windows, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(windows[i].reasons, i == 2 ? VOUCH_EXITS : 0);
    vouch_clear(&facts);
}

static void test_exits_in_half(void **state)
{
    (void)state;
    struct vouch_facts facts = {0};
    struct vouch_window windows[] = {{100, 200, 0, 0}, {300, 400, 0, 0}};
    vouch_add_exit(&facts, 350);
    vouch_judge(&facts, windows, 2);
    assert_int_equal(windows[0].reasons, 0);
    assert_int_equal(windows[1].reasons, VOUCH_EXITS);
    vouch_clear(&facts);
}

/* The work blocks once a sample; one sample blocks twice. */
static void test_blocks(void **state)
{
    (void)state;
    struct vouch_facts facts = {0};
    struct vouch_window windows[] = {{100, 200, 0, 0}, {300, 400, 0, 0}, {500, 600, 0, 0}};
    for (uint64_t i = 0; i < 3; i++)
        vouch_add_block(&facts, 150 + 200 * i);
    vouch_add_block(&facts, 560);
    vouch_judge(&facts, windows, 3);
    assert_int_equal(windows[0].reasons | windows[1].reasons, 0);
    assert_int_equal(windows[2].reasons, VOUCH_DESCHEDULED);
    vouch_clear(&facts);
}

/* A hundredth of a long sample is overlooked, whatever took it; more is not. */
static void test_long_samples(void **state)
{
    (void)state;
    const uint64_t ms = 2000000;
    struct vouch_facts facts = {0};
    struct vouch_window windows[4];
    for (uint64_t i = 0; i < 4; i++)
        windows[i] = (struct vouch_window){i * 1000 * ms, i * 1000 * ms + 300 * ms, 0, 0};
    vouch_add_span(&facts, 10 * ms, 11 * ms, VOUCH_DESCHEDULED);
    vouch_add_span(&facts, 20 * ms, 21 * ms, VOUCH_STOLEN);
    vouch_add_span(&facts, 1010 * ms, 1012 * ms, VOUCH_DESCHEDULED);
    vouch_add_span(&facts, 1020 * ms, 1022 * ms, VOUCH_DESCHEDULED);
    for (uint64_t i = 0; i < 5; i++)
        vouch_add_block(&facts, 2000 * ms + i);
    vouch_add_block(&facts, 3000 * ms + 1);
    vouch_add_span(&facts, 3010 * ms, 3010 * ms + 1, VOUCH_BLIND);
    vouch_judge(&facts, windows, 4);
    assert_int_equal(windows[0].reasons, 0);
    assert_int_equal(windows[1].reasons, VOUCH_DESCHEDULED);
    assert_int_equal(windows[2].reasons, 0);
    assert_int_equal(windows[3].reasons, VOUCH_BLIND);
    vouch_clear(&facts);
}

static void test_blind(void **state)
{
    (void)state;
    struct vouch_facts facts = {.out_of_memory = true};
    struct vouch_window window = {100, 200, 0, 0};
    vouch_judge(&facts, &window, 1);
    assert_int_equal(window.reasons, VOUCH_BLIND);
}

/* ---- Providers ------------------------------------------------------------------------------ */

static void test_ring(void **state)
{
    (void)state;
    struct facts_ring *ring = facts_create();
    struct vouch_facts facts = {0};
    assert_non_null(ring);
    for (int i = 0; i < 1000; i++)
        facts_note_exit(ring);
    facts_drain(ring, &facts);
    assert_int_equal(facts.exits.count, 1000);
    assert_int_equal(facts.span_count, 0);
    for (size_t i = 1; i < facts.exits.count; i++)
        assert_true(facts.exits.at[i] >= facts.exits.at[i - 1]);
    for (int i = 0; i < FACTS_RING + 5; i++)
        facts_note_exit(ring);
    facts_drain(ring, &facts);
    assert_int_equal(facts.exits.count, 1000);
    assert_int_equal(facts.span_count, 1);
    assert_int_equal(facts.spans[0].reason, VOUCH_BLIND);
    vouch_clear(&facts);
    facts_destroy(ring);
}

static void write_stat(const char *path, unsigned steal)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "cpu  1 2 3 4 5 6 7 8 0 0\ncpu0 9 9 9 9 9 9 9 9 0 0\n"
            "cpu1 100 2 30 4000 5 6 7 %u 0 0\n",
            steal);
    fclose(file);
}

static void test_steal(void **state)
{
    (void)state;
    char path[] = "/tmp/test-vouch-XXXXXX";
    int fd = mkstemp(path);
    struct vouch_facts facts = {0};
    struct steal_counters counters;
    struct steal steal;
    assert_true(fd >= 0);
    close(fd);
    write_stat(path, 20);
    assert_true(steal_read(path, 1, &counters));
    assert_int_equal(counters.busy, 100 + 2 + 30 + 6 + 7);
    assert_int_equal(counters.idle, 4005);
    assert_int_equal(counters.steal, 20);
    assert_false(steal_read(path, 2, &counters));

    steal_begin(&steal, path, 1, 1000);
    steal_poll(&steal, 2000, &facts);
    assert_int_equal(facts.span_count, 0);
    write_stat(path, 21);
    steal_poll(&steal, 3000, &facts);
    assert_int_equal(facts.span_count, 1);
    assert_true(facts.spans[0].begin == 2000 && facts.spans[0].end == 3000);
    assert_int_equal(facts.spans[0].reason, VOUCH_STOLEN);
    vouch_clear(&facts);
    unlink(path);
}

/* Without the kernel's record nothing is believed. */
static void test_no_record(void **state)
{
    (void)state;
    struct switches switches = {.fd = -1};
    struct vouch_facts facts = {0};
    struct vouch_window window = {100, 200, 0, 0};
    switches_drain(&switches);
    switches_finish(&switches, &facts);
    vouch_judge(&facts, &window, 1);
    assert_int_equal(window.reasons, VOUCH_BLIND);
    vouch_clear(&facts);
}

/* ---- Output --------------------------------------------------------------------------------- */

static void test_output(void **state)
{
    (void)state;
    char text[] = "window A/b 1 1100+50,1200+60,1300+70\r\n"
                  "row A/b.x ns 3 1.0 2.0 3.0 10.50,20.00,30.00\r\n"
                  "row A/b ns 3 1.0 2.0 3.0 11,21,31\r\n"
                  "row C ns 1 1.0 1.0 1.0 5\r\n"
                  "row broken\r\n";
    struct boot boot = {.text = text, .length = sizeof(text) - 1, .tsc_offset = 1000};
    struct samples samples = {0};
    vouch_add_span(&boot.facts, 205, 206, VOUCH_DESCHEDULED);
    assert_int_equal(samples_add(&samples, &boot, 0, 0), 0);
    samples_finish(&samples);
    assert_int_equal(samples.count, 3);
    const struct series *series = samples_find(&samples, 0, "A/b.x");
    assert_non_null(series);
    assert_int_equal(series->count, 3);
    assert_int_equal(series->vouched, 2);
    assert_int_equal(series->left_out[0], 1);
    assert_true(series->statistics.minimum == 10.5 && series->statistics.median == 20.25);
    /* A sample of which it is not known when it was taken is not vouched for. */
    series = samples_find(&samples, 0, "C");
    assert_non_null(series);
    assert_int_equal(series->vouched, 0);
    assert_null(samples_find(&samples, 1, "A/b"));
    vouch_clear(&boot.facts);
    samples_clear(&samples);
}

/*
 * The core was shared in the third sample, was a little slower than it can be in the sixth and, too
 * much so, in the eighth. Who stands beside a shared one is not believed either.
 */
static void test_pace(void **state)
{
    (void)state;
    char text[] = "window A 1 1100+50~1000,1200+60~1000,1300+70~2000,1400+1~1000,1500+1~1000,"
                  "1600+1~1030,1700+1~1000,1800+1~1050,1900+1~1000\n"
                  "row A ns 9 1 1 1 10,20,30,40,50,60,70,80,90\n";
    struct boot boot = {.text = text, .length = sizeof(text) - 1};
    struct samples samples = {0};
    assert_int_equal(samples_add(&samples, &boot, 0, 0), 0);
    samples_finish(&samples);
    const struct series *series = samples_find(&samples, 0, "A");
    assert_int_equal(samples.full_pace, 1000);
    assert_int_equal(series->vouched, 3);
    assert_int_equal(series->left_out[4], 6);
    assert_true(series->statistics.median == 50);
    samples_finish(&samples); /* again is the same */
    assert_int_equal(series->left_out[4], 6);
    samples_clear(&samples);
}

/* Add `count` samples of that pace, and judge all. */
static uint64_t full_pace_with(struct samples *samples, unsigned count, unsigned pace)
{
    char text[1024];
    int length = snprintf(text, sizeof(text), "window A 1 ");
    for (unsigned i = 0; i < count; i++)
        length += snprintf(text + length, sizeof(text) - (size_t)length, "%u+1~%u,", 10 * i, pace);
    struct boot boot = {.text = text, .length = (size_t)length};
    assert_int_equal(samples_add(samples, &boot, 0, 0), 0);
    samples_finish(samples);
    return samples->full_pace;
}

/* The full pace is looked for again when more than a tenth of all paces are new. */
static void test_more_paces(void **state)
{
    (void)state;
    struct samples samples = {0};
    assert_int_equal(full_pace_with(&samples, 20, 1000), 1000);
    assert_int_equal(full_pace_with(&samples, 2, 900), 1000);
    assert_int_equal(full_pace_with(&samples, 1, 900), 900);
    samples_clear(&samples);
}

/* Medians of two runs say too little; of three that agree enough; two others unsettle them. */
static void test_settled(void **state)
{
    (void)state;
    char near[] = "window A 1 1+1,3+1,5+1,7+1,9+1\nrow A ns 5 1 1 1 1000,1000,1000,1000,1000\n";
    char far[] = "window A 1 1+1,3+1,5+1,7+1,9+1\nrow A ns 5 1 1 1 1009,1009,1009,1009,1009\n";
    struct boot boot = {.text = near, .length = sizeof(near) - 1};
    struct samples samples = {0};
    for (unsigned run = 0; run < 3; run++) {
        assert_int_equal(samples_add(&samples, &boot, 0, run), 0);
        samples_finish(&samples);
        assert_int_equal(series_is_settled(&samples.series[0], 0.01), run == 2);
        assert_int_equal(isfinite(series_margin(&samples.series[0])), run == 2);
    }
    /* The middle three are 1003 in the mean, with a standard error of 3.7; t is 4.3. */
    boot.text = far;
    assert_int_equal(samples_add(&samples, &boot, 0, 3), 0);
    assert_int_equal(samples_add(&samples, &boot, 0, 4), 0);
    samples_finish(&samples);
    assert_true(fabs(series_margin(&samples.series[0]) - 0.0158) < 0.0002);
    assert_true(series_is_settled(&samples.series[0], 0.02));
    assert_false(series_is_settled(&samples.series[0], 0.01));
    samples_clear(&samples);
}

/* One sample in a hundred with a raised clock does not say what the full pace is; one in ten does.
 */
static void test_full_pace(void **state)
{
    (void)state;
    uint64_t paces[300];
    for (size_t i = 0; i < 300; i++)
        paces[i] = i % 100 == 7 ? 900 : 1000 + i % 3;
    uint64_t full = vouch_full_pace(paces, 300);
    assert_in_range(full, 1000, 1002);
    assert_false(vouch_is_full_pace(900, full));
    assert_true(vouch_is_full_pace(980, full));
    assert_false(vouch_is_full_pace(1500, full));
    assert_true(vouch_is_full_pace(0, full));
    for (size_t i = 0; i < 300; i++)
        paces[i] = i % 10 == 7 ? 900 : 1000;
    assert_int_equal(vouch_full_pace(paces, 300), 900);
    assert_int_equal(vouch_full_pace(paces, 0), 0);
}

/* A row that says why it was not measured; one of which nothing can be vouched for. */
static void test_reasons(void **state)
{
    (void)state;
    char text[] = "skip B/c preparing it takes longer than 5 ms\nskip\n"
                  "window A 1 1100+50,1200+60\nrow A ns 2 1 1 1 10,20\n";
    char why[256];
    struct boot boot = {.text = text, .length = sizeof(text) - 1};
    struct samples samples = {0};
    vouch_add_span(&boot.facts, 1000, 1300, VOUCH_DESCHEDULED);
    vouch_add_span(&boot.facts, 1210, 1220, VOUCH_STOLEN);
    assert_int_equal(samples_add(&samples, &boot, 0, 0), 0);
    samples_finish(&samples);
    assert_int_equal(samples.count, 2);
    series_explain(samples_find(&samples, 0, "B/c"), why, sizeof(why));
    assert_string_equal(why, "not measured: preparing it takes longer than 5 ms");
    series_explain(samples_find(&samples, 0, "A"), why, sizeof(why));
    assert_string_equal(why, "none of 2 samples can be vouched for: 2 descheduled, 1 time stolen");
    series_explain(samples_find(&samples, 0, "A"), why, 20);
    assert_string_equal(why, "none of 2 samples c");
    vouch_clear(&boot.facts);
    samples_clear(&samples);
}

/* A session's time is shared out; what rows leave over goes to the others. */
static void test_budget(void **state)
{
    (void)state;
    const uint64_t second = 1000000000;
    struct budget budget = {.end_ns = 100 * second, .left = 1000};
    assert_int_equal(budget_limit_ms(&budget, 0, 400), 150);
    budget_take(&budget, 900);
    assert_int_equal(budget_limit_ms(&budget, 10 * second, 400), 400);
    assert_int_equal(budget_limit_ms(&budget, 99 * second, 400), 20);
    assert_int_equal(budget_limit_ms(&budget, 99 * second, 5), 5);
    assert_false(budget_is_spent(&budget, 99 * second));
    assert_true(budget_is_spent(&budget, 100 * second));
    assert_int_equal(budget_limit_ms(&budget, 101 * second, 400), 20);
    budget_take(&budget, 900);
    assert_int_equal(budget.left, 0);
    assert_int_equal(budget_limit_ms(&budget, 0, 400), 400);
    budget.end_ns = 0;
    assert_false(budget_is_spent(&budget, 1000 * second));
    assert_int_equal(budget_limit_ms(&budget, 1000 * second, 400), 400);
    /* All rows again: half a minute later, or when they have had a third of the time. */
    assert_int_equal(budget_refresh_ns(90 * second, 100 * second), 130 * second);
    assert_int_equal(budget_refresh_ns(70 * second, 100 * second), 160 * second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undisturbed),  cmocka_unit_test(test_descheduled),
        cmocka_unit_test(test_exits),        cmocka_unit_test(test_exits_in_half),
        cmocka_unit_test(test_blocks),       cmocka_unit_test(test_blind),
        cmocka_unit_test(test_ring),         cmocka_unit_test(test_steal),
        cmocka_unit_test(test_no_record),    cmocka_unit_test(test_output),
        cmocka_unit_test(test_pace),         cmocka_unit_test(test_more_paces),
        cmocka_unit_test(test_settled),      cmocka_unit_test(test_full_pace),
        cmocka_unit_test(test_long_samples), cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_budget),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
