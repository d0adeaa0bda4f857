/*
 * timer.h - timers: objects that become SIGNALED at a time.
 *
 * Slack is kept for zx_object_get_info; a timer fires at its deadline exactly, which every slack
 * mode allows.
 */
#ifndef ZVMM_OBJECT_TIMER_H
#define ZVMM_OBJECT_TIMER_H

#include "object.h"
#include "timerq.h"

struct timer {
    struct object object;
    uint32_t options;         /* ZX_TIMER_SLACK_* */
    zx_duration_t slack;      /* of the present deadline */
    struct timer_entry entry; /* armed: the deadline is to come */
};

extern const struct object_ops timer_ops;

/* One reference, idle. ZX_ERR_NO_MEMORY. (POSIX has taken the shorter name.) */
zx_status_t timer_object_create(uint32_t options, struct timer **out);
/* Arms it anew, clearing SIGNALED; a deadline that has passed fires at once. */
void timer_set(struct timer *timer, zx_time_t deadline, zx_duration_t slack);
/* Stops it and clears SIGNALED. Allowed when idle. */
void timer_cancel(struct timer *timer);

#endif
