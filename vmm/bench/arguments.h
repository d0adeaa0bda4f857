/* arguments.h - the command line of zvmm bench. */
#ifndef ZVMM_BENCH_ARGUMENTS_H
#define ZVMM_BENCH_ARGUMENTS_H

#include <stdbool.h>

#include "error.h"

/* What is asked for. Strings are argv's. */
struct arguments {
    bool help, list, quiet;
    bool guest, libos, analogue; /* which subjects */
    const char *guest_path, *libos_path, *linux_path, *bootfs, *memory;
    const char *filter, *baseline, *json, *google, *html, *published, *counts, *linux_counts;
    const char *snapshots, *pmu;
    unsigned runs, samples, seconds, limit_ms, prepare_ms;
    double settle; /* percent */
    int cpu; /* -1: the first idle one */
};

int arguments_parse(struct arguments *arguments, int argc, char *argv[], struct zvmm_error *error);

extern const char arguments_usage[];

#endif
