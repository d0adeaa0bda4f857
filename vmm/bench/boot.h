/*
 * boot.h - one boot of something under test: it runs the benchmark program in a process of its own,
 * on one processor, and is watched from another.
 */
#ifndef ZVMM_BENCH_BOOT_H
#define ZVMM_BENCH_BOOT_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/pmu.h"
#include "bench/vouch.h"
#include "error.h"

enum subject_kind {
    SUBJECT_GUEST,   /* a guest kernel in a virtual machine */
    SUBJECT_MACHINE, /* zvmm itself: whole machines with that guest kernel */
    SUBJECT_LIBOS,   /* zlibos, the kernel as a Linux process */
    SUBJECT_LINUX,   /* linux-bench: Linux itself, the analogue */
};

/* What is measured. Strings are the caller's. */
struct subject {
    enum subject_kind kind;
    const char *name; /* as reports call it */
    const char *path; /* guest.elf, zlibos or linux-bench */
    const char *bootfs;
    const char *memory;
    bool row_a_boot; /* each row has a boot of its own: what other rows did before is nothing to it
                      */
    const struct pmu_provider *pmu; /* NULL: none */
};

/* What came of a boot. */
struct boot {
    char *text; /* the program's output; boot_clear() frees it */
    size_t length;
    struct vouch_facts facts;
    struct pmu_reading *readings; /* of the counters; boot_clear() frees them */
    size_t reading_count;
    uint64_t tsc_offset; /* the program's clock less the host's TSC */
    int blind_reason;    /* errno of perf_event_open, or 0 */
    int status;          /* exit status; 128 + N: ended by signal N */
};

/* What a boot is to do. */
struct boot_order {
    const struct subject *subject;
    int cpu;            /* where it runs */
    unsigned seed;      /* of the layout of its memory */
    char *const *words; /* arguments of the benchmark program, NULL at the end */
    void (*progress)(void *context, size_t rows); /* NULL, or told how many rows are done */
    void *context;
};

/* Run it to its end. -1: it could not be started, or was silent for too long. */
int boot_run(const struct boot_order *order, struct boot *boot, struct zvmm_error *error);
void boot_clear(struct boot *boot);

/* Make a bad status an error; the program's own message is on stderr already or in its text. -1. */
int boot_failure(const struct subject *subject, const struct boot *boot, struct zvmm_error *error);

#endif
