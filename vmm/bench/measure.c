/* measure.c - measuring a session's rows: how often, in which order, for how long. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "bench/budget.h"
#include "bench/frames.h"
#include "bench/progress.h"
#include "bench/session.h"
#include "clock.h"

enum {
    GROUP_ROWS = 40,
    GROUP_BYTES = 1600, /* of row names: the guest's command line has at most 4095 */
    FEWEST_VOUCHED = 5,
    MOST_REPEATS = 3,  /* of a session without an end */
    OPTION_WORDS = 10, /* before the row names */
    GUEST_FRAMES = 64, /* huge pages of a boot: the guest's whole memory */
    OTHER_FRAMES = 12, /* the LibOS takes as much as it uses */
};

/* A session under way. */
struct measuring {
    struct session *session;
    struct budget budget;
    struct progress progress;
    struct frames frames;
    uint64_t refresh_ns; /* when all rows are to be measured again, settled or not */
};

/* Some rows that are measured in one boot of each subject. */
struct group {
    const struct session_row *rows;
    size_t count;
};

/* ---- Groups --------------------------------------------------------------------------------- */

/* The first of `count` rows, as many as one boot takes. */
static struct group first_group(const struct session_row *rows, size_t count)
{
    size_t bytes = 0, end = 0;
    for (; end < count && end < GROUP_ROWS; end++) {
        bytes += strlen(rows[end].name) + sizeof(" userboot.arg=");
        if (bytes > GROUP_BYTES && end > 0)
            break;
    }
    return (struct group){rows, end};
}

static size_t count_known(const struct group *group, size_t subject)
{
    size_t known = 0;
    for (size_t i = 0; i < group->count; i++)
        known += group->rows[i].known >> subject & 1;
    return known;
}

/* How many measurements it takes to measure some rows once by each subject that knows them. */
static size_t count_measurements(const struct session_row *rows, size_t count)
{
    size_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += (size_t)__builtin_popcount(rows[i].known);
    return all;
}

/* ---- One boot ------------------------------------------------------------------------------- */

/* The benchmark program's arguments for those rows of a group that the subject knows. */
struct command {
    char *words[OPTION_WORDS + GROUP_ROWS + 1];
    char samples[16], limit[16], prepare[16];
};

static void build_command(struct command *command, const struct measuring *measuring,
                          size_t subject, const struct group *group)
{
    const struct session *session = measuring->session;
    unsigned limit = budget_limit_ms(&measuring->budget, clock_monotonic_ns(), session->limit_ms);
    size_t n = 0;
    snprintf(command->samples, sizeof(command->samples), "%u", session->samples);
    snprintf(command->limit, sizeof(command->limit), "%u", limit);
    snprintf(command->prepare, sizeof(command->prepare), "%u", session->prepare_ms);
    char *const options[] = {"--raw",      "--windows",    "--samples",    command->samples,
                             "--limit-ms", command->limit, "--prepare-ms", command->prepare};
    memcpy(command->words, options, sizeof(options));
    n = sizeof(options) / sizeof(options[0]);
    if (session->subjects[subject].pmu != NULL)
        command->words[n++] = "--markers";
    for (size_t i = 0; i < group->count; i++)
        if ((group->rows[i].known >> subject & 1) != 0)
            command->words[n++] = group->rows[i].name;
    command->words[n] = NULL;
}

static void show_rows(void *context, size_t rows)
{
    progress_show(context, rows);
}

static int measure_boot(struct measuring *measuring, size_t subject, unsigned run,
                        const struct group *group, struct zvmm_error *error)
{
    struct session *session = measuring->session;
    size_t known = count_known(group, subject);
    struct command command;
    struct boot boot;
    if (known == 0)
        return 0;
    build_command(&command, measuring, subject, group);
    measuring->progress.subject = session->subjects[subject].name;
    struct boot_order order = {.subject = &session->subjects[subject],
                               .cpu = session->cpu,
                               .seed = SESSION_FIRST_SEED + run % session->runs,
                               .words = command.words,
                               .progress = show_rows,
                               .context = &measuring->progress};
    frames_exchange(&measuring->frames, session->cpu,
                    order.subject->kind == SUBJECT_GUEST ? GUEST_FRAMES : OTHER_FRAMES);
    int result = boot_run(&order, &boot, error);
    budget_take(&measuring->budget, known);
    measuring->progress.done += known;
    if (boot.blind_reason != 0)
        session->blind_reason = boot.blind_reason;
    if (result == 0 && samples_add(&session->samples_taken, &boot, subject, run) != 0)
        result = error_set(error, "bench: out of memory for samples");
    if (result == 0 && boot.status > 1)
        result = boot_failure(order.subject, &boot, error);
    boot_clear(&boot);
    progress_show(&measuring->progress, 0);
    return result;
}

/* ---- Runs ----------------------------------------------------------------------------------- */

/* The first run is done in any case, so that there is something of each row. */
static bool is_over(const struct measuring *measuring, unsigned run)
{
    return run > 0 && budget_is_spent(&measuring->budget, clock_monotonic_ns());
}

static int measure_group(struct measuring *measuring, size_t subject, unsigned run,
                         const struct group *group, struct zvmm_error *error)
{
    bool single = measuring->session->subjects[subject].row_a_boot;
    for (size_t i = 0; i < group->count; i += single ? 1 : group->count) {
        struct group part = {group->rows + i, single ? 1 : group->count};
        if (is_over(measuring, run))
            return 0;
        if (measure_boot(measuring, subject, run, &part, error) != 0)
            return -1;
    }
    return 0;
}

/*
 * All subjects measure the rows, group by group, the first of them last every other time. What
 * there is no time for is left out.
 */
