/* transport.h - snapshot files made into others: one file of a chain, small files for transport. */
#ifndef ZVMM_SNAPSHOT_TRANSPORT_H
#define ZVMM_SNAPSHOT_TRANSPORT_H

#include "error.h"

/* Write the machine of `from` and its parents to `to` as one file that needs no parent. It has the
 * same uuid: it can stand in for `from` wherever that is a parent. */
int snapshot_flatten(const char *from, const char *to, struct zvmm_error *error);

/*
 * Compress the one file `from` into `to` with zstd: the header page, then the sections in the
 * order of its table, the memory as its runs' bytes only. Unpacking checks everything, and gives
 * the file back as it was.
 */
int snapshot_pack(const char *from, const char *to, struct zvmm_error *error);
int snapshot_unpack(const char *from, const char *to, struct zvmm_error *error);

#endif
