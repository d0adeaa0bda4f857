/*
 * event.c - events.
 */
#include "event.h"

#include <zircon/errors.h>

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
