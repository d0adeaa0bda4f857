/*
 * event.c - events.
 */
#include "event.h"

#include <zircon/errors.h>
#include <zircon/system.h>

#include "executor.h"
#include "heap.h"

zx_status_t event_create(struct event **out)
{
    struct event *event = heap_alloc(sizeof *event);

    if (!event)
        return ZX_ERR_NO_MEMORY;
    object_init(&event->object, &event_ops, 0);
    *out = event;
    return ZX_OK;
}

zx_status_t event_of_system(uint32_t kind, struct event **out)
{
    struct event **slot;
    zx_status_t status;

    if (kind < ZX_SYSTEM_EVENT_OUT_OF_MEMORY || kind > ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL)
        return ZX_ERR_INVALID_ARGS;
    slot = &kernel()->system_events[kind - ZX_SYSTEM_EVENT_OUT_OF_MEMORY];
    if (!*slot) {
        status = event_create(slot);
        if (status != ZX_OK)
            return status;
        if (kind == ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL)
            object_update_signals(&(*slot)->object, 0, ZX_EVENT_SIGNALED);
    }
    *out = *slot;
    return ZX_OK;
}

static void event_destroy(struct object *object)
{
    heap_free(container_of(object, struct event, object));
}

const struct object_ops event_ops = {
    .type = ZX_OBJ_TYPE_EVENT,
    .name = "event",
    .default_rights = ZX_DEFAULT_EVENT_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL | ZX_EVENT_SIGNALED,
    .destroy = event_destroy,
};
