/*
 * timer.c - timers.
 */
#include "timer.h"

#include <hal.h>
#include <zircon/errors.h>

#include "executor.h"
#include "heap.h"

static void timer_fire(struct timer_entry *entry, zx_time_t now)
{
    (void)now;
    object_update_signals(&container_of(entry, struct timer, entry)->object, 0, ZX_TIMER_SIGNALED);
}

zx_status_t timer_object_create(uint32_t options, struct timer **out)
{
    struct timer *timer = heap_zalloc(sizeof *timer);

    if (!timer)
        return ZX_ERR_NO_MEMORY;
    object_init(&timer->object, &timer_ops, 0);
    timer->options = options;
    timer->entry.fire = timer_fire;
    *out = timer;
    return ZX_OK;
}

void timer_set(struct timer *timer, zx_time_t deadline, zx_duration_t slack)
{
    zx_time_t now = hal_now();

    timer_cancel(timer);
    if (deadline <= now) {
        timer_fire(&timer->entry, now);
        return;
    }
    timer->slack = slack;
    executor_arm(this_cpu(), &timer->entry, deadline);
}

void timer_cancel(struct timer *timer)
{
    timerq_cancel(&this_cpu()->timers, &timer->entry);
    timer->entry.deadline = 0;
    object_update_signals(&timer->object, ZX_TIMER_SIGNALED, 0);
}

/* A deadline of ZX_TIME_INFINITE is pending for ever without being in the queue. */
static void timer_get_info(struct object *object, void *record)
{
    const struct timer *timer = container_of(object, struct timer, object);
    zx_info_timer_t *info = record;

    info->options = timer->options;
    if (timer->entry.armed || timer->entry.deadline == ZX_TIME_INFINITE) {
        info->deadline = timer->entry.deadline;
        info->slack = timer->slack;
    }
}

static void timer_on_zero_handles(struct object *object)
{
    timer_cancel(container_of(object, struct timer, object));
}

static void timer_destroy(struct object *object)
{
    struct timer *timer = container_of(object, struct timer, object);

    timerq_cancel(&this_cpu()->timers, &timer->entry);
    heap_free(timer);
}

const struct object_ops timer_ops = {
    .type = ZX_OBJ_TYPE_TIMER,
    .name = "timer",
    .default_rights = ZX_DEFAULT_TIMER_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .on_zero_handles = timer_on_zero_handles,
    .destroy = timer_destroy,
    .info_topic = ZX_INFO_TIMER,
    .info_size = sizeof(zx_info_timer_t),
    .get_info = timer_get_info,
};
