/*
 * objwait.c - blocking until objects have signals.
 */
#include "objwait.h"

#include <zircon/errors.h>
#include <zircon/ipc.h>
#include <zircon/object.h>

#include "format.h"
#include "handle.h"
#include "heap.h"

/* ---- One object ---------------------------------------------------------------------------- */

static void one_fire(struct observer *observer, enum observer_reason reason, zx_signals_t signals)
{
    struct thread *thread = container_of(observer, struct thread, wait.u.one.observer);
    bool canceled = reason == OBSERVER_CANCELED;

    observer->handle->waiter = NULL;
    thread->wait.u.one.observed = signals | (canceled ? ZX_SIGNAL_HANDLE_CLOSED : 0);
    wait_end(thread, canceled ? ZX_ERR_CANCELED : ZX_OK);
}

static void one_unlink(struct thread *thread)
{
    struct observer *observer = &thread->wait.u.one.observer;

    if (!observer->object)
        return; /* it has fired */
    observer->handle->waiter = NULL;
    thread->wait.u.one.observed = observer->object->signals;
    observer_remove(observer);
}

static int64_t one_finish(struct thread *thread, zx_status_t status)
{
    zx_signals_t observed = thread->wait.u.one.observed;

    if (status == ZX_ERR_INTERNAL_INTR_RETRY || status == ZX_ERR_INTERNAL_INTR_KILLED)
        return status;
    if (user_write_opt_u32(thread->process, thread->wait.u.one.out, observed) != ZX_OK)
        return ZX_ERR_INVALID_ARGS;
    return status;
}

static void one_describe(const struct thread *thread, char *text, size_t size)
{
    const struct observer *observer = &thread->wait.u.one.observer;

    if (observer->object)
        format(text, size, "%s %lu, signals %x", observer->object->ops->name,
               observer->object->koid, observer->trigger);
}

static const struct wait_kind wait_kind_one = {
    .name = "object_wait_one",
    .info_state = ZX_THREAD_STATE_BLOCKED_WAIT_ONE,
    .unlink = one_unlink,
    .finish = one_finish,
    .describe = one_describe,
};

void objwait_one(struct thread *thread, struct object *object, struct handle *handle,
                 zx_signals_t signals, zx_time_t deadline, struct user_ptr out)
{
    thread->wait.u.one.observer.fire = one_fire;
    thread->wait.u.one.out = out;
    observer_add(&thread->wait.u.one.observer, object, handle, signals);
    handle->waiter = thread;
    wait_begin(thread, &wait_kind_one, deadline);
}

/* ---- Several objects ------------------------------------------------------------------------ */

/* A handle that goes away shows in every item that was waited on through it. */
static void mark_closed(struct wait *wait, const struct handle *handle)
{
    for (uint32_t i = 0; i < wait->u.many.count; i++) {
        struct wait_item *item = &wait->u.many.items[i];

        if (item->observer.object && item->observer.handle == handle) {
            item->pending = item->observer.object->signals | ZX_SIGNAL_HANDLE_CLOSED;
            observer_remove(&item->observer);
        }
    }
}

static void many_fire(struct observer *observer, enum observer_reason reason, zx_signals_t signals)
{
    struct wait_item *item = container_of(observer, struct wait_item, observer);
    struct thread *thread = item->thread;
    bool canceled = reason == OBSERVER_CANCELED;

    item->pending = signals;
    if (canceled) {
        item->pending |= ZX_SIGNAL_HANDLE_CLOSED;
        mark_closed(&thread->wait, observer->handle);
    }
    wait_end(thread, canceled ? ZX_ERR_CANCELED : ZX_OK);
}

/* Items that are not registered any more have their snapshot. */
static void many_unlink(struct thread *thread)
{
    for (uint32_t i = 0; i < thread->wait.u.many.count; i++) {
        struct wait_item *item = &thread->wait.u.many.items[i];

        if (!item->observer.object)
            continue;
        item->pending = item->observer.object->signals;
        observer_remove(&item->observer);
    }
}

static int64_t many_finish(struct thread *thread, zx_status_t status)
{
    struct wait_item *items = thread->wait.u.many.items;
    bool interrupted =
        status == ZX_ERR_INTERNAL_INTR_RETRY || status == ZX_ERR_INTERNAL_INTR_KILLED;

    for (uint32_t i = 0; !interrupted && i < thread->wait.u.many.count; i++) {
        struct user_ptr out =
            user_at(thread->wait.u.many.user_items,
                    i * sizeof(zx_wait_item_t) + offsetof(zx_wait_item_t, pending));

        if (user_write_u32(thread->process, out, items[i].pending) != ZX_OK)
            status = ZX_ERR_INVALID_ARGS;
    }
    heap_free(items);
    thread->wait.u.many.items = NULL;
    return status;
}

static void many_describe(const struct thread *thread, char *text, size_t size)
{
    format(text, size, "%u objects", thread->wait.u.many.count);
}

static const struct wait_kind wait_kind_many = {
    .name = "object_wait_many",
    .info_state = ZX_THREAD_STATE_BLOCKED_WAIT_MANY,
    .unlink = many_unlink,
    .finish = many_finish,
    .describe = many_describe,
};

struct wait_item *objwait_alloc(struct thread *thread, size_t count)
{
    struct wait_item *items = heap_alloc(count * sizeof *items);

    for (size_t i = 0; items && i < count; i++) {
        items[i].thread = thread;
        items[i].observer.fire = many_fire;
    }
    return items;
}

void objwait_add(struct wait_item *item, struct object *object, struct handle *handle,
                 zx_signals_t signals)
{
    observer_add(&item->observer, object, handle, signals);
}

void objwait_many(struct thread *thread, struct wait_item *items, size_t count, zx_time_t deadline,
                  struct user_ptr out)
{
    thread->wait.u.many.items = items;
    thread->wait.u.many.count = (uint32_t)count;
    thread->wait.u.many.user_items = out;
    wait_begin(thread, &wait_kind_many, deadline);
}
