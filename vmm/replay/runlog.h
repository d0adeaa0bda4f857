/*
 * runlog.h - the record of a deterministic run (zvmm --log): every event, digests on the way, the
 * end.
 *
 * A file is a header, the arguments zvmm was started with (NUL-terminated strings), and blocks. All
 * numbers are little-endian. The format is part of docs/determinism.md.
 */
#ifndef ZVMM_REPLAY_RUNLOG_H
#define ZVMM_REPLAY_RUNLOG_H

#include <stdbool.h>
#include <stdio.h>

#include "digest.h"
#include "error.h"
#include "hypercall.h"

#define RUNLOG_MAGIC   "ZVMMLOG"
#define RUNLOG_VERSION 1u

struct runlog_header {
    char magic[8];
    uint32_t version;
    uint32_t argument_count;
    uint32_t argument_bytes; /* of the strings that follow */
    uint32_t quantum;        /* ZV_QUANTUM of the run, ns */
    struct digest start;     /* of the machine before its first instruction */
};
_Static_assert(sizeof(struct runlog_header) == 40, "runlog_header");

enum runlog_block_type {
    RUNLOG_EVENTS = 1, /* zstd: struct zv_event[], each tsc less the one before */
    RUNLOG_DIGEST = 2, /* struct runlog_digest */
    RUNLOG_END = 3,    /* struct runlog_end; the last block */
};

struct runlog_block {
    uint32_t type;         /* enum runlog_block_type */
    uint32_t stored_bytes; /* what follows */
    uint32_t bytes;        /* the same after decompression */
    uint32_t checksum;     /* XXH32 with seed 0 of the latter */
};
_Static_assert(sizeof(struct runlog_block) == 16, "runlog_block");

/* The machine after event number `event`. */
struct runlog_digest {
    uint64_t event, tsc;
    struct digest digest;
};
_Static_assert(sizeof(struct runlog_digest) == 32, "runlog_digest");

struct runlog_end {
    uint64_t events, tsc;
    int64_t code;         /* with ZVMM_END_EXIT */
    uint32_t end;         /* enum zvmm_end */
    uint32_t preemptions; /* not 0: the run is not guaranteed to repeat */
};
_Static_assert(sizeof(struct runlog_end) == 32, "runlog_end");

/* ---- Writing -------------------------------------------------------------------------------- */

struct runlog_writer {
    FILE *file;
    const char *path;
    uint64_t tsc; /* of the last event */
};

/* Make the file, which must not exist. Of the arguments, --log and its value are left out. */
int runlog_create(struct runlog_writer *log, const char *path, int argc, char *const argv[],
                  const struct digest *start, struct zvmm_error *error);

int runlog_events(struct runlog_writer *log, const struct zv_event *events, uint64_t count,
                  struct zvmm_error *error);
int runlog_digest(struct runlog_writer *log, const struct runlog_digest *digest,
                  struct zvmm_error *error);
int runlog_end(struct runlog_writer *log, const struct runlog_end *end, struct zvmm_error *error);

/* Close the file; what was not written yet may fail. NULL file: nothing. */
int runlog_close(struct runlog_writer *log, struct zvmm_error *error);

/* ---- Reading -------------------------------------------------------------------------------- */

enum runlog_item { RUNLOG_IS_EVENT, RUNLOG_IS_DIGEST, RUNLOG_IS_END };

struct runlog_reader {
    FILE *file;
    const char *path;
    struct runlog_header header;
    char *arguments; /* header.argument_count strings */
    /* the item that runlog_next() found */
    uint64_t number; /* of the event; with the other two of the last one */
    struct zv_event event;
    struct runlog_digest digest;
    struct runlog_end end;
    /* the block it comes from */
    struct zv_event *events;
    uint64_t count, at;
    bool ended;
};

int runlog_open(struct runlog_reader *log, const char *path, struct zvmm_error *error);

/* The next item: 1, or 0 at the end of the file; -1 with an error if the file is damaged. */
int runlog_next(struct runlog_reader *log, enum runlog_item *item, struct zvmm_error *error);

/* Read a file to its end only to learn how many events it has. */
int runlog_count(const char *path, uint64_t *events, struct zvmm_error *error);

/* One event in words, without its number, NUL-terminated. */
enum { RUNLOG_TEXT = 120 };
void runlog_text(const struct zv_event *event, char text[RUNLOG_TEXT]);

void runlog_reader_close(struct runlog_reader *log);

#endif
