/* json.c - results as JSON. */
#include "bench/json.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SUITE         "zvmm.microbenchmarks."
#define CONTEXT_SUITE "zvmm.context"
#define PACE_LABEL    "full pace, in ticks"

/* ---- Files ---------------------------------------------------------------------------------- */

static void new_name(char *name, size_t size, const char *path)
{
    snprintf(name, size, "%s.new", path);
}

int json_prepare(const char *path, struct zvmm_error *error)
{
    char name[4096];
    new_name(name, sizeof(name), path);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(error, "bench: %s: cannot write it: %s; name another file", path,
                         strerror(errno));
    close(fd);
    unlink(name);
    return 0;
}

/* Write all to PATH.new, then put it in place. Frees `root`. */
static int write_file(const char *path, json_t *root, struct zvmm_error *error)
{
    char name[4096];
    new_name(name, sizeof(name), path);
    if (root == NULL)
        return error_set(error, "bench: %s: out of memory", path);
    int result = json_dump_file(root, name, JSON_INDENT(1) | JSON_REAL_PRECISION(8));
    json_decref(root);
    if (result == 0 && rename(name, path) == 0)
        return 0;
    int reason = errno;
    unlink(name);
    return error_set(error, "bench: %s: cannot write it: %s", path, strerror(reason));
}

/* ---- fuchsiaperf ---------------------------------------------------------------------------- */

static void context_label(char *label, size_t size, const struct host *host)
{
    snprintf(label, size, "machine: %s; zvmm %s", host->machine, ZVMM_VERSION);
}

static json_t *values_of(const struct series *series)
{
    json_t *values = json_array();
    for (size_t i = 0; i < series->vouched; i++)
        json_array_append_new(values, json_real(series->values[i]));
    return values;
}

static const char *unit_name(const struct series *series)
{
    return strcmp(series->unit, "ns") == 0 ? "nanoseconds" : "count";
}

int json_write_fuchsiaperf(const char *path, const struct session *session, const struct host *host,
                           struct zvmm_error *error)
{
    char text[HOST_TEXT + 128];
    json_t *root = json_array();
    context_label(text, sizeof(text), host);
    json_array_append_new(root, json_pack("{s:s, s:s, s:s, s:[i]}", "label", text, "test_suite",
                                          CONTEXT_SUITE, "unit", "count", "values", 1));
    json_array_append_new(root, json_pack("{s:s, s:s, s:s, s:[I]}", "label", PACE_LABEL,
                                          "test_suite", CONTEXT_SUITE, "unit", "count", "values",
                                          (json_int_t)session->samples_taken.full_pace));
    for (size_t i = 0; i < session->samples_taken.count; i++) {
        const struct series *series = &session->samples_taken.series[i];
        if (series->vouched == 0)
            continue;
        snprintf(text, sizeof(text), SUITE "%s", session->subjects[series->subject].name);
        json_array_append_new(root, json_pack("{s:s, s:s, s:s, s:o}", "label", series->name,
                                              "test_suite", text, "unit", unit_name(series),
                                              "values", values_of(series)));
    }
    return write_file(path, root, error);
}

/* ---- Reading a baseline --------------------------------------------------------------------- */

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text != NULL ? text : "";
}

/* The label of the entry that says where the samples come from, or NULL. */
static const char *find_context(const json_t *root)
{
    size_t index;
    json_t *entry;
    json_array_foreach(root, index, entry)
    {
        if (strcmp(text_of(entry, "test_suite"), CONTEXT_SUITE) == 0)
            return text_of(entry, "label");
    }
    return NULL;
}

/* 0 if the file does not say. */
static uint64_t find_pace(const json_t *root)
{
    size_t index;
    json_t *entry;
    json_array_foreach(root, index, entry)
    {
        json_t *value = json_array_get(json_object_get(entry, "values"), 0);
        if (strcmp(text_of(entry, "test_suite"), CONTEXT_SUITE) == 0 &&
            strcmp(text_of(entry, "label"), PACE_LABEL) == 0 && json_integer_value(value) > 0)
            return (uint64_t)json_integer_value(value);
    }
    return 0;
}

/* -1: out of memory. Entries of subjects that are not measured now are passed over. */
static int add_entry(const json_t *entry, const struct session *session, struct samples *out)
{
    const char *suite = text_of(entry, "test_suite");
    size_t index, subject = 0;
    json_t *value;
    if (strncmp(suite, SUITE, sizeof(SUITE) - 1) != 0)
        return 0;
    while (subject < session->subject_count &&
           strcmp(session->subjects[subject].name, suite + sizeof(SUITE) - 1) != 0)
        subject++;
    if (subject == session->subject_count)
        return 0;
    json_array_foreach(json_object_get(entry, "values"), index, value)
    {
        if (json_is_number(value) &&
            samples_add_value(out, subject, text_of(entry, "label"), json_number_value(value)) != 0)
            return -1;
    }
    return 0;
}

