/*
 * timerq.h - a queue of deadlines.
 *
 * A leftist heap ordered by (deadline, sequence): its root is the next entry to fire, and from any
 * entry the way down by right children is never the longer one, so it has at most log2(n + 1)
 * entries. Only such ways are walked: arm and cancel are O(log n) at worst, and arming touches the
 * same few entries each time, however many are pending. Looking at the next deadline is O(1).
 * Entries are embedded in their owners; the queue owns nothing and knows no clock, so tests can
 * move time as they like.
 */
#ifndef ZVMM_RUNTIME_TIMERQ_H
#define ZVMM_RUNTIME_TIMERQ_H

#include <stdbool.h>

#include <zircon/types.h>

struct timer_entry {
    struct timer_entry *parent, *left, *right; /* of the heap; none earlier than their parent */
    zx_time_t deadline;                        /* absolute, ns, monotonic */
    uint64_t sequence;                         /* order of arming among equal deadlines */
    uint8_t rank; /* entries on the way down by right children, with this one */
    bool armed;
    /* Called by timerq_expire after the entry has left the queue; it may arm itself again. */
    void (*fire)(struct timer_entry *entry, zx_time_t now);
};

struct timerq {
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
