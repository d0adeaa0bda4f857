/*
 * machine.c - rows about whole machines.
 *
 *     Machine/Boot     create: from nothing to a machine at its entry; kernel: until the first user
 *                      instruction; program: until `hello` has ended; destroy
 *     Machine/Restore  restore: from a snapshot file, taken at the first user instruction, to a
 *                      machine that can go on; destroy
 */
#include "bench/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#include "clock.h"
#include "hypercall.h"
#include "options.h"

enum { MOST_STEPS = 4, MOST_SAMPLES = 4096, FEWEST_SAMPLES = 3, WARM_UP = 1 };

/* A row is measured by a function that fills times[0..steps] with moments in ns. */
struct machine_row {
    const char *name;
    const char *steps[MOST_STEPS + 1];
    int (*sample)(const struct zvmm_config *config, uint64_t *times, struct zvmm_error *error);
};

/* ---- Samples -------------------------------------------------------------------------------- */

static int sample_boot(const struct zvmm_config *config, uint64_t *times, struct zvmm_error *error)
{
    struct zvmm *vm;
    struct zvmm_result result;
    times[0] = clock_monotonic_ns();
    if (zvmm_create(config, &vm, error) != 0)
        return -1;
    times[1] = clock_monotonic_ns();
    int failed = zvmm_run(vm, &result, error);
    const struct zvmm_stats *stats = zvmm_stats(vm);
    times[2] = stats->created_ns + stats->marker_ns[ZV_MARKER_FIRST_USER];
    times[3] = stats->created_ns + stats->end_ns;
    if (failed == 0 && zvmm_exit_status(&result) != 0)
        failed = error_set(error, "bench: hello ended with status %d", zvmm_exit_status(&result));
    zvmm_destroy(vm);
    times[4] = clock_monotonic_ns();
    return failed;
}

/* The snapshot that is restored, made once a process. */
static char snapshot_file[] = "/tmp/zvmm-bench-XXXXXX";

static int make_snapshot(const struct zvmm_config *config, struct zvmm_error *error)
{
    struct zvmm_config taking = *config;
    struct zvmm_result result;
    struct zvmm *vm;
    char event[32];
    int fd = mkstemp(snapshot_file);
    if (fd < 0)
        return error_set(error, "bench: cannot make a file in /tmp for a snapshot");
    close(fd);
    snprintf(event, sizeof(event), "marker:%d", ZV_MARKER_FIRST_USER);
    taking.snapshot_at = event;
    taking.snapshot_path = snapshot_file;
    if (zvmm_create(&taking, &vm, error) != 0)
        return -1;
    int failed = zvmm_run(vm, &result, error);
    if (failed == 0 && zvmm_stats(vm)->snapshots == 0)
        failed = error_set(error, "bench: the machine ended before the snapshot was taken");
    zvmm_destroy(vm);
    return failed;
}

static int sample_restore(const struct zvmm_config *config, uint64_t *times,
                          struct zvmm_error *error)
{
    static bool made;
    struct zvmm *vm;
    if (!made && make_snapshot(config, error) != 0)
        return -1;
    made = true;
    times[0] = clock_monotonic_ns();
    if (zvmm_restore(config, snapshot_file, &vm, error) != 0)
        return -1;
    times[1] = clock_monotonic_ns();
    zvmm_destroy(vm);
    times[2] = clock_monotonic_ns();
    return 0;
}

