/*
 * Absolute times of C and POSIX as deadlines of the kernel.
 */
#ifndef ZX_LIB_ZX_TIME_H
#define ZX_LIB_ZX_TIME_H

#include <time.h>
#include <zircon/types.h>

/* Returns 0 or EINVAL. Infinitely late and early times become such deadlines. */
int zx_deadline_from(clockid_t clock, const struct timespec *time, zx_time_t *deadline);

#endif
