/*
 * inspector.h - what the parts of the inspector share.
 *
 *   dwarf.c, types.c       names and types of guest.elf
 *   value.c, render.c      typed values in the target's memory, and how they are shown
 *   expr.c                 C expressions
 *   kernel.c, list.c       the kernel's roots and containers
 *   census.c, words.c      every object that can be reached, who refers to it; names for people
 *   frames.c, unwind.c     what each page is for; stacks
 *   commands: one file each, listed in inspect.c
 */
#ifndef ZVMM_INSPECT_INSPECTOR_H
#define ZVMM_INSPECT_INSPECTOR_H

#include "inspect/dwarf.h"
#include "inspect/inspect.h"
#include "inspect/report.h"

struct census;
struct programs;
struct member_cache;

enum { WARNINGS_MAX = 20 };

struct inspector {
    const struct target *target;
    struct symbols *symbols; /* NULL: no guest.elf */
    char *guest_path;
    char *programs_folder;
    struct member_cache *members;
    struct census *census;     /* made when first asked for */
    struct programs *programs; /* likewise */

    /* Of the command that runs. */
    struct report *report;
    FILE *out;
    bool json, dot;
    unsigned warnings;
    char *warning[WARNINGS_MAX]; /* owned */
    struct zvmm_error *error;
};

/* Note that something in the target is damaged; shown once, after the output. */
void inspect_warn(struct inspector *inspector, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Decimal or 0x... number, the whole text; -1 and an error line. `what` names it. */
int parse_number(struct inspector *inspector, const char *text, const char *what, uint64_t *out);

/* The machine's monotonic clock when it was stopped, ns. */
int64_t ticks_to_ns(struct inspector *inspector, uint64_t ticks);
int64_t inspect_now(struct inspector *inspector);

#endif
