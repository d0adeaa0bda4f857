/* stats.h - the line of --stats. */
#ifndef ZVMM_STATS_H
#define ZVMM_STATS_H

struct zvmm;

/* Print one line "zvmm: stats: key=value ..." on stderr. */
void stats_print(const struct zvmm *vm);

#endif