static const struct machine_row rows[] = {
    {"Machine/Boot", {"create", "kernel", "program", "destroy"}, sample_boot},
    {"Machine/Restore", {"restore", "destroy"}, sample_restore},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- Lines ---------------------------------------------------------------------------------- */

/* What was measured of a row: moments in ns, and the TSC when each sample began and ended. */
struct taken {
    size_t count, steps;
    uint64_t (*times)[MOST_STEPS + 1];
    uint64_t (*windows)[2];
};

static void print_line(const struct taken *taken, const char *name, const char *step, size_t from,
                       size_t to)
{
    printf("row %s%s%s ns %zu 0 0 0", name, step[0] != '\0' ? "." : "", step, taken->count);
    for (size_t i = 0; i < taken->count; i++)
        printf("%s%llu", i == 0 ? " " : ",",
               (unsigned long long)(taken->times[i][to] - taken->times[i][from]));
    putchar('\n');
}

static void print_row(const struct taken *taken, const struct machine_row *row)
{
    printf("window %s 1", row->name);
    for (size_t i = 0; i < taken->count; i++)
        printf("%s%llu+%llu", i == 0 ? " " : ",", (unsigned long long)taken->windows[i][0],
               (unsigned long long)(taken->windows[i][1] - taken->windows[i][0]));
    putchar('\n');
    for (size_t i = 0; i < taken->steps; i++)
        print_line(taken, row->name, row->steps[i], i, i + 1);
    print_line(taken, row->name, "", 0, taken->steps);
    fflush(stdout);
}

/* ---- Measuring ------------------------------------------------------------------------------ */

struct limits {
    unsigned samples, limit_ms;
};

static int take_samples(const struct machine_row *row, const struct zvmm_config *config,
                        const struct limits *limits, struct taken *taken, struct zvmm_error *error)
{
    uint64_t end = clock_monotonic_ns() + limits->limit_ms * UINT64_C(1000000);
    uint64_t ignored[MOST_STEPS + 1];
    for (int i = 0; i < WARM_UP; i++)
        if (row->sample(config, ignored, error) != 0)
            return -1;
    while (taken->count < limits->samples && taken->count < MOST_SAMPLES &&
           (taken->count < FEWEST_SAMPLES || clock_monotonic_ns() < end)) {
        taken->windows[taken->count][0] = __rdtsc();
        if (row->sample(config, taken->times[taken->count], error) != 0)
            return -1;
        taken->windows[taken->count++][1] = __rdtsc();
    }
    return 0;
}

static int measure(const struct machine_row *row, const struct zvmm_config *config,
                   const struct limits *limits, struct zvmm_error *error)
{
    struct taken taken = {.times = calloc(MOST_SAMPLES, sizeof(*taken.times)),
                          .windows = calloc(MOST_SAMPLES, sizeof(*taken.windows))};
    int result = -1;
    while (taken.steps < MOST_STEPS && row->steps[taken.steps] != NULL)
        taken.steps++;
    if (taken.times == NULL || taken.windows == NULL)
        error_set(error, "bench: out of memory");
    else
        result = take_samples(row, config, limits, &taken, error);
    if (result == 0)
        print_row(&taken, row);
    free(taken.times);
    free(taken.windows);
    return result;
}

static const struct machine_row *find(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static void list(void)
{
    for (size_t i = 0; i < ROWS; i++)
        puts(rows[i].name);
}

/* `words` as session.c makes them. */
static int do_words(char *const *words, const struct zvmm_config *config, struct zvmm_error *error)
{
    struct limits limits = {.samples = 200, .limit_ms = 400};
    int result = 0;
    for (; *words != NULL && result == 0; words++) {
        const struct machine_row *row = find(*words);
        if (strcmp(*words, "--list") == 0)
            list();
        else if (strcmp(*words, "--samples") == 0 && words[1] != NULL)
            limits.samples = (unsigned)strtoul(*++words, NULL, 10);
        else if (strcmp(*words, "--limit-ms") == 0 && words[1] != NULL)
            limits.limit_ms = (unsigned)strtoul(*++words, NULL, 10);
        else if (row != NULL)
            result = measure(row, config, &limits, error);
    }
    return result;
}

int machine_main(const struct subject *subject, char *const *words)
{
    static struct options options;
    char *const argv[] = {"zvmm", (char *)subject->path, "--cmdline", "kernel.markers", "--",
                          "hello"};
    struct zvmm_error error;
    int result = options_parse(&options, 6, argv, &error);
    options.config.own_process = false;
    options.config.panic_snapshot = false;
    options.config.in_fd = -1;
    options.config.out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (result == 0)
        result = do_words(words, &options.config, &error);
    unlink(snapshot_file);
    fflush(stdout);
    if (result != 0)
        fprintf(stderr, "zvmm: %s\n", error.text);
    return result != 0 ? ZVMM_EXIT_HOST : 0;
}
