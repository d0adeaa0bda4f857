/*
 * measure.c - what snapshots cost, beside a bare prototype that does the least for the same end.
 *
 *     snapshot GUEST FOLDER [COUNT]     GUEST is the test guest (tests/vmm/guest)
 *
 * A line a row: NAME, zvmm's smallest, median and mean time, the prototype's, the ratio of the
 * smallest. Nanoseconds; on the rig under --icount a nanosecond is an instruction.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bare.h"
#include "zvmm.h"

enum { COUNT_MAX = 1000, PATH_ROOM = 512, RUNS_AT_ONCE = 65 /* a reset protects every 64 runs */ };

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static struct zvmm_error error;

#define GOOD(call)                                                                                 \
    do {                                                                                           \
        error.text[0] = '\0';                                                                      \
        need((call) == 0, #call, error.text);                                                      \
    } while (0)

/* ---- Series -----------------------------------------------------------------------------------
 */

struct series {
    uint64_t value[COUNT_MAX];
    int count;
};

static void add(struct series *series, uint64_t value)
{
    series->value[series->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void print_series(const char *who, struct series *series)
{
    uint64_t sum = 0;
    qsort(series->value, (size_t)series->count, sizeof(uint64_t), by_value);
    for (int i = 0; i < series->count; i++)
        sum += series->value[i];
    printf(" %s min=%llu median=%llu mean=%llu", who, (unsigned long long)series->value[0],
           (unsigned long long)series->value[series->count / 2],
           (unsigned long long)(sum / (uint64_t)series->count));
}

static void report(const char *name, struct series *ours, struct series *bare)
{
    printf("%-26s", name);
    print_series("zvmm", ours);
    if (bare != NULL) {
        print_series("bare", bare);
        printf(" ratio=%.3f", (double)ours->value[0] / (double)bare->value[0]);
    }
    putchar('\n');
    fflush(stdout);
}

static void report_file(const char *path)
{
    struct stat status;
    need(stat(path, &status) == 0, path, "no file");
    printf("    file %lld KiB\n", (long long)status.st_blocks / 2);
}

/* ---- Machines ---------------------------------------------------------------------------------
 */

/* The markers of the test guest: before it touches pages, and after. */
#define BEFORE "marker:0x1000"
#define AFTER  "marker:0x1001"

static struct zvmm_config config_for(const char *guest, const char *words)
{
    struct zvmm_config config;
    zvmm_config_defaults(&config);
    config.guest_path = guest;
    config.cmdline = words;
    config.in_fd = -1;
    config.stop_at = AFTER;
    return config;
}

static struct zvmm *run_new(const struct zvmm_config *config)
{
    struct zvmm *vm;
    struct zvmm_result result;
    GOOD(zvmm_create(config, &vm, &error));
    GOOD(zvmm_run(vm, &result, &error));
    return vm;
}

static void prepare(const char *guest, const char *words, const char *path, const char *stop)
{
    struct zvmm_config config = config_for(guest, words);
    config.stop_at = stop;
    struct zvmm *vm = run_new(&config);
    GOOD(zvmm_snapshot(vm, path, NULL, &error));
    zvmm_destroy(vm);
}

/* ---- Measurements -----------------------------------------------------------------------------
 */

static void measure_restore(const char *path, int count)
{
    static struct series ours, bare;
    ours.count = bare.count = 0;
    for (int i = 0; i < count; i++) {
        struct zvmm *vm;
        struct zvmm_result result;
        struct bare prototype;
        struct zvmm_config config = config_for(NULL, NULL);
        config.stop_at = "exits:1";
        uint64_t begin = now();
        GOOD(zvmm_restore(&config, path, &vm, &error));
        GOOD(zvmm_run(vm, &result, &error));
        add(&ours, now() - begin);
        zvmm_destroy(vm);
        begin = now();
        bare_open(&prototype, path, false);
        bare_run(&prototype);
        add(&bare, now() - begin);
        bare_close(&prototype);
    }
    report("restore", &ours, &bare);
}

static void take_behind(struct zvmm *vm, const char *path, const char *parent, struct series *whole,
                        struct series *pause)
{
    struct take *take;
    unlink(path);
    uint64_t begin = now();
    GOOD(zvmm_snapshot_begin(vm, path, parent, &take, &error));
    GOOD(zvmm_snapshot_end(take, &error));
    add(whole, now() - begin);
    add(pause, zvmm_stats(vm)->snapshot_pause_ns);
}

static void take_at_once(struct zvmm *vm, const char *path, const char *parent,
                         struct series *series)
{
    unlink(path);
    uint64_t begin = now();
    GOOD(zvmm_snapshot(vm, path, parent, &error));
    add(series, now() - begin);
}

/* A machine that has just touched 4 MiB, each time; the prototype's is restored before it does. */
static void measure_take(const char *guest, unsigned stride, const char *folder, const char *what,
                         int count)
{
    static struct series once, whole, pause, bare;
    struct bare prototype;
    char words[32], before[PATH_ROOM], path[PATH_ROOM], name[64];
    once.count = whole.count = pause.count = bare.count = 0;
    snprintf(words, sizeof(words), "touch 1024 %u", stride);
    snprintf(before, sizeof(before), "%s/before.zsnap", folder);
    snprintf(path, sizeof(path), "%s/take.zsnap", folder);
    prepare(guest, words, before, BEFORE);
    struct zvmm_config config = config_for(guest, words);
    for (int i = 0; i < count; i++) {
        struct zvmm *vm = run_new(&config);
        take_behind(vm, path, NULL, &whole, &pause);
        take_at_once(vm, path, NULL, &once);
        if (i == 0)
            report_file(path);
        zvmm_destroy(vm);
        bare_open(&prototype, before, false);
        bare_run(&prototype);
        unlink(path);
        uint64_t begin = now();
        bare_take(&prototype, path);
        add(&bare, now() - begin);
        bare_close(&prototype);
    }
    snprintf(name, sizeof(name), "take-%s", what);
    report(name, &once, &bare);
    snprintf(name, sizeof(name), "take-behind-%s", what);
    report(name, &whole, NULL);
    snprintf(name, sizeof(name), "take-pause-%s", what);
    report(name, &pause, NULL);
}

/* Of a machine that was restored from the parent and has written 100 pages. */
static void measure_incremental(const char *guest, const char *folder, int count)
{
    static struct series once, whole, pause, bare;
    struct zvmm_result result;
    struct bare prototype;
    char parent[PATH_ROOM], path[PATH_ROOM];
    once.count = whole.count = pause.count = bare.count = 0;
    snprintf(parent, sizeof(parent), "%s/parent.zsnap", folder);
    snprintf(path, sizeof(path), "%s/child.zsnap", folder);
    prepare(guest, "dirty 100", parent, BEFORE);
    struct zvmm_config config = config_for(NULL, NULL);
    config.incremental = true;
    for (int i = 0; i < 2 * count; i++) {
        struct zvmm *vm;
        GOOD(zvmm_restore(&config, parent, &vm, &error));
        GOOD(zvmm_run(vm, &result, &error));
        if (i % 2 == 0)
            take_behind(vm, path, parent, &whole, &pause);
        else
            take_at_once(vm, path, parent, &once);
        zvmm_destroy(vm);
        bare_open(&prototype, parent, true);
        bare_run(&prototype);
        uint64_t begin = now();
        bare_set_aside(&prototype);
        add(&bare, now() - begin);
        bare_close(&prototype);
    }
    report_file(path);
    report("incremental", &once, NULL);
    report("incremental-behind", &whole, NULL);
    report("incremental-pause", &pause, &bare);
}

static void measure_reset(const char *guest, unsigned pages, const char *folder, int count)
{
    static struct series ours, bare;
    struct zvmm *vm;
    struct zvmm_result result;
    struct bare prototype;
    char words[32], path[PATH_ROOM], name[64];
    ours.count = bare.count = 0;
    snprintf(words, sizeof(words), "dirty %u", pages);
    snprintf(path, sizeof(path), "%s/reset.zsnap", folder);
    prepare(guest, words, path, BEFORE);
    struct zvmm_config config = config_for(NULL, NULL);
    config.resettable = true;
    GOOD(zvmm_restore(&config, path, &vm, &error));
    GOOD(zvmm_mark(vm, &error));
    bare_open(&prototype, path, true);
    for (int i = -2; i < count; i++) { /* the first runs get the memory from the host */
        uint64_t begin = now();
        GOOD(zvmm_run(vm, &result, &error));
        GOOD(zvmm_reset(vm, &error));
        uint64_t middle = now();
        bare_run(&prototype);
        bare_reset(&prototype);
        if (i >= 0) {
            add(&ours, middle - begin);
            add(&bare, now() - middle);
        }
    }
    bare_close(&prototype);
    zvmm_destroy(vm);
    snprintf(name, sizeof(name), "reset-%u", pages);
    report(name, &ours, &bare);
}

int main(int argc, char *argv[])
{
    need(argc >= 3, "usage", "snapshot GUEST FOLDER [COUNT]");
    int count = argc > 3 ? atoi(argv[3]) : 200;
    char path[PATH_ROOM];
    need(count > 0 && count <= COUNT_MAX, "count", "1 to 1000");
    snprintf(path, sizeof(path), "%s/restore.zsnap", argv[2]);
    prepare(argv[1], "touch 1024 1", path, AFTER);
    measure_restore(path, count);
    measure_take(argv[1], 1, argv[2], "contiguous", count / 4 + 1);
    measure_take(argv[1], 16, argv[2], "scattered", count / 4 + 1);
    measure_incremental(argv[1], argv[2], count / 4 + 1);
    int resets = count > RUNS_AT_ONCE ? count : RUNS_AT_ONCE;
    measure_reset(argv[1], 1, argv[2], resets);
    measure_reset(argv[1], 10, argv[2], resets);
    measure_reset(argv[1], 100, argv[2], resets);
    return 0;
}
