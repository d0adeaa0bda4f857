/*
 * time.c - the clocks of the kernel, sleeping and random numbers: rules sections 4 and 0.
 */
#include <hal.h>
#include <zircon/clock.h>
#include <zircon/limits.h>
#include <zircon/resource.h>
#include <zircon/time.h>

#include "executor.h"
#include "resource.h"
#include "string.h"
#include "syscalls.h"

/* A deadline that is no time at all gives the CPU to whoever is ready. */
int64_t sys_nanosleep(struct thread *self, zx_time_t deadline)
{
    if (deadline > 0)
        wait_begin(self, &wait_kind_sleep, deadline);
    else
        executor_yield(self);
    return ZX_OK;
}

int64_t sys_clock_get(struct thread *self, zx_clock_t clock_id, struct user_ptr out)
{
    zx_time_t time;

    if (clock_id == ZX_CLOCK_MONOTONIC)
        time = hal_now();
    else if (clock_id == ZX_CLOCK_UTC)
        time = zx_time_add_duration(hal_now(), kernel()->utc_offset);
    else if (clock_id == ZX_CLOCK_THREAD)
        time = self->runtime + (hal_now() - self->running_since);
    else
        return ZX_ERR_INVALID_ARGS;
    return user_write_value(self->process, out, time);
}

int64_t sys_clock_adjust(struct thread *self, zx_handle_t handle, zx_clock_t clock_id,
                         int64_t offset)
{
    zx_status_t status = resource_check(self->process, handle, ZX_RSRC_KIND_ROOT, 0, 0);

    if (status != ZX_OK)
        return status;
    if (clock_id == ZX_CLOCK_MONOTONIC)
        return ZX_ERR_ACCESS_DENIED;
    if (clock_id != ZX_CLOCK_UTC)
        return ZX_ERR_INVALID_ARGS;
    kernel()->utc_offset = offset;
    return ZX_OK;
}

int64_t sys_clock_get_monotonic_via_kernel(struct thread *self)
{
    (void)self;
    return hal_now();
}

int64_t sys_ticks_get_via_kernel(struct thread *self)
{
    (void)self;
    return hal_ticks();
}

int64_t sys_cprng_draw_once(struct thread *self, struct user_ptr buffer, size_t buffer_size)
{
    uint8_t bytes[ZX_CPRNG_DRAW_MAX_LEN];

    if (buffer_size > sizeof bytes)
        return ZX_ERR_INVALID_ARGS;
    hal_entropy(bytes, buffer_size);
    return user_write(self->process, buffer, bytes, buffer_size);
}

/*
 * The generator belongs to the machine and is seeded by it; what a program adds is read, as a bad
 * pointer must be reported, and not used, so that a run with a fixed seed repeats.
 */
int64_t sys_cprng_add_entropy(struct thread *self, struct user_ptr buffer, size_t buffer_size)
{
    uint8_t bytes[ZX_CPRNG_ADD_ENTROPY_MAX_LEN];

    if (buffer_size > sizeof bytes)
        return ZX_ERR_INVALID_ARGS;
    return user_read(self->process, bytes, buffer, buffer_size);
}
