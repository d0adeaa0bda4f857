/*
 * debuglog.h - the kernel's log: one ring of records, and objects that read and write it.
 *
 * The ring keeps the newest records; writing never fails and never waits. A reader has its own
 * place in the ring; when the ring has overtaken it, the next record it reads says in `rollout` how
 * many it has missed.
 */
#ifndef ZVMM_OBJECT_DEBUGLOG_H
#define ZVMM_OBJECT_DEBUGLOG_H

#include <zircon/log.h>

#include "object.h"

struct debuglog;

/* A handle's object. Only readable ones are told of new records. */
struct log {
    struct object object;
    TAILQ_ENTRY(log) link; /* in the ring's readers, if readable */
    bool readable;
    uint64_t offset;   /* of the next record to read; see debuglog.c */
    uint64_t sequence; /* and its number */
};

extern const struct object_ops log_ops;

/* The ring; `size` is a power of two of at least 4096. Kept in kernel()->log. ZX_ERR_NO_MEMORY. */
zx_status_t debuglog_create(size_t size, struct debuglog **out);
/* For tests. Precondition: no reader is left. */
void debuglog_destroy(struct debuglog *ring);

/* One reference; a readable one starts at the oldest record. ZX_ERR_NO_MEMORY. */
zx_status_t log_create(struct debuglog *ring, bool readable, struct log **out);

/*
 * Appends a record, cut to ZX_LOG_RECORD_DATA_MAX bytes, with the time and the calling thread's
 * identity; also shows it on the console when the kernel is verbose.
 */
void log_write(uint8_t severity, uint8_t flags, const char *text, size_t length);

/*
 * Takes the next record: header and data into a buffer of ZX_LOG_RECORD_MAX bytes. *actual is its
 * length. ZX_ERR_SHOULD_WAIT: none.
 */
zx_status_t log_read(struct log *log, void *record, size_t *actual);

#endif
