/*
 * timerq.h - a queue of deadlines.
 *
 * A red-black tree ordered by (deadline, sequence) with its first element cached: arm and cancel
 * are O(log n), looking at the next deadline is O(1). Entries are embedded in their owners; the
 * queue owns nothing and knows no clock, so tests can move time as they like.
 */
#ifndef ZVMM_RUNTIME_TIMERQ_H
#define ZVMM_RUNTIME_TIMERQ_H

#include <stdbool.h>

#include <zircon/types.h>

#include "list.h"

struct timer_entry {
    RB_ENTRY(timer_entry) link;
    zx_time_t deadline; /* absolute, ns, monotonic */
    uint64_t sequence;  /* order of arming among equal deadlines */
    bool armed;
    /* Called by timerq_expire after the entry has left the queue; it may arm itself again. */
    void (*fire)(struct timer_entry *entry, zx_time_t now);
};

RB_HEAD(timer_tree, timer_entry);

struct timerq {
    struct timer_tree tree;
    struct timer_entry *first; /* NULL: empty */
    uint64_t sequence;
};

void timerq_init(struct timerq *queue);
/* Precondition: not armed. ZX_TIME_INFINITE never fires and is not queued. */
void timerq_arm(struct timerq *queue, struct timer_entry *entry, zx_time_t deadline);
/* Allowed when not armed. Returns whether it was. */
bool timerq_cancel(struct timerq *queue, struct timer_entry *entry);
/* The earliest deadline, ZX_TIME_INFINITE if none. */
zx_time_t timerq_next(const struct timerq *queue);
/* Fires every entry whose deadline is <= now, in order. */
void timerq_expire(struct timerq *queue, zx_time_t now);

#endif