int json_read_baseline(const char *path, const struct session *session, const struct host *host,
                       struct samples *out, struct zvmm_error *error)
{
    char expected[HOST_TEXT + 128];
    json_error_t reason;
    size_t index;
    json_t *entry, *root = json_load_file(path, 0, &reason);
    int result = 0;
    if (root == NULL)
        return error_set(error, "bench: --baseline %s: %.200s; give a file of --json or a kernel",
                         path, reason.text);
    const char *context = find_context(root);
    context_label(expected, sizeof(expected), host);
    if (context == NULL)
        result = error_set(error,
                           "bench: --baseline %s: it does not say which machine it is from; give a "
                           "file of --json or a kernel",
                           path);
    else if (strcmp(context, expected) != 0)
        result = error_set(error,
                           "bench: --baseline %s: it is of another machine or version (%.150s), "
                           "this is %.150s; give the other kernel itself, to measure both here",
                           path, context, expected);
    json_array_foreach(root, index, entry)
    {
        if (result == 0 && add_entry(entry, session, out) != 0)
            result = error_set(error, "bench: --baseline %s: out of memory", path);
    }
    samples_finish(out);
    out->full_pace = find_pace(root);
    json_decref(root);
    return result;
}

/* ---- Google Benchmark ----------------------------------------------------------------------- */

static json_t *google_context(const struct host *host)
{
    char date[64], name[256] = "unknown";
    time_t now = time(NULL);
    struct tm local;
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &local));
    gethostname(name, sizeof(name) - 1);
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:b, s:[], s:s, s:s, s:s}", "date", date,
                     "host_name", name, "executable", "zvmm bench", "num_cpus", host->cpus,
                     "mhz_per_cpu", (int)host->mhz, "cpu_scaling_enabled", 0, "caches",
                     "library_build_type", "release", "machine", host->machine, "zvmm_version",
                     ZVMM_VERSION);
}

static json_t *google_entry(const char *name, const char *type, double value)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:s}", "name", name, "run_name", name,
                     "run_type", type, "threads", 1, "iterations", 1, "real_time", value,
                     "cpu_time", value, "time_unit", "ns");
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median of one run's samples; false if it has none. */
static bool median_of_run(const struct series *series, unsigned run, double *median)
{
    double *values = malloc((series->vouched + 1) * sizeof(*values));
    size_t count = 0;
    if (values == NULL)
        return false;
    for (size_t i = 0; i < series->vouched; i++)
        if (series->runs[i] == run)
            values[count++] = series->values[i];
    if (count != 0) {
        qsort(values, count, sizeof(*values), compare_doubles);
        *median = statistics_quantile(values, count, 0.5);
    }
    free(values);
    return count != 0;
}

static unsigned last_run(const struct series *series)
{
    unsigned last = 0;
    for (size_t i = 0; i < series->vouched; i++)
        if (series->runs[i] > last)
            last = series->runs[i];
    return last;
}

static void add_aggregate(json_t *list, const char *name, const char *what, double value)
{
    char full[256];
    snprintf(full, sizeof(full), "%s_%s", name, what);
    json_t *entry = google_entry(full, "aggregate", value);
    json_object_set_new(entry, "run_name", json_string(name));
    json_object_set_new(entry, "aggregate_name", json_string(what));
    json_object_set_new(entry, "aggregate_unit", json_string("time"));
    json_array_append_new(list, entry);
}

/* Each run is a repetition, with the median of its samples; then the row's aggregates. */
static void add_google_row(json_t *list, const struct session *session, const struct series *series)
{
    char name[200];
    unsigned index = 0;
    double median;
    snprintf(name, sizeof(name), "%s/%s", session->subjects[series->subject].name, series->name);
    for (unsigned run = 0; run <= last_run(series); run++) {
        if (!median_of_run(series, run, &median))
            continue;
        json_t *entry = google_entry(name, "iteration", median);
        json_object_set_new(entry, "repetition_index", json_integer(index++));
        json_object_set_new(entry, "samples_vouched_for",
                            json_integer((json_int_t)series->vouched));
        json_object_set_new(entry, "samples", json_integer((json_int_t)series->count));
        json_array_append_new(list, entry);
    }
    add_aggregate(list, name, "mean", series->statistics.mean);
    add_aggregate(list, name, "median", series->statistics.median);
    add_aggregate(list, name, "min", series->statistics.minimum);
}

int json_write_google(const char *path, const struct session *session, const struct host *host,
                      struct zvmm_error *error)
{
    json_t *list = json_array();
    for (size_t i = 0; i < session->samples_taken.count; i++)
        if (session->samples_taken.series[i].vouched != 0)
            add_google_row(list, session, &session->samples_taken.series[i]);
    return write_file(
        path, json_pack("{s:o, s:o}", "context", google_context(host), "benchmarks", list), error);
}
