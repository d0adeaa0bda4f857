/*
 * samples.c - reading what zbench and linux-bench print (tests/bench/common/run.c has the form):
 *
 *     window NAME TURNS BEGIN+LENGTH~PACE,...        in ticks, one for each sample of TURNS turns
 *     row NAME[.STEP] UNIT SAMPLES MIN MEDIAN P90 RAW,...
 */
#include "bench/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

#define SAME_PACE  256 /* full paces that differ by less than such a part are one */
#define MORE_PACES 10  /* the full pace is looked for again when there are such a part more */

/* ---- Series --------------------------------------------------------------------------------- */

struct series *samples_find(const struct samples *samples, size_t subject, const char *name)
{
    for (size_t i = 0; i < samples->count; i++)
        if (samples->series[i].subject == subject && strcmp(samples->series[i].name, name) == 0)
            return &samples->series[i];
    return NULL;
}

static struct series *find_or_add(struct samples *samples, size_t subject, const char *name,
                                  const char *unit)
{
    struct series *series = samples_find(samples, subject, name);
    if (series != NULL)
        return series;
    series = array_grow(samples->series, samples->count, &samples->room, sizeof(*series));
    if (series == NULL)
        return NULL;
    samples->series = series;
    series = &samples->series[samples->count];
    *series = (struct series){.name = strdup(name), .unit = strdup(unit), .subject = subject};
    if (series->name == NULL || series->unit == NULL) {
        free(series->name);
        free(series->unit);
        return NULL;
    }
    samples->count++;
    return series;
}

static int series_grow(struct series *series)
{
    size_t room = series->room * 2 + 256;
    double *values = reallocarray(series->values, room, sizeof(*values));
    if (values != NULL)
        series->values = values;
    unsigned *runs = reallocarray(series->runs, room, sizeof(*runs));
    if (runs != NULL)
        series->runs = runs;
    unsigned *reasons = reallocarray(series->reasons, room, sizeof(*reasons));
    if (reasons != NULL)
        series->reasons = reasons;
    uint64_t *paces = reallocarray(series->paces, room, sizeof(*paces));
    if (paces != NULL)
        series->paces = paces;
    if (values == NULL || runs == NULL || reasons == NULL || paces == NULL)
        return -1;
    series->room = room;
    return 0;
}

static int series_add(struct series *series, double value, unsigned run,
                      const struct vouch_window *window)
{
    if (series->count == series->room && series_grow(series) != 0)
        return -1;
    series->values[series->count] = value;
    series->runs[series->count] = run;
    series->paces[series->count] = window->pace;
    series->reasons[series->count++] = window->reasons;
    return 0;
}

