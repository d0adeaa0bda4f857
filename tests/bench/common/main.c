/*
 * main.c - the command line of zbench, which measures our kernel from inside, and of linux-bench,
 * which measures Linux.
 *
 *     zbench [OPTIONS] [GLOB]...     measures the rows that match, or all
 *     zbench --list [GLOB]...        prints their names
 *
 *     --samples N     samples of a row (default 200)
 *     --warm-up N     samples thrown away before them (default 20)
 *     --limit-ms N    how long a row may take if it has a few samples (default 400)
 *     --prepare-ms N  leave out rows that take longer to make what must be there before (default:
 *                     none)
 *     --ticks         print clock ticks (on the rig with --icount: instructions), not nanoseconds
 *     --raw           print every sample, too
 *     --windows       print when every sample was taken, too (for zvmm bench)
 *     --markers       set markers before and after each sample (for counters of the VMM)
 *     --profile       no times: markers around one turn of the row, for step-profile
 *
 * run.c says what a result line looks like.
 */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options options = {.samples = 200, .warm_up = 20, .limit_ms = 400};

/* Patterns of a shell, without brackets; "*" matches slashes, too. */
static bool matches(const char *pattern, const char *text)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern == '*') {
            for (; *text; text++)
                if (matches(pattern + 1, text))
                    return true;
            return !pattern[1];
        }
        if (!*text || (*pattern != '?' && *pattern != *text))
            return false;
    }
    return !*text;
}

static bool wanted(const char *name, int count, char *patterns[])
{
    for (int i = 0; i < count; i++)
        if (matches(patterns[i], name))
            return true;
    return count == 0;
}

static bool number_option(int *i, int argc, char *argv[], const char *name, unsigned *value)
{
    if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
        return false;
    *value = (unsigned)strtoul(argv[++*i], NULL, 10);
    return true;
}

/* Returns the index of the first pattern, or -1. */
static int parse(int argc, char *argv[], bool *list)
{
    int i;

    for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (number_option(&i, argc, argv, "--samples", &options.samples) ||
            number_option(&i, argc, argv, "--warm-up", &options.warm_up) ||
            number_option(&i, argc, argv, "--limit-ms", &options.limit_ms) ||
            number_option(&i, argc, argv, "--prepare-ms", &options.prepare_ms))
            continue;
        if (strcmp(argv[i], "--list") == 0)
            *list = true;
        else if (strcmp(argv[i], "--ticks") == 0)
            options.ticks = true;
        else if (strcmp(argv[i], "--raw") == 0)
            options.raw = true;
        else if (strcmp(argv[i], "--windows") == 0)
            options.windows = true;
        else if (strcmp(argv[i], "--markers") == 0)
            options.markers = true;
        else if (strcmp(argv[i], "--profile") == 0)
            options.profile = true;
        else
            return -1;
    }
    return options.samples > 0 ? i : -1;
}

int main(int argc, char *argv[])
{
    bool list = false, any = false, good = true;

    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return child_main(argv[2]);
    int first = parse(argc, argv, &list);
    if (first < 0) {
        fputs("usage: zbench|linux-bench [--samples N] [--warm-up N] [--limit-ms N] "
              "[--prepare-ms N] [--ticks] [--raw] [--windows] [--markers] [--profile] [--list] "
              "[GLOB]...\n",
              stderr);
        return 2;
    }
    if (!list)
        run_calibrate();
    for (const struct row *const *table = row_tables; *table; table++) {
        for (const struct row *row = *table; row->name; row++) {
            if (!wanted(row->name, argc - first, argv + first))
                continue;
            any = true;
            if (list)
                puts(row->name);
            else
                good &= run_row(row);
        }
    }
    if (!any)
        fputs("bench: no row matches; --list shows them\n", stderr);
    return any && good ? 0 : 1;
}
