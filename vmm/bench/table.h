/* table.h - the result for people, on standard output. */
#ifndef ZVMM_BENCH_TABLE_H
#define ZVMM_BENCH_TABLE_H

#include <stdio.h>

#include "bench/host.h"
#include "bench/session.h"

/* What the host is and what is unsettled about it. */
void table_print_host(FILE *out, const struct host *host);

/* One line a row and subject. */
void table_print(FILE *out, const struct session *session);

/* How many samples were left out and why. */
void table_print_left_out(FILE *out, const struct session *session);

#endif
