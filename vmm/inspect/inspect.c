/* inspect.c - one inspector: opening it, running a command of it. */
#include "inspect/inspect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/verb.h"

static const struct verb *const verbs[] = {
    &verb_summary,  &verb_jobs,   &verb_ps,   &verb_threads, &verb_bt,     &verb_handles,
    &verb_object,   &verb_vmo,    &verb_vmar, &verb_ports,   &verb_timers, &verb_klog,
    &verb_counters, &verb_ktrace, &verb_regs, &verb_mem,     &verb_sym,    &verb_print,
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* ---- Opening --------------------------------------------------------------------------------- */

static void hex_words(const uint8_t *bytes, size_t count, char *text, size_t room)
{
    snprintf(text, room, "%s", count == 0 ? "none" : "");
    for (size_t i = 0; i < count && i * 2 + 3 <= room; i++)
        snprintf(text + i * 2, room - i * 2, "%02x", bytes[i]);
}

/* Addresses and types of another build would show nonsense. */
static int check_build(const struct inspector *inspector, struct zvmm_error *error)
{
    const struct target *target = inspector->target;
    char theirs[2 * TARGET_BUILD_ID_MAX + 1], ours[2 * TARGET_BUILD_ID_MAX + 1];
    const void *id = NULL;
    size_t length = symbols_build_id(inspector->symbols, &id);
    if (target->build_id_bytes == 0 ||
        (length == target->build_id_bytes && memcmp(id, target->build_id, length) == 0))
        return 0;
    hex_words(target->build_id, target->build_id_bytes, theirs, sizeof(theirs));
    hex_words(id, length, ours, sizeof(ours));
    return error_set(error,
                     "%s is another build than the guest that ran: its build id is %s, the "
                     "machine's is %s; name the right one with --guest, or give --force",
                     inspector->guest_path, ours, theirs);
}

int inspector_open(const struct target *target, const char *guest_path, bool force,
                   struct inspector **out, struct zvmm_error *error)
{
    struct inspector *inspector = calloc(1, sizeof(*inspector));
    bool named = guest_path != NULL;
    if (!named)
        guest_path = target->guest_path;
    if (inspector == NULL ||
        (guest_path != NULL && (inspector->guest_path = strdup(guest_path)) == NULL)) {
        inspector_close(inspector);
        return error_set(error, "out of memory");
    }
    inspector->target = target;
    int failed = guest_path != NULL ? symbols_open(guest_path, &inspector->symbols, error) : 0;
    if (failed != 0 && !named)
        failed = 0; /* registers and memory can be looked at without */
    if (failed == 0 && inspector->symbols != NULL && !force)
        failed = check_build(inspector, error);
    if (failed != 0) {
        inspector_close(inspector);
        return -1;
    }
    *out = inspector;
    return 0;
}

void inspector_set_programs(struct inspector *inspector, const char *folder)
{
    free(inspector->programs_folder);
    inspector->programs_folder = folder != NULL ? strdup(folder) : NULL;
}

void inspector_refresh(struct inspector *inspector)
{
    census_free(inspector->census);
    inspector->census = NULL;
}

void inspector_close(struct inspector *inspector)
{
    if (inspector == NULL)
        return;
    inspector_refresh(inspector);
    symbols_close(inspector->symbols);
    free(inspector->members);
    free(inspector->guest_path);
    free(inspector->programs_folder);
    free(inspector);
}

/* ---- Helpers of commands --------------------------------------------------------------------- */

void inspect_warn(struct inspector *inspector, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (unsigned i = 0; i < inspector->warnings && i < WARNINGS_MAX; i++)
        if (inspector->warning[i] != NULL && strcmp(inspector->warning[i], text) == 0)
            return;
    if (inspector->warnings < WARNINGS_MAX)
        inspector->warning[inspector->warnings] = strdup(text);
    inspector->warnings++;
}

static void print_warnings(struct inspector *inspector, FILE *to)
{
    for (unsigned i = 0; i < inspector->warnings && i < WARNINGS_MAX; i++) {
        if (inspector->warning[i] != NULL) {
            fputs("zvmm: ", to);
            print_harmless(to, inspector->warning[i]);
            fputc('\n', to);
        }
        free(inspector->warning[i]);
        inspector->warning[i] = NULL;
    }
    if (inspector->warnings > WARNINGS_MAX)
        fprintf(to, "zvmm: and %u more damages\n", inspector->warnings - WARNINGS_MAX);
    inspector->warnings = 0;
}

int parse_number(struct inspector *inspector, const char *text, const char *what, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return error_set(inspector->error, "'%s' is not %s: give a number, decimal or 0x...", text,
                         what);
    return 0;
}

int64_t ticks_to_ns(struct inspector *inspector, uint64_t ticks)
{
    struct value info;
    uint64_t numerator = 0, denominator = 0;
    if (value_variable(inspector, "machine", &info)) {
        numerator = value_number(inspector, &info, "info->ticks_numerator");
        denominator = value_number(inspector, &info, "info->ticks_denominator");
    }
    if (numerator == 0 || denominator == 0) {
        numerator = 1000000000;
        denominator = inspector->target->tsc_hz != 0 ? inspector->target->tsc_hz : 1;
    }
    return (int64_t)((unsigned __int128)ticks * numerator / denominator);
}

int64_t inspect_now(struct inspector *inspector)
{
    return ticks_to_ns(inspector, inspector->target->tsc);
}

/* ---- Running --------------------------------------------------------------------------------- */

void inspect_print_commands(FILE *out)
{
    for (unsigned i = 0; i < VERBS; i++) {
        char usage[48];
        snprintf(usage, sizeof(usage), "%s %s", verbs[i]->name, verbs[i]->arguments);
        fprintf(out, "  %-34s %s\n", usage, verbs[i]->summary);
    }
}

static const struct verb *find_verb(const char *name)
{
    for (unsigned i = 0; i < VERBS; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

/* Takes --json and --dot out of the arguments; -1 and an error at any other option. */
static int take_options(struct inspector *inspector, int *argc, char *argv[])
{
    int kept = 0;
    inspector->json = inspector->dot = false;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            inspector->json = true;
        else if (strcmp(argv[i], "--dot") == 0)
            inspector->dot = true;
        else if (strncmp(argv[i], "--", 2) == 0)
            return error_set(inspector->error, "inspect: unknown option '%s'", argv[i]);
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    return 0;
}

static int run_verb(struct inspector *inspector, const struct verb *verb, int argc, char *argv[],
                    FILE *out)
{
    if (argc - 1 < verb->min || argc - 1 > verb->max)
        return error_set(inspector->error, "usage: inspect %s %s", verb->name, verb->arguments);
    if (inspector->dot && verb->draw == NULL)
        return error_set(inspector->error, "'%s' has no --dot: jobs, threads and object have",
                         verb->name);
    inspector->out = out;
    if (inspector->dot)
        return verb->draw(inspector, argc, argv);
    struct item *root = verb->run(inspector, argc, argv);
    if (report_failed(inspector->report))
        return error_set(inspector->error, "out of memory, or too much to show");
    if (root == NULL)
        return -1;
    if (inspector->json)
        report_print_json(out, root);
    else if (verb->print != NULL)
        verb->print(out, root);
    else
        report_print_text(out, root);
    return 0;
}

static int answer(struct inspector *inspector, int argc, char *argv[], FILE *out, FILE *remarks,
                  struct zvmm_error *error)
{
    int failed = error_set(error, "inspect: out of memory");
    inspector->error = error;
    inspector->report = report_new();
    if (inspector->report != NULL && take_options(inspector, &argc, argv) == 0) {
        const struct verb *verb = find_verb(argc > 0 ? argv[0] : "summary");
        if (verb == NULL)
            error_set(error, "inspect has no command '%s': 'zvmm inspect --help' lists them",
                      argv[0]);
        else
            failed = run_verb(inspector, verb, argc > 0 ? argc : 1, argv, out);
    }
    report_free(inspector->report);
    inspector->report = NULL;
    inspector->error = NULL;
    if (fflush(out) != 0 && failed == 0)
        failed = error_set(error, "cannot write the output: %s", strerror(errno));
    print_warnings(inspector, remarks);
    return failed;
}

int inspect_answer(struct inspector *inspector, int argc, char *argv[], FILE *out,
                   struct zvmm_error *error)
{
    return answer(inspector, argc, argv, out, out, error);
}

int inspect_run(struct inspector *inspector, int argc, char *argv[], FILE *out)
{
    struct zvmm_error error;
    if (answer(inspector, argc, argv, out, stderr, &error) == 0)
        return 0;
    fputs("zvmm: ", stderr);
    print_harmless(stderr, error.text);
    fputc('\n', stderr);
    return ZVMM_EXIT_HOST;
}
