/* table.c - the result for people. */
#include "bench/table.h"

#include <string.h>

#include "bench/switches.h"

void table_print_host(FILE *out, const struct host *host)
{
    fprintf(out, "%s; zvmm %s\n", host->machine, ZVMM_VERSION);
    fprintf(out, "on CPU %d; %s\n", host->cpu,
            host->remark_count == 0 ? "the host is settled" : "the host is not settled:");
    for (size_t i = 0; i < host->remark_count; i++)
        fprintf(out, "  - %s\n", host->remarks[i]);
}

/* Eight heights; none is a blank. */
static void print_histogram(FILE *out, const struct statistics *statistics)
{
    static const char *const heights[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    size_t most = 1;
    for (size_t i = 0; i < STATISTICS_BINS; i++)
        if (statistics->bins[i] > most)
            most = statistics->bins[i];
    for (size_t i = 0; i < STATISTICS_BINS; i++)
        fputs(heights[(statistics->bins[i] * 8 + most - 1) / most], out);
}

static void print_number(FILE *out, double value)
{
    fprintf(out, value < 1000 ? " %12.2f" : " %12.0f", value);
}

static void print_series(FILE *out, const struct session *session, const struct series *series)
{
    const struct statistics *s = &series->statistics;
    fprintf(out, "%-44s %-8s", series->name, session->subjects[series->subject].name);
    if (s->count == 0) {
        char why[256];
        series_explain(series, why, sizeof(why));
        fprintf(out, " %12s  %s\n", "-", why);
        return;
    }
    print_number(out, s->median);
    fputc(session->tolerance > 0 && !series_is_settled(series, session->tolerance) ? '~' : ' ', out);
    print_number(out, s->low);
    print_number(out, s->high);
    print_number(out, s->minimum);
    fprintf(out, " %5zu/%-5zu ", s->count, series->count);
    print_histogram(out, s);
    fputc('\n', out);
}

void table_print(FILE *out, const struct session *session)
{
    const struct samples *samples = &session->samples_taken;
    fprintf(out, "%-44s %-8s %12s  %12s %12s %12s %11s histogram\n", "row", "", "median ns",
            "95 % from", "to", "minimum", "vouched");
    for (size_t subject = 0; subject < session->subject_count; subject++)
        for (size_t i = 0; i < samples->count; i++)
            if (samples->series[i].subject == subject)
                print_series(out, session, &samples->series[i]);
}

void table_print_left_out(FILE *out, const struct session *session)
{
    size_t all = 0, vouched = 0, left_out[VOUCH_REASONS] = {0}, medians = 0, settled = 0;
    for (size_t i = 0; i < session->samples_taken.count; i++) {
        const struct series *series = &session->samples_taken.series[i];
        medians += series->vouched != 0;
        settled += series->vouched != 0 && series_is_settled(series, session->tolerance);
        if (strpbrk(series->name, ".:") != NULL)
            continue; /* a step, or a counter, of a row that is counted */
        all += series->count;
        vouched += series->vouched;
        for (unsigned k = 0; k < VOUCH_REASONS; k++)
            left_out[k] += series->left_out[k];
    }
    fprintf(out, "%zu samples, %zu left out", all, all - vouched);
    const char *separator = ": ";
    for (unsigned k = 0; k < VOUCH_REASONS; k++) {
        if (left_out[k] == 0)
            continue;
        fprintf(out, "%s%zu %s", separator, left_out[k], samples_reasons[k]);
        separator = ", ";
    }
    fputc('\n', out);
    if (session->tolerance > 0)
        fprintf(out, "%zu of %zu medians are settled: known to %g %% either way; the others have a ~\n",
                settled, medians, session->tolerance * 100);
    if (session->blind_reason != 0)
        fprintf(out, "nothing can be vouched for: %s\n", switches_explain(session->blind_reason));
}
