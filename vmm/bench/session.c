/* session.c - which rows, how often, in which order. */
#include "bench/session.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_ROWS = 40,
    GROUP_BYTES = 1600, /* of row names: the guest's command line has at most 4095 */
    FEWEST_VOUCHED = 5,
    MOST_REPEATS = 3,
    FIRST_SEED = 1,
};

/* ---- Choosing rows -------------------------------------------------------------------------- */

static struct session_row *find_row(const struct session *session, const char *name)
{
    for (size_t i = 0; i < session->row_count; i++)
        if (strcmp(session->rows[i].name, name) == 0)
            return &session->rows[i];
    return NULL;
}

static struct session_row *add_row(struct session *session, const char *name)
{
    struct session_row *larger =
        reallocarray(session->rows, session->row_count + 1, sizeof(*larger));
    if (larger == NULL)
        return NULL;
    session->rows = larger;
    larger[session->row_count] = (struct session_row){.name = strdup(name)};
    return larger[session->row_count].name != NULL ? &larger[session->row_count++] : NULL;
}

static int add_rows(struct session *session, size_t subject, char *text, const regex_t *regex,
                    struct zvmm_error *error)
{
    char *save = NULL;
    for (char *name = strtok_r(text, "\r\n", &save); name != NULL;
         name = strtok_r(NULL, "\r\n", &save)) {
        if (strchr(name, ' ') != NULL)
            continue;
        if (regex != NULL && regexec(regex, name, 0, NULL, 0) != 0)
            continue;
        struct session_row *row = find_row(session, name);
        if (row == NULL && (row = add_row(session, name)) == NULL)
            return error_set(error, "bench: out of memory");
        row->known |= 1u << subject;
    }
    return 0;
}

/* A failed boot as an error; the program's own message is on stderr already or in its text. */
static int boot_failed(const struct subject *subject, const struct boot *boot,
                       struct zvmm_error *error)
{
    size_t length = strcspn(boot->text, "\r\n");
    return error_set(error, "bench: %s (%s) ended with status %d%s%.*s", subject->name,
                     subject->path, boot->status, length != 0 ? ": " : "",
                     (int)(length < 200 ? length : 200), boot->text);
}

static int list_rows(struct session *session, size_t subject, const regex_t *regex,
                     struct zvmm_error *error)
{
    char *words[] = {"--list", NULL};
    struct boot_order order = {.subject = &session->subjects[subject],
                               .cpu = session->cpu,
                               .seed = FIRST_SEED,
                               .words = words};
    struct boot boot;
    int result = boot_run(&order, &boot, error);
    if (result == 0 && boot.status != 0)
        result = boot_failed(order.subject, &boot, error);
    if (result == 0)
        result = add_rows(session, subject, boot.text, regex, error);
    boot_clear(&boot);
    return result;
}

/* The subjects have nearly the same rows; each leaves out those that it does not know. */
int session_choose(struct session *session, struct zvmm_error *error)
{
    regex_t regex;
    int result = 0;
    if (session->filter != NULL) {
        int code = regcomp(&regex, session->filter, REG_EXTENDED | REG_NOSUB | REG_ICASE);
        if (code != 0) {
            char reason[128];
            regerror(code, &regex, reason, sizeof(reason));
            return error_set(error,
                             "bench: --filter '%.80s': %s; write an extended regular expression",
                             session->filter, reason);
        }
    }
    for (size_t i = 0; i < session->subject_count && result == 0; i++)
        result = list_rows(session, i, session->filter != NULL ? &regex : NULL, error);
    if (session->filter != NULL)
        regfree(&regex);
    if (result == 0 && session->row_count == 0)
        return error_set(error, "bench: --filter '%.80s': no row matches; --list shows the rows",
                         session->filter != NULL ? session->filter : "");
    return result;
}

/* ---- Measuring ------------------------------------------------------------------------------ */

/* What the bar shows. */
struct progress {
    const struct session *session;
    const char *subject;
    size_t done, total; /* rows, over all runs and subjects */
};

static void draw(void *context, size_t rows)
{
    enum { WIDTH = 40 };
    const struct progress *progress = context;
    static const char bar[WIDTH + 1] = "########################################";
    size_t done = progress->done + rows;
    if (done > progress->total)
        done = progress->total;
    size_t filled = progress->total != 0 ? done * WIDTH / progress->total : WIDTH;
    fprintf(stderr, "\r[%.*s%*s] %zu of %zu rows, %s\033[K", (int)filled, bar,
            (int)(WIDTH - filled), "", done, progress->total, progress->subject);
}

/* The rows [first, *end) are one group. */
static size_t group_end(const struct session *session, size_t first)
{
    size_t bytes = 0, end = first;
    while (end < session->row_count && end - first < GROUP_ROWS) {
        bytes += strlen(session->rows[end].name) + sizeof(" userboot.arg=");
        if (bytes > GROUP_BYTES && end > first)
            break;
        end++;
    }
    return end;
}

