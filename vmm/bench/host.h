/*
 * host.h - what is known of the machine: which one it is, and what about it is unsettled.
 */
#ifndef ZVMM_BENCH_HOST_H
#define ZVMM_BENCH_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum { HOST_REMARKS = 12, HOST_TEXT = 160 };

struct host {
    char machine[HOST_TEXT]; /* processor, how many, kernel: two runs on one machine agree on it */
    char remarks[HOST_REMARKS][HOST_TEXT]; /* what is unsettled, and what to do about it */
    size_t remark_count;
    int cpu; /* the processor to measure on */
    double mhz;
    int cpus;
};

/*
 * Look at the machine for a quarter of a second. `cpu` is the processor to use, or -1: choose the
 * first of those allowed that is idle for half of that time, or else the idlest. `root` is "" or,
 * in tests, a folder that has proc/ and sys/ (tests/vmm/made_host.h).
 */
void host_look(struct host *host, const char *root, int cpu);

#endif
