/*
 * pressure.h - how much memory is left, as four events (rules, 126): OUT_OF_MEMORY, CRITICAL,
 * WARNING, NORMAL. Exactly one is signaled, by the share of all frames that is free:
 *
 *     OUT_OF_MEMORY   less than 1/64
 *     CRITICAL        less than 1/32
 *     WARNING         less than 1/8
 *     NORMAL          otherwise
 *
 * A level is left for a better one only when 1/256 more than its limit is free, so that use around
 * a limit does not make the events flap. Nobody is killed: out of memory is an error code.
 *
 * The kernel looks when it changes threads or becomes idle, and only once somebody has asked for an
 * event; a thread that waits for one hears of it then.
 */
#ifndef ZVMM_OBJECT_PRESSURE_H
#define ZVMM_OBJECT_PRESSURE_H

#include <zircon/types.h>

#include "executor.h"

struct event;

/* The event for a ZX_SYSTEM_EVENT_* kind, borrowed: it lives as long as the kernel. Made when it is
 * first asked for. ZX_ERR_INVALID_ARGS: no such kind. ZX_ERR_NO_MEMORY. */
zx_status_t pressure_event(uint32_t kind, struct event **out);

/* Looks at what is free, and signals. */
void pressure_update(struct kernel *kernel);

/* For the loop, on every change of threads. */
static inline void pressure_check(struct kernel *kernel)
{
    if (kernel->pressure)
        pressure_update(kernel);
}

#endif
