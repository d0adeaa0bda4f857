/* cgroup.h - how much memory Linux lets this process and its group have. */
#ifndef ZVMM_BENCH_CGROUP_H
#define ZVMM_BENCH_CGROUP_H

#include <stdint.h>

/*
 * Bytes: the least limit of the control group this process is in and of all above it, by version 1
 * or 2 (Linux' Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst). UINT64_MAX: none.
 * `root` is "" or, in tests, a folder that has proc/ and sys/.
 */
uint64_t cgroup_memory_limit(const char *root);

#endif
