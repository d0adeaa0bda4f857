/*
 * eventpair.c - event pairs.
 */
#include "eventpair.h"

#include <zircon/errors.h>

#include "heap.h"

zx_status_t eventpair_create(struct eventpair **out0, struct eventpair **out1)
{
    struct eventpair *a = heap_alloc(sizeof *a), *b = heap_alloc(sizeof *b);

    if (!a || !b) {
        heap_free(a);
        heap_free(b);
        return ZX_ERR_NO_MEMORY;
    }
    object_init(&a->object, &eventpair_ops, 0);
    object_init(&b->object, &eventpair_ops, 0);
    a->peer = b;
    a->peer_koid = b->object.koid;
    b->peer = a;
    b->peer_koid = a->object.koid;
    *out0 = a;
    *out1 = b;
    return ZX_OK;
}

static void eventpair_on_zero_handles(struct object *object)
{
    struct eventpair *end = container_of(object, struct eventpair, object);
    struct eventpair *peer = end->peer;

    if (!peer)
        return;
    end->peer = NULL;
    peer->peer = NULL;
    object_update_signals(&peer->object, 0, ZX_EVENTPAIR_PEER_CLOSED);
}

static void eventpair_destroy(struct object *object)
{
    eventpair_on_zero_handles(object); /* an end that never had a handle */
    heap_free(container_of(object, struct eventpair, object));
}

static struct object *eventpair_peer(struct object *object)
{
    struct eventpair *peer = container_of(object, struct eventpair, object)->peer;

    return peer ? &peer->object : NULL;
}

static zx_koid_t eventpair_related(const struct object *object)
{
    return container_of(object, struct eventpair, object)->peer_koid;
}

const struct object_ops eventpair_ops = {
    .type = ZX_OBJ_TYPE_EVENTPAIR,
    .name = "eventpair",
    .default_rights = ZX_DEFAULT_EVENTPAIR_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL | ZX_EVENTPAIR_SIGNALED,
    .on_zero_handles = eventpair_on_zero_handles,
    .destroy = eventpair_destroy,
    .peer = eventpair_peer,
    .related_koid = eventpair_related,
};
