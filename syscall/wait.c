/*
 * wait.c - zx_object_wait_one, zx_object_wait_many: rules section 2.
 */
#include <hal.h>
#include <zircon/ipc.h>
#include <zircon/limits.h>

#include "objwait.h"
#include "syscalls.h"

static zx_status_t get_waitable(struct process *process, zx_handle_t handle, struct object **out)
{
    zx_status_t status = handle_get(process, handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_WAIT, out);

    if (status == ZX_OK && (*out)->ops->not_waitable)
        return ZX_ERR_NOT_SUPPORTED;
    return status;
}

int64_t sys_object_wait_one(struct thread *self, zx_handle_t handle, zx_signals_t signals,
                            zx_time_t deadline, struct user_ptr observed)
{
    struct object *object;
    zx_status_t status = get_waitable(self->process, handle, &object);

    if (status != ZX_OK)
        return status;
    if (!(object->signals & signals)) {
        if (deadline > 0 && deadline > hal_now()) {
            objwait_one(self, object, handle_find(self->process, handle), signals, deadline,
                        observed);
            return ZX_OK;
        }
        status = ZX_ERR_TIMED_OUT;
    }
    if (user_write_opt_u32(self->process, observed, object->signals) != ZX_OK)
        return ZX_ERR_INVALID_ARGS;
    return status;
}

/* Parks on items that have all been looked up. */
static int64_t block_on_many(struct thread *self, const zx_wait_item_t *item,
                             struct object *const *object, size_t count, zx_time_t deadline,
                             struct user_ptr user_items)
{
    struct wait_item *items = objwait_alloc(self, count);

    if (!items)
        return ZX_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        objwait_add(&items[i], object[i], handle_find(self->process, item[i].handle),
                    item[i].waitfor);
    objwait_many(self, items, count, deadline, user_items);
    return ZX_OK;
}

int64_t sys_object_wait_many(struct thread *self, struct user_ptr user_items, size_t num_items,
                             zx_time_t deadline)
{
    zx_wait_item_t item[ZX_WAIT_MANY_MAX_ITEMS];
    struct object *object[ZX_WAIT_MANY_MAX_ITEMS];
    zx_status_t status;
    bool ready = false;

    if (num_items > ZX_WAIT_MANY_MAX_ITEMS)
        return ZX_ERR_OUT_OF_RANGE;
    if (num_items == 0) {
        objwait_many(self, NULL, 0, deadline, user_items);
        return ZX_OK;
    }
    status = user_read(self->process, item, user_items, num_items * sizeof item[0]);
    for (size_t i = 0; status == ZX_OK && i < num_items; i++) {
        status = get_waitable(self->process, item[i].handle, &object[i]);
        if (status == ZX_OK) {
            item[i].pending = object[i]->signals;
            ready |= (item[i].pending & item[i].waitfor) != 0;
        }
    }
    if (status != ZX_OK)
        return status;
    if (!ready && deadline > 0 && deadline > hal_now())
        return block_on_many(self, item, object, num_items, deadline, user_items);
    if (user_write(self->process, user_items, item, num_items * sizeof item[0]) != ZX_OK)
        return ZX_ERR_INVALID_ARGS;
    return ready ? ZX_OK : ZX_ERR_TIMED_OUT;
}
