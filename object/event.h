/*
 * event.h - events: objects that are nothing but signals.
 */
#ifndef ZVMM_OBJECT_EVENT_H
#define ZVMM_OBJECT_EVENT_H

#include "object.h"

struct event {
    struct object object;
};

extern const struct object_ops event_ops;

/* One reference. ZX_ERR_NO_MEMORY. */
zx_status_t event_create(struct event **out);

#endif