/*
 * The benchmark program's arguments for those rows of a group that the subject knows; `numbers`
 * holds the text of two of them. False if it knows none.
 */
static bool build_words(const struct session *session, size_t subject, char *words[],
                        char numbers[2][16], const struct session_row *rows, size_t count)
{
    size_t n = 0, known = 0;
    snprintf(numbers[0], 16, "%u", session->samples);
    snprintf(numbers[1], 16, "%u", session->limit_ms);
    char *const options[] = {"--raw",    "--windows",  "--samples",
                             numbers[0], "--limit-ms", numbers[1]};
    memcpy(words, options, sizeof(options));
    n = sizeof(options) / sizeof(options[0]);
    if (session->subjects[subject].pmu != NULL)
        words[n++] = "--markers";
    for (size_t i = 0; i < count; i++) {
        if ((rows[i].known >> subject & 1) == 0)
            continue;
        words[n++] = rows[i].name;
        known++;
    }
    words[n] = NULL;
    return known != 0;
}

/* One boot for some rows. */
static int measure_group(struct session *session, size_t subject, unsigned run,
                         const struct session_row *rows, size_t count, struct progress *progress,
                         struct zvmm_error *error)
{
    char *words[GROUP_ROWS + 9], numbers[2][16];
    struct boot boot;
    if (!build_words(session, subject, words, numbers, rows, count)) {
        progress->done += count;
        return 0;
    }
    progress->subject = session->subjects[subject].name;
    struct boot_order order = {.subject = &session->subjects[subject],
                               .cpu = session->cpu,
                               .seed = FIRST_SEED + run,
                               .words = words,
                               .progress = session->progress ? draw : NULL,
                               .context = progress};
    int result = boot_run(&order, &boot, error);
    progress->done += count;
    if (boot.blind_reason != 0)
        session->blind_reason = boot.blind_reason;
    if (result == 0 && samples_add(&session->samples_taken, &boot, subject, run) != 0)
        result = error_set(error, "bench: out of memory for samples");
    if (result == 0 && boot.status > 1)
        result = boot_failed(order.subject, &boot, error);
    boot_clear(&boot);
    return result;
}

/* All subjects measure the group, the first of them last every other time. */
static int take_turns(struct session *session, unsigned run, const struct session_row *rows,
                      size_t count, struct progress *progress, struct zvmm_error *error)
{
    size_t subjects = session->subject_count;
    for (size_t i = 0; i < subjects; i++) {
        size_t subject = run % 2 == 0 ? i : subjects - 1 - i;
        if (measure_group(session, subject, run, rows, count, progress, error) != 0)
            return -1;
    }
    return 0;
}

/* Whether some subject has measured the row but could vouch for too few samples. */
static bool is_poor(const struct session *session, const char *row)
{
    size_t length = strlen(row);
    for (size_t i = 0; i < session->samples_taken.count; i++) {
        const struct series *series = &session->samples_taken.series[i];
        bool is_row = strncmp(series->name, row, length) == 0 &&
                      (series->name[length] == '\0' || series->name[length] == '.');
        if (is_row && series->vouched < FEWEST_VOUCHED)
            return true;
    }
    return false;
}

static int measure_poor_again(struct session *session, unsigned run, struct progress *progress,
                              struct zvmm_error *error)
{
    for (size_t i = 0; i < session->row_count; i++) {
        if (!is_poor(session, session->rows[i].name))
            continue;
        progress->total += session->subject_count;
        if (take_turns(session, run, &session->rows[i], 1, progress, error) != 0)
            return -1;
    }
    samples_finish(&session->samples_taken);
    return 0;
}

int session_measure(struct session *session, struct zvmm_error *error)
{
    struct progress progress = {
        .session = session, .total = session->row_count * session->subject_count * session->runs};
    unsigned run;
    int result = 0;
    for (run = 0; run < session->runs && result == 0; run++)
        for (size_t i = 0, end; i < session->row_count && result == 0; i = end) {
            end = group_end(session, i);
            result = take_turns(session, run, &session->rows[i], end - i, &progress, error);
        }
    samples_finish(&session->samples_taken);
    for (unsigned i = 0; i < MOST_REPEATS && result == 0 && session->blind_reason == 0; i++)
        result = measure_poor_again(session, run + i, &progress, error);
    if (session->progress)
        fputs("\r\033[K", stderr);
    return result;
}

void session_clear(struct session *session)
{
    for (size_t i = 0; i < session->row_count; i++)
        free(session->rows[i].name);
    free(session->rows);
    samples_clear(&session->samples_taken);
    session->rows = NULL;
    session->row_count = 0;
}
