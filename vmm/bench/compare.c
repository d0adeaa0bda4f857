/* compare.c - the kernel under test against its baseline. */
#include "bench/compare.h"

#define LEAST_CHANGE 0.01
#define LEAST_PACE   100 /* a 100th */

enum verdict compare_judge(const struct statistics_change *change)
{
    if (change->high < 1 && change->ratio <= 1 - LEAST_CHANGE)
        return VERDICT_FASTER;
    if (change->low > 1 && change->ratio >= 1 + LEAST_CHANGE)
        return VERDICT_SLOWER;
    return VERDICT_SAME;
}

static enum verdict print_row(FILE *out, const struct series *ours, const struct series *theirs,
                              const struct statistics_change *change)
{
    static const char *const words[] = {[VERDICT_SAME] = "no sure change",
                                        [VERDICT_FASTER] = "faster",
                                        [VERDICT_SLOWER] = "slower"};
    enum verdict verdict = compare_judge(change);
    fprintf(out, "%-44s %12.2f %12.2f %+8.1f %% %+8.1f %+8.1f  %-14s %5.1f %%\n", ours->name,
            theirs->statistics.median, ours->statistics.median, (change->ratio - 1) * 100,
            (change->low - 1) * 100, (change->high - 1) * 100, words[verdict],
            change->confidence * 100);
    return verdict;
}

void compare_print_pace(FILE *out, uint64_t now, uint64_t baseline)
{
    uint64_t apart = now > baseline ? now - baseline : baseline - now;
    if (now == 0 || baseline == 0 || apart * LEAST_PACE < baseline)
        return;
    fprintf(out,
            "\nthe processor is %s than for the baseline (%llu ticks for the same instructions, "
            "then %llu): what it computes differs by that\n",
            now < baseline ? "faster" : "slower", (unsigned long long)now,
            (unsigned long long)baseline);
}

void compare_print(FILE *out, const struct samples *samples, size_t ours,
                   const struct samples *baseline, size_t theirs)
{
    size_t counts[3] = {0};
    fprintf(out, "\n%-44s %12s %12s %10s %8s %8s  %-14s %s\n", "row", "baseline ns", "now ns",
            "change", "99 % low", "high", "verdict", "sure");
    for (size_t i = 0; i < samples->count; i++) {
        const struct series *series = &samples->series[i];
        if (series->subject != ours)
            continue;
        const struct series *other = samples_find(baseline, theirs, series->name);
        struct statistics_change change;
        if (other == NULL || other->vouched == 0 || series->vouched == 0)
            continue;
        struct statistics_data mine = series_data(samples, series),
                               before = series_data(baseline, other);
        if (statistics_compare(&change, &mine, &before) == 0)
            counts[print_row(out, series, other, &change)]++;
    }
    fprintf(out, "verdict: %zu faster, %zu slower, %zu without a sure change of 1 %%\n",
            counts[VERDICT_FASTER], counts[VERDICT_SLOWER], counts[VERDICT_SAME]);
}
