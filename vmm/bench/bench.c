/*
 * bench.c - zvmm bench: look at the host, choose rows, measure, report. Each of these has a file of
 * its own; here is their order.
 */
#include "command.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/arguments.h"
#include "bench/compare.h"
#include "bench/html.h"
#include "bench/json.h"
#include "bench/table.h"

#define BASELINE "baseline" /* the name of the subject that is the other kernel */

enum { EXIT_UNVOUCHED = 1 };

static int fail(const struct zvmm_error *error)
{
    fprintf(stderr, "zvmm: %s\n", error->text);
    return ZVMM_EXIT_HOST;
}

/* ---- Subjects ------------------------------------------------------------------------------- */

/* The counters that are asked for and there; NULL: none. */
static const struct pmu_provider *find_pmu(const char *which)
{
    void *state;
    if (strcmp(which, "tsc") == 0)
        return &pmu_tsc;
    return strcmp(which, "auto") == 0 && pmu_perf.open(&state) ? &pmu_perf : NULL;
}

static void add_subject(struct session *session, const struct arguments *arguments,
                        enum subject_kind kind, const char *name, const char *path)
{
    session->subjects[session->subject_count++] = (struct subject){
        .kind = kind,
        .name = name,
        .path = path,
        .bootfs = arguments->bootfs,
        .memory = arguments->memory,
        .row_a_boot = kind == SUBJECT_LIBOS, /* it boots in a hundredth of a second */
        .pmu = kind == SUBJECT_GUEST ? find_pmu(arguments->pmu) : NULL,
    };
}

static int check_subjects(const struct session *session, struct zvmm_error *error)
{
    for (size_t i = 0; i < session->subject_count; i++) {
        const struct subject *subject = &session->subjects[i];
        bool is_kernel = subject->kind == SUBJECT_GUEST || subject->kind == SUBJECT_MACHINE;
        if (access(subject->path, is_kernel ? R_OK : X_OK) != 0)
            return error_set(error, "bench: %s: %s; build it (make bench-programs) or name another",
                             subject->path, strerror(errno));
        char program[4096];
        snprintf(program, sizeof(program), "%s/zbench", subject->bootfs);
        if (subject->kind != SUBJECT_LINUX && access(program, R_OK) != 0)
            return error_set(error,
                             "bench: %s: %s; build it (make bench-programs) or name its folder "
                             "with --bootfs",
                             program, strerror(errno));
    }
    return 0;
}

/* A baseline may be another kernel of the kind that is measured, or a file of samples. */
static bool is_elf(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "re");
    bool elf = file != NULL && fread(magic, sizeof(magic), 1, file) == 1 &&
               memcmp(magic, "\177ELF", sizeof(magic)) == 0;
    if (file != NULL)
        fclose(file);
    return elf;
}

static int set_up(struct session *session, const struct arguments *arguments,
                  struct zvmm_error *error)
{
    *session = (struct session){
        .filter = arguments->filter,
        .runs = arguments->runs,
        .samples = arguments->samples,
        .tolerance = arguments->settle / 100.0,
        .limit_ms = arguments->limit_ms,
        .prepare_ms = arguments->prepare_ms,
        .seconds = arguments->seconds,
        .quiet = arguments->quiet,
    };
    if (strcmp(arguments->pmu, "auto") != 0 && strcmp(arguments->pmu, "none") != 0 &&
        strcmp(arguments->pmu, "tsc") != 0)
        return error_set(error, "bench: --pmu: '%.40s' is not auto, none or tsc", arguments->pmu);
    if (arguments->guest) {
        add_subject(session, arguments, SUBJECT_GUEST, "guest", arguments->guest_path);
        add_subject(session, arguments, SUBJECT_MACHINE, "zvmm", arguments->guest_path);
    }
    if (arguments->libos)
        add_subject(session, arguments, SUBJECT_LIBOS, "libos", arguments->libos_path);
    if (arguments->analogue)
        add_subject(session, arguments, SUBJECT_LINUX, "linux", arguments->linux_path);
    if (arguments->baseline != NULL && is_elf(arguments->baseline))
        add_subject(session, arguments, session->subjects[0].kind, BASELINE, arguments->baseline);
    return check_subjects(session, error);
}

/* ---- Order ---------------------------------------------------------------------------------- */

