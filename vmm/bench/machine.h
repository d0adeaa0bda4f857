/*
 * machine.h - rows about whole machines: making, booting, restoring and ending them. They run in
 * this program, where others run in the guest, and print the same lines.
 */
#ifndef ZVMM_BENCH_MACHINE_H
#define ZVMM_BENCH_MACHINE_H

#include "bench/boot.h"

/* words: what a benchmark program gets (--list, --samples N, --limit-ms N, rows). Exit status. */
int machine_main(const struct subject *subject, char *const *words);

#endif
