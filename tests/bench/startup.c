/*
 * startup.c - how long a program takes from its start to its first output, and to its end.
 *
 *   startup [-k KEY | -t KEY | -u KEY] COUNT PROGRAM [ARGS...]
 *
 * Runs PROGRAM COUNT times, one after the other, and prints medians and minima in microseconds:
 * wall-clock time to the first output and to the end, processor time in all (user and system; on
 * the rig with --icount a microsecond is 1,000 instructions), and the largest resident set, which
 * includes guest pages that were touched. A process starts when its creator asks for it: the time
 * to create it and for execve() is in all of them.
 *
 * With -k, PROGRAM prints KEY=NUMBER on standard output or standard error, a time of
 * CLOCK_MONOTONIC in nanoseconds; with -t, a value of the processor's TSC. Printed is how long
 * after the start that was. With -u it is a length of time already, in microseconds.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

extern char **environ;

enum { COUNT_MAX = 10000 };

struct sample {
    double first_output, end, cpu, moment;
    long resident_kib;
};

/* What a program says of a moment. */
struct moment {
    const char *key; /* NULL: nothing */
    enum { NS_OF_CLOCK = 'k', TSC = 't', MICROSECONDS = 'u' } unit;
};

static double to_us(struct timeval time)
{
    return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Microseconds per tick of the TSC. */
static double tsc_period(void)
{
    static double period;
    if (period != 0)
        return period;
    double begin = now_us();
    uint64_t tsc = __rdtsc();
    while (now_us() - begin < 20000)
        continue;
    period = (now_us() - begin) / (double)(__rdtsc() - tsc);
    return period;
}

/* How long after the start the moment was that `text` tells of; -1 if it does not, or nonsense. */
static double find_moment(const struct moment *moment, const char *text, double start, uint64_t tsc)
{
    const char *at = moment->key != NULL ? strstr(text, moment->key) : NULL;
    if (at == NULL || at[strlen(moment->key)] != '=')
        return -1;
    unsigned long long value = strtoull(at + strlen(moment->key) + 1, NULL, 10);
    switch (moment->unit) {
    case NS_OF_CLOCK:
        return (double)value / 1e3 - start;
    case TSC:
        return (double)(int64_t)(value - tsc) * tsc_period();
    default:
        return (double)value;
    }
}

static pid_t start_process(char *argv[], int out, bool errors)
{
    pid_t child;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (errors)
        posix_spawn_file_actions_adddup2(&actions, out, 2);
    int failed = posix_spawn(&child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed != 0 ? -1 : child;
}

static int run_once(char *argv[], const struct moment *moment, struct sample *sample)
{
    int ends[2], status;
    char text[4096];
    size_t length = 0;
    struct rusage usage;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    uint64_t tsc = __rdtsc();
    double start = now_us();
    pid_t child = start_process(argv, ends[1], moment->key != NULL);
    close(ends[1]);
    if (child < 0)
        return -1;
    ssize_t got = read(ends[0], text, sizeof(text) - 1);
    sample->first_output = now_us() - start;
    while (got > 0) {
        length += (size_t)got;
        got =
            length < sizeof(text) - 1 ? read(ends[0], text + length, sizeof(text) - 1 - length) : 0;
    }
    wait4(child, &status, 0, &usage);
    sample->end = now_us() - start;
    sample->cpu = to_us(usage.ru_utime) + to_us(usage.ru_stime);
    sample->resident_kib = usage.ru_maxrss;
    close(ends[0]);
    text[length] = '\0';
    sample->moment = find_moment(moment, text, start, tsc);
    if (moment->key != NULL && (sample->moment < 0 || sample->moment > sample->end))
        return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void print_field(const char *name, const struct sample *samples, int count, size_t offset)
{
    static double values[COUNT_MAX];
    for (int i = 0; i < count; i++)
        memcpy(&values[i], (const char *)&samples[i] + offset, sizeof(values[i]));
    qsort(values, (size_t)count, sizeof(values[0]), compare);
    printf("%s median=%.0f min=%.0f ", name, values[count / 2], values[0]);
}

/* Understand the options; the index of COUNT in argv, or -1. */
static int parse_options(int argc, char *argv[], struct moment *moment)
{
    int option;
    while ((option = getopt(argc, argv, "+k:t:u:")) != -1) {
        if (option == '?')
            return -1;
        *moment = (struct moment){.key = optarg, .unit = option};
    }
    return argc - optind >= 2 ? optind : -1;
}

int main(int argc, char *argv[])
{
    static struct sample samples[COUNT_MAX];
    struct moment moment = {0};
    long resident = 0;
    int index = parse_options(argc, argv, &moment);
    int count = index > 0 ? atoi(argv[index]) : 0;
    if (count < 1 || count > COUNT_MAX) {
        fputs("usage: startup [-k KEY | -t KEY | -u KEY] COUNT PROGRAM [ARGS...]\n", stderr);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        if (run_once(argv + index + 1, &moment, &samples[i]) != 0) {
            fprintf(stderr, "startup: %s failed, or did not say when\n", argv[index + 1]);
            return 1;
        }
        resident = samples[i].resident_kib > resident ? samples[i].resident_kib : resident;
    }
    if (moment.key != NULL) {
        print_field(moment.key, samples, count, offsetof(struct sample, moment));
        putchar('\n');
        return 0;
    }
    print_field("first_output_us", samples, count, offsetof(struct sample, first_output));
    print_field("end_us", samples, count, offsetof(struct sample, end));
    print_field("cpu_us", samples, count, offsetof(struct sample, cpu));
    printf("max_rss_kib=%ld\n", resident);
    return 0;
}
