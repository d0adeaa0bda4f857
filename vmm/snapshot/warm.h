/*
 * warm.h - starting from a kept machine: zvmm --warm.
 *
 * The first start boots, up to where userboot chooses the program, and keeps a snapshot of that in
 * the user's cache folder. The command line reaches userboot as a line of console input; the
 * snapshot does not depend on it. A second snapshot is kept where the program is about to execute
 * its first instruction. From then on a start with the same command line restores the second one,
 * a start with another one the first.
 */
#ifndef ZVMM_SNAPSHOT_WARM_H
#define ZVMM_SNAPSHOT_WARM_H

#include "options.h"

/*
 * A machine that is about to run the program of `options`, as zvmm_create() makes one. `options`
 * lives as long as the machine.
 */
int warm_start(struct options *options, struct zvmm **out, struct zvmm_error *error);

#endif
