/*
 * timer.c - zx_timer_*: rules section 4.
 */
#include "timer.h"

#include <zircon/clock.h>
#include <zircon/ipc.h>
#include <zircon/policy.h>

#include "job.h"
#include "syscalls.h"

int64_t sys_timer_create(struct thread *self, uint32_t options, zx_clock_t clock_id,
                         struct user_ptr out)
{
    struct timer *timer;
    zx_status_t status;

    if (clock_id != ZX_CLOCK_MONOTONIC)
        return ZX_ERR_INVALID_ARGS;
    status = job_policy_check(self->process, ZX_POL_NEW_TIMER);
    if (status == ZX_OK && options > ZX_TIMER_SLACK_LATE)
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = timer_object_create(options, &timer);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &timer->object, ZX_DEFAULT_TIMER_RIGHTS, out);
}

int64_t sys_timer_set(struct thread *self, zx_handle_t handle, zx_time_t deadline,
                      zx_duration_t slack)
{
    struct timer *timer;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_TIMER, ZX_RIGHT_WRITE, &timer);

    if (status != ZX_OK)
        return status;
    if (slack < 0)
        return ZX_ERR_OUT_OF_RANGE;
    timer_set(timer, deadline, slack);
    return ZX_OK;
}

int64_t sys_timer_cancel(struct thread *self, zx_handle_t handle)
{
    struct timer *timer;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_TIMER, ZX_RIGHT_WRITE, &timer);

    if (status == ZX_OK)
        timer_cancel(timer);
    return status;
}
