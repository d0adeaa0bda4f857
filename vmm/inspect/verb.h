/* verb.h - the commands of the inspector: one file each, one row each in inspect.c. */
#ifndef ZVMM_INSPECT_VERB_H
#define ZVMM_INSPECT_VERB_H

#include "inspect/kernel.h"

struct verb {
    const char *name, *arguments, *summary;
    int min, max; /* number of arguments */
    /* The findings, a map; NULL: inspector->error says why. */
    struct item *(*run)(struct inspector *inspector, int argc, char *argv[]);
    /* How people read them; NULL: report_print_text. */
    void (*print)(FILE *out, const struct item *root);
    /* --dot: a graph in Graphviz's language. NULL: there is none. 0, or -1 and an error. */
    int (*draw)(struct inspector *inspector, int argc, char *argv[]);
};

extern const struct verb verb_summary, verb_jobs, verb_ps, verb_threads, verb_bt, verb_handles,
    verb_object, verb_vmo, verb_vmar, verb_ports, verb_timers, verb_klog, verb_counters,
    verb_ktrace, verb_regs, verb_mem, verb_sym, verb_print;

/* ---- Shared by commands ---------------------------------------------------------------------- */

/* What a thread does, in words, and in JSON what it waits on (waits.c). */
void thread_report(struct inspector *inspector, const struct object *thread, struct item *row);
/* Calls `visit` for each object that the thread's wait would end with, and the signals. */
void wait_visit(struct inspector *inspector, const struct object *thread,
                void (*visit)(void *arg, struct object *object, uint32_t signals), void *arg);
/* Who holds handles to it: "process 1034 'sh', process 1040 'b'". */
void holders_words(const struct object *object, struct inspector *inspector, char *text,
                   size_t room);

/* Adds koid, type, name, counts, signals, address. */
void object_report_head(struct inspector *inspector, const struct object *object, struct item *map);
/* Everything: head, the type's own fields, waiters, referrers (verb-object.c). */
void object_report(struct inspector *inspector, const struct object *object, struct item *map);

/* The kernel's counters: a list of maps with name and value (verb-counters.c). */
struct item *counters_report(struct inspector *inspector);

/* --dot (draw.c): everything; what blocked threads wait on and who could end that; what is within
 * two steps of an object. */
int draw_all(struct inspector *inspector, int argc, char *argv[]);
int draw_waits(struct inspector *inspector, int argc, char *argv[]);
int draw_object(struct inspector *inspector, int argc, char *argv[]);

#endif