static int measure_rows(struct measuring *measuring, unsigned run, const struct session_row *rows,
                        size_t count, struct zvmm_error *error)
{
    size_t subjects = measuring->session->subject_count;
    for (size_t first = 0; first < count;) {
        struct group group = first_group(rows + first, count - first);
        for (size_t i = 0; i < subjects; i++) {
            size_t subject = run % 2 == 0 ? i : subjects - 1 - i;
            if (measure_group(measuring, subject, run, &group, error) != 0)
                return -1;
        }
        first += group.count;
    }
    return 0;
}

static int measure_runs(struct measuring *measuring, struct zvmm_error *error)
{
    struct session *session = measuring->session;
    for (unsigned run = 0; run < session->runs && !is_over(measuring, run); run++) {
        if (measure_rows(measuring, run, session->rows, session->row_count, error) != 0)
            return -1;
        session->runs_done++;
    }
    samples_finish(&session->samples_taken);
    return 0;
}

/* ---- Again ---------------------------------------------------------------------------------- */

/* To what part of itself a median must be known for its row not to be measured in this run. */
static double margin_limit(const struct session *session, unsigned run)
{
    double worst = 0;
    if (run / session->runs % 2 == 0)
        return session->tolerance;
    /* In every other round of layouts it is the worst rows' turn, lest any stays far behind. */
    for (size_t i = 0; i < session->samples_taken.count; i++) {
        double margin = series_margin(&session->samples_taken.series[i]);
        if (isfinite(margin) && margin > worst)
            worst = margin;
    }
    return worst / 2 > session->tolerance ? worst / 2 : session->tolerance;
}

static bool wants_more(const struct session *session, const struct series *series, double limit)
{
    if (series->count == 0)
        return false;
    return series->vouched < FEWEST_VOUCHED ||
           (session->tolerance > 0 && series_margin(series) > limit);
}

/* The subjects whose samples of the row, or of one of its steps, do not suffice; bits. */
static unsigned unsettled_subjects(const struct session *session, const char *row, double limit)
{
    size_t length = strlen(row);
    unsigned subjects = 0;
    for (size_t i = 0; i < session->samples_taken.count; i++) {
        const struct series *series = &session->samples_taken.series[i];
        bool is_row = strncmp(series->name, row, length) == 0 &&
                      (series->name[length] == '\0' || series->name[length] == '.');
        if (is_row && wants_more(session, series, limit))
            subjects |= 1u << series->subject;
    }
    return subjects;
}

/* The rows, and the subjects, to be measured again: those that are not settled, or all. */
static size_t choose_again(const struct session *session, unsigned run, bool all,
                           struct session_row *out)
{
    double limit = margin_limit(session, run);
    size_t count = 0;
    bool settled = true;
    for (size_t i = 0; i < session->row_count; i++) {
        unsigned subjects = unsettled_subjects(session, session->rows[i].name, limit);
        settled = settled && subjects == 0;
        if (all)
            subjects = session->rows[i].known;
        if (subjects != 0)
            out[count++] = (struct session_row){session->rows[i].name, subjects};
    }
    return settled ? 0 : count;
}

/*
 * Medians and margins anew, when all layouts have had their turn: until then the same rows are
 * measured. Sorting what a long session has takes too long for every run.
 */
static void finish_round(struct session *session, unsigned run)
{
    if ((run + 1) % session->runs == 0)
        samples_finish(&session->samples_taken);
}

/* One more run of the rows that need it. Returns how many were measured: 0 if all are settled. */
static int measure_again(struct measuring *measuring, unsigned run, struct zvmm_error *error)
{
    struct session *session = measuring->session;
    struct session_row *rows = calloc(session->row_count + 1, sizeof(*rows));
    uint64_t begin = clock_monotonic_ns();
    bool all = begin >= measuring->refresh_ns;
    if (rows == NULL)
        return error_set(error, "bench: out of memory");
    size_t count = choose_again(session, run, all, rows);
    measuring->budget.left = count_measurements(rows, count);
    measuring->progress.total += measuring->budget.left;
    int result = measure_rows(measuring, run, rows, count, error);
    free(rows);
    finish_round(session, run);
    if (all)
        measuring->refresh_ns = budget_refresh_ns(begin, clock_monotonic_ns());
    return result == 0 ? (int)count : -1;
}

static int settle(struct measuring *measuring, struct zvmm_error *error)
{
    struct session *session = measuring->session;
    unsigned most = session->seconds == 0 ? MOST_REPEATS : UINT_MAX;
    int count = 1;
    for (unsigned i = 0; i < most && count > 0 && session->blind_reason == 0; i++) {
        if (is_over(measuring, session->runs_done + i))
            break;
        count = measure_again(measuring, session->runs_done + i, error);
    }
    samples_finish(&session->samples_taken);
    return count < 0 ? -1 : 0;
}

int session_measure(struct session *session, struct zvmm_error *error)
{
    uint64_t now = clock_monotonic_ns();
    size_t all = count_measurements(session->rows, session->row_count) * session->runs;
    struct measuring measuring = {
        .session = session,
        .budget = {session->seconds != 0 ? now + session->seconds * UINT64_C(1000000000) : 0, all},
    };
    session->samples_taken.layouts = session->runs;
    frames_begin(&measuring.frames, FRAMES_MOST, __rdtsc());
    progress_begin(&measuring.progress, session->quiet, all);
    int result = measure_runs(&measuring, error);
    uint64_t end = clock_monotonic_ns(), took = (end - now) / session->runs;
    measuring.refresh_ns = budget_refresh_ns(end - took, end);
    if (result == 0)
        result = settle(&measuring, error);
    progress_end(&measuring.progress);
    frames_end(&measuring.frames);
    return result;
}
