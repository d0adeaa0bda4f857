/*
 * test_command.c - zvmm test: run each test of a program from one kept state, in place.
 *
 * The program is started with --serve LABEL PATTERN... It prints the names of its tests, a line
 * each, and sets the marker LABEL. The machine is marked there. For each test it is put back to
 * that, gets the name as a line of console input, and sets the marker 4097 with the result: 0
 * passed, 77 skipped, anything else failed. What it printed is shown with a failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command.h"
#include "options.h"
#include "snapshot/plan.h"
#include "vm.h"

enum { RESULT_MARKER = 4097, SKIPPED = 77 };

static const char usage[] =
    "usage: zvmm test [options] [--fork-at LABEL] [--timeout SECONDS] GUEST.elf -- PROGRAM\n"
    "                 [PATTERN...]\n"
    "Run each test of PROGRAM, all from the state in which it sets the marker LABEL (default\n"
    "ready), in one machine that is put back each time. TAP on standard output.\n";

struct tester {
    struct zvmm *vm;
    int out_fd; /* a memfd: what the guest prints */
    char *names;
    unsigned number, failed;
    struct zvmm_error error;
};

/* What the guest has printed since the last call, terminated; the caller frees it. */
static char *take_output(struct tester *tester)
{
    off_t length = lseek(tester->out_fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)length + 1);
    if (text == NULL || pread(tester->out_fd, text, (size_t)length, 0) != length ||
        ftruncate(tester->out_fd, 0) != 0)
        return text;
    lseek(tester->out_fd, 0, SEEK_SET);
    return text;
}

/* As TAP's comments, without carriage returns. */
static void show(const char *text)
{
    bool begins = true;
    for (; *text != '\0'; text++) {
        if (begins && *text != '#')
            fputs("# ", stdout);
        if (*text != '\r')
            putchar(*text);
        begins = *text == '\n';
    }
    if (!begins)
        putchar('\n');
}

static const char *describe_end(const struct zvmm_result *result)
{
    switch (result->end) {
    case ZVMM_END_STOP:
        return result->code == ZVMM_STOP_LATE    ? "took too long"
               : result->code == ZVMM_STOP_STUCK ? "every thread waits, for ever"
                                                 : "failed";
    case ZVMM_END_GUEST:
        return "the kernel failed";
    default:
        return "the machine ended";
    }
}

/* In a deterministic run input is part of what repeats. */
static bool type_name(struct zvmm *vm, const char *line, size_t length)
{
    if (vm->determinism != NULL)
        return zvmm_type(vm, line, length) == length;
    return console_type(&vm->console, line, length) == 0;
}

static int run_test(struct tester *tester, const char *name)
{
    struct zvmm_result result;
    char line[256];
    int length = snprintf(line, sizeof(line), "%s\n", name);
    if ((tester->number++ != 0 && zvmm_reset(tester->vm, &tester->error) != 0) ||
        !type_name(tester->vm, line, (size_t)length) ||
        zvmm_run(tester->vm, &result, &tester->error) != 0)
        return -1;
    if (result.end == ZVMM_END_SIGNAL || result.end == ZVMM_END_QUIT)
        return error_set(&tester->error, "ended by signal %d", (int)result.code);
    char *output = take_output(tester);
    bool good = result.end == ZVMM_END_STOP && (result.code == 0 || result.code == SKIPPED);
    if (!good && output != NULL)
        show(output);
    if (!good)
        printf("# %s\n", describe_end(&result));
    printf("%sok %u - %s%s\n", good ? "" : "not ", tester->number, name,
           good && result.code == SKIPPED ? " # SKIP" : "");
    fflush(stdout);
    tester->failed += !good;
    free(output);
    return 0;
}

/* Up to the marker; the names are what was printed on the way. */
static int reach_mark(struct tester *tester, const char *label)
{
    struct zvmm_result result;
    if (zvmm_run(tester->vm, &result, &tester->error) != 0)
        return -1;
    tester->names = take_output(tester);
    if (result.end != ZVMM_END_STOP || result.code < 0)
        return error_set(&tester->error,
                         "test: the program %s before it set the marker %s; it has to know --serve",
                         result.end == ZVMM_END_STOP ? "took too long" : "ended", label);
    tester->vm->stop = (struct plan){.kind = PLAN_MARKER, .number = RESULT_MARKER};
    return zvmm_mark(tester->vm, &tester->error);
}

static int run_all(struct tester *tester)
{
    unsigned total = 0;
    char *save = NULL;
    for (const char *at = tester->names; at != NULL && *at != '\0'; at++)
        total += *at == '\n';
    printf("1..%u%s\n", total, total == 0 ? " # SKIP no test matches" : "");
    for (char *name = strtok_r(tester->names, "\r\n", &save); name != NULL;
         name = strtok_r(NULL, "\r\n", &save))
        if (run_test(tester, name) != 0)
            return -1;
    printf("# passed %u failed %u\n", tester->number - tester->failed, tester->failed);
    return 0;
}

/* The options that are only this command's, taken out of argv. */
static int take_own(int *argc, char *argv[], const char **label, double *seconds,
                    struct zvmm_error *error)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (i < *argc)
                argv[kept++] = argv[i++];
        } else if (strncmp(argv[i], "--fork-at=", 10) == 0) {
            *label = argv[i] + 10;
        } else if (strcmp(argv[i], "--fork-at") == 0 && i + 1 < *argc) {
            *label = argv[++i];
        } else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < *argc) {
            *seconds = atof(argv[++i]);
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[ *argc = kept] = NULL;
    if (!(*seconds > 0 && *seconds < 1e6))
        return error_set(error, "--timeout: give a number of seconds");
    return 0;
}

/* PROGRAM [PATTERN...] becomes PROGRAM --serve LABEL [PATTERN...]; freed by nobody. */
static char **add_serve(int *argc, char *argv[], const char *label)
{
    char **words = calloc((size_t)*argc + 3, sizeof(*words));
    int at = 0, added = 0;
    for (int i = 0; words != NULL && i < *argc; i++) {
        words[at++] = argv[i];
        if (!added && i > 0 && strcmp(argv[i - 1], "--") == 0) {
            words[at++] = (char *)(uintptr_t) "--serve";
            words[at++] = (char *)(uintptr_t)label;
            added = 1;
        }
    }
    *argc = at;
    return added ? words : NULL;
}

int test_command(int argc, char *argv[])
{
    static struct options options;
    struct tester tester = {.out_fd = memfd_create("output", MFD_CLOEXEC)};
    const char *label = "ready";
    char event[128];
    double seconds = 60;
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0 ? ZVMM_EXIT_HOST : 0;
    if (take_own(&argc, argv, &label, &seconds, &tester.error) != 0)
        error_fatal(&tester.error);
    char **words = add_serve(&argc, argv, label);
    if (words == NULL) {
        fputs(usage, stderr);
        return ZVMM_EXIT_HOST;
    }
    if (options_parse(&options, argc, words, &tester.error) != 0)
        error_fatal(&tester.error);
    snprintf(event, sizeof(event), "marker:%s", label);
    options.config.stop_at = event;
    options.config.stop_after_ns = (uint64_t)(seconds * 1e9);
    options.config.resettable = true;
    options.config.panic_snapshot = false;
    options.config.in_fd = -1;
    options.config.out_fd = tester.out_fd;
    if (zvmm_create(&options.config, &tester.vm, &tester.error) != 0 ||
        reach_mark(&tester, label) != 0 || run_all(&tester) != 0)
        error_fatal(&tester.error);
    if (options.stats)
        zvmm_print_stats(tester.vm);
    return tester.failed != 0;
}
