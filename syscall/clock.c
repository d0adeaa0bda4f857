/*
 * clock.c - clock objects, zx_clock_create, _read, _get_details, _update: rules section 4.
 */
#include "clock.h"

#include "syscalls.h"

int64_t sys_clock_create(struct thread *self, uint64_t options, struct user_ptr args,
                         struct user_ptr out)
{
    uint64_t version = options & ZX_CLOCK_ARGS_VERSION_MASK;
    zx_clock_create_args_v1_t v1 = {.backstop_time = 0};
    struct clock *clock;
    zx_status_t status = ZX_OK;

    if (version == ZX_CLOCK_ARGS_VERSION(1))
        status = user_read(self->process, &v1, args, sizeof v1);
    else if (version != 0 || !user_null(args))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = clock_create(options & ~ZX_CLOCK_ARGS_VERSION_MASK, v1.backstop_time, &clock);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &clock->object, ZX_DEFAULT_CLOCK_RIGHTS, out);
}

int64_t sys_clock_read(struct thread *self, zx_handle_t handle, struct user_ptr out)
{
    struct clock *clock;
    zx_time_t now;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_READ, &clock);

    if (status != ZX_OK)
        return status;
    now = clock_read(clock);
    return user_write_value(self->process, out, now);
}

int64_t sys_clock_get_details(struct thread *self, zx_handle_t handle, uint64_t options,
                              struct user_ptr out)
{
    zx_clock_details_v1_t details;
    struct clock *clock;
    zx_status_t status;

    if (options != ZX_CLOCK_ARGS_VERSION(1) || user_null(out))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_READ, &clock);
    if (status != ZX_OK)
        return status;
    clock_get_details(clock, &details);
    return user_write_value(self->process, out, details);
}

int64_t sys_clock_update(struct thread *self, zx_handle_t handle, uint64_t options,
                         struct user_ptr user_args)
{
    const uint64_t known = ZX_CLOCK_UPDATE_OPTION_VALUE_VALID |
                           ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID |
                           ZX_CLOCK_UPDATE_OPTION_ERROR_BOUND_VALID;
    uint64_t what = options & ~ZX_CLOCK_ARGS_VERSION_MASK;
    zx_clock_update_args_v1_t args;
    struct clock *clock;
    zx_status_t status;

    if (user_null(user_args) ||
        (options & ZX_CLOCK_ARGS_VERSION_MASK) != ZX_CLOCK_ARGS_VERSION(1) || what == 0 ||
        (what & ~known))
        return ZX_ERR_INVALID_ARGS;
    status = user_read(self->process, &args, user_args, sizeof args);
    if (status != ZX_OK)
        return status;
    if ((what & ZX_CLOCK_UPDATE_OPTION_RATE_ADJUST_VALID) &&
        (args.rate_adjust < ZX_CLOCK_UPDATE_MIN_RATE_ADJUST ||
         args.rate_adjust > ZX_CLOCK_UPDATE_MAX_RATE_ADJUST))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_CLOCK, ZX_RIGHT_WRITE, &clock);
    return status == ZX_OK ? clock_update(clock, what, &args) : status;
}