/* This process watches from another processor than the one that is measured, if there is one. */
static void step_aside(int cpu)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) < 2)
        return;
    CPU_CLR(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static int print_rows(const struct session *session)
{
    for (size_t i = 0; i < session->row_count; i++)
        puts(session->rows[i].name);
    return fflush(stdout) == 0 ? 0 : ZVMM_EXIT_HOST;
}

/* Before measuring: a file that cannot be written must not cost minutes. */
static int prepare_files(const struct arguments *arguments, struct zvmm_error *error)
{
    if (arguments->json != NULL && json_prepare(arguments->json, error) != 0)
        return -1;
    if (arguments->google != NULL && json_prepare(arguments->google, error) != 0)
        return -1;
    return arguments->html != NULL ? html_prepare(arguments->html, error) : 0;
}

static int read_figures(const struct arguments *arguments, struct figures *figures,
                        struct zvmm_error *error)
{
    if (arguments->published != NULL &&
        figures_read_published(figures, arguments->published, error) != 0)
        return -1;
    if (arguments->counts != NULL &&
        figures_read_counts(figures, arguments->counts, FIGURE_COUNT, error) != 0)
        return -1;
    if (arguments->linux_counts != NULL &&
        figures_read_counts(figures, arguments->linux_counts, FIGURE_LINUX_COUNT, error) != 0)
        return -1;
    if (arguments->snapshots != NULL && access(arguments->snapshots, R_OK) != 0)
        return error_set(error, "bench: %s: %s", arguments->snapshots, strerror(errno));
    return 0;
}

static int write_files(const struct arguments *arguments, const struct session *session,
                       const struct host *host, const struct figures *figures,
                       struct zvmm_error *error)
{
    struct html html = {arguments->html, session, host, figures, arguments->snapshots};
    if (arguments->json != NULL &&
        json_write_fuchsiaperf(arguments->json, session, host, error) != 0)
        return -1;
    if (arguments->google != NULL &&
        json_write_google(arguments->google, session, host, error) != 0)
        return -1;
    return arguments->html != NULL ? html_write(&html, error) : 0;
}

static void compare(const struct session *session, const struct samples *baseline)
{
    const struct samples *samples = &session->samples_taken;
    size_t last = session->subject_count - 1;
    if (baseline->count == 0 && strcmp(session->subjects[last].name, BASELINE) == 0)
        compare_print(stdout, samples, 0, samples, last);
    compare_print_pace(stdout, samples->full_pace, baseline->full_pace);
    for (size_t i = 0; i <= last && baseline->count != 0; i++)
        compare_print(stdout, samples, i, baseline, i);
}

/* Rows that were measured but have not a single good sample make the exit status. */
static int report(const struct session *session, const struct samples *baseline)
{
    size_t without = 0;
    table_print(stdout, session);
    table_print_left_out(stdout, session);
    compare(session, baseline);
    for (size_t i = 0; i < session->samples_taken.count; i++) {
        const struct series *series = &session->samples_taken.series[i];
        without += series->count != 0 && series->vouched == 0;
    }
    if (fflush(stdout) != 0)
        return ZVMM_EXIT_HOST;
    return without == 0 ? 0 : EXIT_UNVOUCHED;
}

/* What a session needs besides itself. */
struct inputs {
    struct samples baseline;
    struct figures figures;
};

static int run(const struct arguments *arguments, struct session *session, struct inputs *inputs,
               struct zvmm_error *error)
{
    struct host host;
    if (set_up(session, arguments, error) != 0 ||
        read_figures(arguments, &inputs->figures, error) != 0)
        return fail(error);
    host_look(&host, "", arguments->cpu);
    if (arguments->baseline != NULL && !is_elf(arguments->baseline) &&
        json_read_baseline(arguments->baseline, session, &host, &inputs->baseline, error) != 0)
        return fail(error);
    session->cpu = host.cpu;
    step_aside(host.cpu);
    if (session_choose(session, error) != 0)
        return fail(error);
    if (arguments->list)
        return print_rows(session);
    if (prepare_files(arguments, error) != 0)
        return fail(error);
    table_print_host(stdout, &host);
    fflush(stdout);
    if (session_measure(session, error) != 0 ||
        write_files(arguments, session, &host, &inputs->figures, error) != 0)
        return fail(error);
    return report(session, &inputs->baseline);
}

int bench_command(int argc, char *argv[])
{
    struct arguments arguments;
    struct session session = {0};
    struct zvmm_error error;
    if (arguments_parse(&arguments, argc, argv, &error) != 0)
        return fail(&error);
    if (arguments.help)
        return fputs(arguments_usage, stdout) < 0 || fflush(stdout) != 0 ? ZVMM_EXIT_HOST : 0;
    struct inputs inputs = {0};
    int status = run(&arguments, &session, &inputs, &error);
    samples_clear(&inputs.baseline);
    figures_clear(&inputs.figures);
    session_clear(&session);
    return status;
}
