/*
 * object.c - reference counts, the release work list, signals and observers.
 */
#include "object.h"

#include "executor.h"
#include "format.h"
#include "handle.h"

#define OBJECT_REAP_QUEUED (1u << 0)       /* in the work list */
#define OBJECT_REAP_ZERO_HANDLES (1u << 1) /* on_zero_handles is due */

void object_init(struct object *object, const struct object_ops *ops, zx_signals_t signals)
{
    object->ops = ops;
    object->refs = 1;
    object->handles = 0;
    object->signals = signals;
    object->reap = 0;
    object->koid = kernel()->next_koid++;
    TAILQ_INIT(&object->observers);
}

/*
 * Drains the work list unless that is already happening further up the stack. An entry holds one
 * reference while it is queued for on_zero_handles, so that the object outlives the callback.
 */
static void reap(struct cpu *cpu)
{
    struct object *object;

    if (cpu->reaping)
        return;
    cpu->reaping++;
    while ((object = STAILQ_FIRST(&cpu->reap))) {
        STAILQ_REMOVE_HEAD(&cpu->reap, reap_link);
        object->reap &= ~OBJECT_REAP_QUEUED;
        if (object->reap & OBJECT_REAP_ZERO_HANDLES) {
            object->reap &= ~OBJECT_REAP_ZERO_HANDLES;
            if (object->handles == 0 && object->ops->on_zero_handles)
                object->ops->on_zero_handles(object);
            object_release(object);
        } else {
            object->ops->destroy(object);
        }
    }
    cpu->reaping--;
}

void object_hold_releases(void)
{
    this_cpu()->reaping++;
}

void object_run_releases(void)
{
    struct cpu *cpu = this_cpu();

    assert(cpu->reaping > 0);
    cpu->reaping--;
    reap(cpu);
}

static void reap_later(struct object *object)
{
    struct cpu *cpu = this_cpu();

    if (!(object->reap & OBJECT_REAP_QUEUED)) {
        object->reap |= OBJECT_REAP_QUEUED;
        STAILQ_INSERT_TAIL(&cpu->reap, object, reap_link);
    }
    reap(cpu);
}

void object_ref(struct object *object)
{
    assert(object->refs > 0);
    object->refs++;
}

void object_release(struct object *object)
{
    assert(object->refs > 0);
    if (--object->refs == 0)
        reap_later(object);
}

void object_handle_added(struct object *object)
{
    object_ref(object);
    object->handles++;
}

void object_handle_removed(struct object *object)
{
    assert(object->handles > 0);
    if (--object->handles == 0 && object->ops->on_zero_handles) {
        /* The handle's reference passes to the work list. */
        if (object->reap & OBJECT_REAP_ZERO_HANDLES) {
            object_release(object);
            return;
        }
        object->reap |= OBJECT_REAP_ZERO_HANDLES;
        reap_later(object);
        return;
    }
    object_release(object);
}

/* Takes the observer out and drops its reference, in that order: destroy must find no observer. */
static void unlink_observer(struct observer *observer)
{
    struct object *object = observer->object;

    TAILQ_REMOVE(&object->observers, observer, link);
    observer->object = NULL;
    if (observer->handle && observer->handle->observers != UINT16_MAX)
        observer->handle->observers--;
}

/*
 * Fires the observers that `match` picks. A fire function may remove any other observer of the same
 * object (a wait_many that names it twice), so the walk holds its place with a marker of its own
 * that nobody else removes; markers have no fire function and are passed over by nested walks.
 * Out of line, so that the usual signal saves no registers for it.
 */
static __attribute__((noinline)) void fire_many(struct object *object, enum observer_reason reason,
                                                zx_signals_t trigger, const struct handle *handle)
{
    struct observer marker = {.fire = NULL};
    struct observer *at = TAILQ_FIRST(&object->observers), *next;
    zx_signals_t signals = object->signals;

    object_ref(object);
    for (; at; at = next) {
        next = TAILQ_NEXT(at, link);
        if (!at->fire || (handle ? at->handle != handle : !(at->trigger & trigger)))
            continue;
        TAILQ_INSERT_AFTER(&object->observers, at, &marker, link);
        unlink_observer(at);
        at->fire(at, reason, signals);
        object_release(object); /* the observer's reference; ours keeps the object alive */
        next = TAILQ_NEXT(&marker, link);
        TAILQ_REMOVE(&object->observers, &marker, link);
    }
    object_release(object);
}

/* The usual object has one observer. It is out before it fires, so nothing is left to walk. */
static void fire_matching(struct object *object, enum observer_reason reason, zx_signals_t trigger,
                          const struct handle *handle)
{
    struct observer *first = TAILQ_FIRST(&object->observers);

    if (!first)
        return;
    if (TAILQ_NEXT(first, link)) {
        fire_many(object, reason, trigger, handle);
        return;
    }
    if (!first->fire || (handle ? first->handle != handle : !(first->trigger & trigger)))
        return;
    unlink_observer(first);
    first->fire(first, reason, object->signals);
    object_release(object); /* the observer's reference */
}

void object_update_signals(struct object *object, zx_signals_t clear, zx_signals_t set)
{
    object->signals = (object->signals & ~clear) | set;
    if (set && !TAILQ_EMPTY(&object->observers))
        fire_matching(object, OBSERVER_SIGNALED, object->signals, NULL);
}

void observer_add(struct observer *observer, struct object *object, struct handle *handle,
                  zx_signals_t trigger)
{
    observer->object = object;
    observer->handle = handle;
    observer->trigger = trigger;
    if (handle && handle->observers != UINT16_MAX)
        handle->observers++;
    object_ref(object);
    TAILQ_INSERT_TAIL(&object->observers, observer, link);
}

void observer_remove(struct observer *observer)
{
    struct object *object = observer->object;

    if (!object)
        return;
    unlink_observer(observer);
    object_release(object);
}

void observer_cancel_handle(struct object *object, struct handle *handle)
{
    if (handle->observers)
        fire_matching(object, OBSERVER_CANCELED, 0, handle);
}
