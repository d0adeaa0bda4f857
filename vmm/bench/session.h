/*
 * session.h - a whole session: which rows, how often, in which order.
 *
 * Rows are measured in groups; each group is one boot of each subject, the subjects taking turns,
 * and the whole is done `runs` times. So a change of the machine's speed meets all subjects alike.
 */
#ifndef ZVMM_BENCH_SESSION_H
#define ZVMM_BENCH_SESSION_H

#include <stdbool.h>

#include "bench/samples.h"

enum { SESSION_SUBJECTS = 6, SESSION_FIRST_SEED = 1 };

struct session {
    struct subject subjects[SESSION_SUBJECTS];
    size_t subject_count;
    const char *filter; /* extended regular expression, or NULL: all rows */
    unsigned runs, samples, limit_ms;
    unsigned prepare_ms; /* how long a row may take to make its pending timers, sleepers ... */
    unsigned seconds;    /* how long all may take; runs that do not fit are left out; 0: no end */
    double tolerance; /* rows whose median is not known to this part are measured again; 0: none */
    int cpu;
    bool quiet; /* nothing on stderr about progress */

    struct session_row {
        char *name;
        unsigned known; /* bit i: subject i has this row */
    } * rows;           /* to measure, in order; session_clear() frees them */
    size_t row_count;
    struct samples samples_taken;
    unsigned runs_done;
    int blind_reason; /* errno of perf_event_open, or 0 */
};

/* Ask the subjects for their rows and choose. An unknown row is an error. */
int session_choose(struct session *session, struct zvmm_error *error);

/*
 * measure.c: measure them. Rows of which too few samples can be vouched for, or whose median is not
 * settled, are measured again while there is time, and all the others with them now and then.
 */
int session_measure(struct session *session, struct zvmm_error *error);

void session_clear(struct session *session);

#endif