int samples_add_value(struct samples *samples, size_t subject, const char *name, double value)
{
    static const struct vouch_window good;
    struct series *series = find_or_add(samples, subject, name, "ns");
    return series != NULL ? series_add(series, value, 0, &good) : -1;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

/* One boot's output being read: the windows of the row `name` or of one of its steps. */
struct reader {
    const char *name;
    struct samples *samples;
    const struct boot *boot;
    size_t subject;
    unsigned run;
    struct vouch_window *windows;
    size_t count, room;
};

static int note_pace(struct samples *samples, uint64_t pace)
{
    if (pace == 0)
        return 0;
    uint64_t *paces =
        array_grow(samples->paces, samples->pace_count, &samples->pace_room, sizeof(*paces));
    if (paces == NULL)
        return -1;
    samples->paces = paces;
    paces[samples->pace_count++] = pace;
    return 0;
}

static int read_windows(struct reader *reader, const char *text)
{
    reader->count = 0;
    while (*text != '\0') {
        char *end;
        unsigned long long begin = strtoull(text, &end, 10), length = 0, pace = 0;
        if (*end == '+')
            length = strtoull(end + 1, &end, 10);
        if (*end == '~')
            pace = strtoull(end + 1, &end, 10);
        struct vouch_window *windows =
            array_grow(reader->windows, reader->count, &reader->room, sizeof(*windows));
        if (windows == NULL || note_pace(reader->samples, pace) != 0)
            return -1;
        reader->windows = windows;
        begin -= reader->boot->tsc_offset;
        reader->windows[reader->count++] = (struct vouch_window){begin, begin + length, pace, 0};
        if (*end != ',')
            break;
        text = end + 1;
    }
    vouch_judge(&reader->boot->facts, reader->windows, reader->count);
    vouch_spread_pace(reader->windows, reader->count);
    return 0;
}

/* Whether the last window line was for this row, or the row that this is a step of. */
static bool has_windows(const struct reader *reader, const char *name)
{
    size_t length = reader->name != NULL ? strlen(reader->name) : 0;
    return length != 0 && strncmp(name, reader->name, length) == 0 &&
           (name[length] == '\0' || name[length] == '.');
}

/* Samples without windows cannot be vouched for. */
static int read_row(struct reader *reader, char *text)
{
    static const struct vouch_window unknown = {.reasons = VOUCH_BLIND};
    char *save = NULL, *field[7];
    for (int i = 0; i < 7; i++)
        if ((field[i] = strtok_r(i == 0 ? text : NULL, " ", &save)) == NULL)
            return 0;
    struct series *series = find_or_add(reader->samples, reader->subject, field[0], field[1]);
    if (series == NULL)
        return -1;
    size_t windows = has_windows(reader, field[0]) ? reader->count : 0;
    char *at = field[6];
    for (size_t i = 0;; i++) {
        char *end;
        double value = strtod(at, &end);
        const struct vouch_window *window = i < windows ? &reader->windows[i] : &unknown;
        if (end == at)
            return 0;
        if (series_add(series, value, reader->run, window) != 0)
            return -1;
        if (*end != ',')
            return 0;
        at = end + 1;
    }
}

/* Cycles and instructions of the row's samples, as series of their own, for one turn. */
static int add_counts(struct reader *reader, double turns)
{
    const struct boot *boot = reader->boot;
    char names[2][256];
    struct pmu_cost *costs = calloc(reader->count + 1, sizeof(*costs));
    int result = costs != NULL ? 0 : -1;
    if (boot->reading_count == 0 || turns < 1 || result != 0) {
        free(costs);
        return result;
    }
    pmu_attribute(boot->readings, boot->reading_count, reader->windows, reader->count, costs);
    snprintf(names[0], sizeof(names[0]), "%s:cycles", reader->name);
    snprintf(names[1], sizeof(names[1]), "%s:instructions", reader->name);
    for (size_t i = 0; i < reader->count && result == 0; i++) {
        double values[2] = {costs[i].cycles / turns, costs[i].instructions / turns};
        for (int k = 0; k < 2 && costs[i].known && result == 0; k++) {
            struct series *series =
                find_or_add(reader->samples, reader->subject, names[k], "count");
            result = series == NULL
                         ? -1
                         : series_add(series, values[k], reader->run, &reader->windows[i]);
        }
    }
    free(costs);
    return result;
}

/* A row that cannot be measured there. */
static int read_skip(struct reader *reader, char *text)
{
    char *reason = strchr(text, ' ');
    if (reason == NULL)
        return 0;
    *reason++ = '\0';
    struct series *series = find_or_add(reader->samples, reader->subject, text, "ns");
    if (series == NULL)
        return -1;
    if (series->skipped == NULL)
        series->skipped = strdup(reason);
    return series->skipped != NULL ? 0 : -1;
}

/* What is none of these is said by the program to a person. */
static int read_line(struct reader *reader, char *line)
{
    if (strncmp(line, "row ", 4) == 0)
        return read_row(reader, line + 4);
    if (strncmp(line, "skip ", 5) == 0)
        return read_skip(reader, line + 5);
    if (strncmp(line, "window ", 7) == 0) {
        char *save = NULL;
        reader->name = strtok_r(line + 7, " ", &save);
        const char *turns = strtok_r(NULL, " ", &save), *list = strtok_r(NULL, " ", &save);
        if (list == NULL)
            return 0;
        if (read_windows(reader, list) != 0)
            return -1;
        return add_counts(reader, strtod(turns, NULL));
    }
    if (line[0] != '\0')
        fprintf(stderr, "%s\n", line);
    return 0;
}

int samples_add(struct samples *samples, const struct boot *boot, size_t subject, unsigned run)
{
    struct reader reader = {.samples = samples, .boot = boot, .subject = subject, .run = run};
    char *copy = strdup(boot->text), *save = NULL;
    int result = copy != NULL ? 0 : -1;
    for (char *line = copy != NULL ? strtok_r(copy, "\r\n", &save) : NULL;
         line != NULL && result == 0; line = strtok_r(NULL, "\r\n", &save))
        result = read_line(&reader, line);
    free(copy);
    free(reader.windows);
    return result;
}

/* ---- The end -------------------------------------------------------------------------------- */

static void swap(struct series *series, size_t a, size_t b)
{
    double value = series->values[a];
    unsigned run = series->runs[a], reasons = series->reasons[a];
    uint64_t pace = series->paces[a];
    series->values[a] = series->values[b];
    series->runs[a] = series->runs[b];
    series->reasons[a] = series->reasons[b];
    series->paces[a] = series->paces[b];
    series->paces[b] = pace;
    series->values[b] = value;
    series->runs[b] = run;
    series->reasons[b] = reasons;
}

struct statistics_data series_data(const struct samples *samples, const struct series *series)
{
    return (struct statistics_data){series->values, series->runs, series->vouched,
                                    samples->layouts};
}

const char *const samples_reasons[VOUCH_REASONS] = {
    "descheduled", "time stolen", "more exits than the row needs", "nothing known", "another pace"};

void series_explain(const struct series *series, char *text, size_t size)
{
    const char *separator = ": ";
    if (series->skipped != NULL && series->count == 0) {
        snprintf(text, size, "not measured: %s", series->skipped);
        return;
    }
    int length = snprintf(text, size, "none of %zu samples can be vouched for", series->count);
    for (unsigned k = 0; k < VOUCH_REASONS; k++) {
        if (series->left_out[k] == 0 || length < 0 || (size_t)length >= size)
            continue;
        length += snprintf(text + length, size - (size_t)length, "%s%zu %s", separator,
                           series->left_out[k], samples_reasons[k]);
        separator = ", ";
    }
}

double series_margin(const struct series *series)
{
    const struct statistics *s = &series->statistics;
    double half = (s->high - s->low) / 2;
    if (!s->repeated || s->runs < SERIES_FEWEST_RUNS)
        return INFINITY;
    return half == 0 ? 0 : s->median > 0 ? half / s->median : INFINITY;
}

bool series_is_settled(const struct series *series, double tolerance)
{
    return series_margin(series) <= tolerance;
}

static void finish_series(const struct samples *samples, struct series *series)
{
    series->vouched = 0;
    memset(series->left_out, 0, sizeof(series->left_out));
    for (size_t i = 0; i < series->count; i++) {
        series->reasons[i] &= ~(unsigned)VOUCH_PACE; /* more samples may have changed it */
        if (!vouch_is_full_pace(series->paces[i], samples->full_pace))
            series->reasons[i] |= VOUCH_PACE;
        for (unsigned bit = 0; bit < VOUCH_REASONS; bit++)
            series->left_out[bit] += (series->reasons[i] >> bit) & 1;
        if (series->reasons[i] == 0)
            swap(series, i, series->vouched++);
    }
    struct statistics_data data = series_data(samples, series);
    statistics_describe(&series->statistics, &data);
    series->described = series->count;
}

/* Sorting millions of paces takes long, and a few more among them change nothing. */
static uint64_t find_full_pace(struct samples *samples)
{
    size_t more = samples->pace_count - samples->paces_judged;
    if (more <= samples->paces_judged / MORE_PACES)
        return samples->full_pace;
    samples->paces_judged = samples->pace_count;
    return vouch_full_pace(samples->paces, samples->pace_count);
}

void samples_finish(struct samples *samples)
{
    uint64_t now = find_full_pace(samples), known = samples->full_pace;
    bool is_known = now <= known + known / SAME_PACE && known <= now + now / SAME_PACE;
    if (!is_known)
        samples->full_pace = now;
    for (size_t i = 0; i < samples->count; i++)
        if (!is_known || samples->series[i].described != samples->series[i].count)
            finish_series(samples, &samples->series[i]);
}

void samples_clear(struct samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) {
        free(samples->series[i].name);
        free(samples->series[i].unit);
        free(samples->series[i].values);
        free(samples->series[i].runs);
        free(samples->series[i].reasons);
        free(samples->series[i].paces);
        free(samples->series[i].skipped);
    }
    free(samples->series);
    free(samples->paces);
    *samples = (struct samples){0};
}
