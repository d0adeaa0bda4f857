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

/*
 * The kernel's event for a ZX_SYSTEM_EVENT_* kind, borrowed: it lives as long as the kernel. Made
 * when it is first asked for; MEMORY_PRESSURE_NORMAL is the one that is signaled (rules, 126).
 * ZX_ERR_INVALID_ARGS: no such kind. ZX_ERR_NO_MEMORY.
 */
zx_status_t event_of_system(uint32_t kind, struct event **out);

#endif
