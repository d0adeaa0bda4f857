/*
 * record.h - what a deterministic run does with its events: writes them to a log (--log), compares
 * them with one (zvmm replay), or neither.
 */
#ifndef ZVMM_REPLAY_RECORD_H
#define ZVMM_REPLAY_RECORD_H

#include "runlog.h"

struct zvmm;

struct record {
    struct runlog_writer writer; /* file NULL: no --log */
    struct runlog_reader reader; /* file NULL: no replay */
};

/* Open what vm->config names and take the machine's digest at its start. */
int record_begin(struct record *record, struct zvmm *vm, struct zvmm_error *error);

/* Whether there is a log of either kind. */
bool record_is_active(const struct record *record);

/* A mismatch with the log that is replayed is an error, as is a log that cannot be written. */
int record_events(struct record *record, const struct zv_event *events, uint64_t count,
                  struct zvmm_error *error);
int record_compare(struct record *record, const struct zv_event *events, uint64_t count,
                   struct zvmm_error *error); /* without writing them */
int record_digest(struct record *record, const struct runlog_digest *digest,
                  struct zvmm_error *error);

/* The run is over; the log that is replayed must end here, too, if `compare` says so. */
int record_end(struct record *record, const struct runlog_end *end, bool compare,
               struct zvmm_error *error);

void record_close(struct record *record);

#endif
