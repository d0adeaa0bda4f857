/*
 * startup.c - how long a program takes from its start to its first output, and to its end.
 *
 *   startup COUNT PROGRAM [ARGS...]
 *
 * Runs PROGRAM COUNT times, one after the other, and prints medians and minima in microseconds:
 * wall-clock time to the first output and to the end, processor time in all (user and system; on
 * the rig with --icount a microsecond is 1,000 instructions), and the largest resident set, which
 * includes guest pages that were touched.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct sample {
    double first_output, end, cpu;
    long resident_kib;
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

static int run_once(char *argv[], struct sample *sample)
{
    int ends[2], status;
    char buffer[4096];
    pid_t child;
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    double start = now_us();
    int failed = posix_spawn(&child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (failed != 0)
        return -1;
    ssize_t got = read(ends[0], buffer, sizeof(buffer));
    sample->first_output = now_us() - start;
    while (got > 0)
        got = read(ends[0], buffer, sizeof(buffer));
    wait4(child, &status, 0, &usage);
    sample->end = now_us() - start;
    sample->cpu = to_us(usage.ru_utime) + to_us(usage.ru_stime);
    sample->resident_kib = usage.ru_maxrss;
    close(ends[0]);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

int main(int argc, char *argv[])
{
    enum { MOST = 10000 };
    static double first[MOST], end[MOST], cpu[MOST];
    int count = argc > 2 ? atoi(argv[1]) : 0;
    long resident = 0;
    if (count < 1 || count > MOST) {
        fputs("usage: startup COUNT PROGRAM [ARGS...]\n", stderr);
        return 2;
    }
    for (int i = 0; i < count; i++) {
        struct sample sample;
        if (run_once(argv + 2, &sample) != 0) {
            fprintf(stderr, "startup: %s failed\n", argv[2]);
            return 1;
        }
        first[i] = sample.first_output;
        end[i] = sample.end;
        cpu[i] = sample.cpu;
        resident = sample.resident_kib > resident ? sample.resident_kib : resident;
    }
    qsort(first, (size_t)count, sizeof(first[0]), compare);
    qsort(cpu, (size_t)count, sizeof(cpu[0]), compare);
    qsort(end, (size_t)count, sizeof(end[0]), compare);
    printf("first_output_us median=%.0f min=%.0f end_us median=%.0f min=%.0f "
           "cpu_us median=%.0f min=%.0f max_rss_kib=%ld\n",
           first[count / 2], first[0], end[count / 2], end[0], cpu[count / 2], cpu[0], resident);
    return 0;
}
