/*
 * futex.c - zx_futex_*: rules section 4.
 */
#include "futex.h"

#include <hal.h>
#include <zircon/object.h>

#include "format.h"
#include "syscalls.h"

static bool is_bad_address(struct user_ptr address)
{
    return user_null(address) || address.va % sizeof(zx_futex_t) != 0;
}

/* Reads the futex's word and compares it with what the caller saw. */
static zx_status_t check_value(struct process *process, struct user_ptr address, int32_t expected)
{
    uint32_t value;
    zx_status_t status = user_read_u32(process, address, &value);

    if (status != ZX_OK)
        return ZX_ERR_INVALID_ARGS;
    return value == (uint32_t)expected ? ZX_OK : ZX_ERR_BAD_STATE;
}

/*
 * The thread that the caller names as owner: any started thread of its process, no right needed.
 * NULL for the zero handle, and for a thread that is on its way out.
 */
static zx_status_t get_owner(struct process *process, zx_handle_t handle, struct thread **out)
{
    struct thread *owner;
    zx_status_t status;

    *out = NULL;
    if (handle == ZX_HANDLE_INVALID)
        return ZX_OK;
    status = handle_get(process, handle, ZX_OBJ_TYPE_THREAD, ZX_RIGHT_NONE, &owner);
    if (status != ZX_OK)
        return status;
    if (owner->process != process || owner->state == THREAD_NEW)
        return ZX_ERR_INVALID_ARGS;
    if (owner->state < THREAD_DYING)
        *out = owner;
    return ZX_OK;
}

/* ---- futex_wait ---------------------------------------------------------------------------- */

static void wait_describe(const struct thread *thread, char *text, size_t size)
{
    if (thread->wait.u.futex.futex)
        format(text, size, "futex at 0x%lx", thread->wait.u.futex.futex->address);
}

static const struct wait_kind wait_kind_futex = {
    .name = "futex_wait",
    .info_state = ZX_THREAD_STATE_BLOCKED_FUTEX,
    .unlink = futex_stop_waiting,
    .describe = wait_describe,
};

static bool waits_on(const struct thread *thread, zx_vaddr_t address)
{
    return thread->wait.kind == &wait_kind_futex && !thread->wait.ended &&
           thread->wait.u.futex.futex->address == address;
}

int64_t sys_futex_wait(struct thread *self, struct user_ptr value_ptr, int32_t current_value,
                       zx_handle_t new_futex_owner, zx_time_t deadline)
{
    struct thread *owner;
    zx_status_t status;

    if (is_bad_address(value_ptr))
        return ZX_ERR_INVALID_ARGS;
    status = check_value(self->process, value_ptr, current_value);
    if (status == ZX_OK)
        status = get_owner(self->process, new_futex_owner, &owner);
    if (status != ZX_OK)
        return status;
    if (owner && (owner == self || waits_on(owner, value_ptr.va)))
        return ZX_ERR_INVALID_ARGS;
    status = futex_start_waiting(self, value_ptr.va, owner);
    if (status != ZX_OK)
        return status;
    wait_begin(self, &wait_kind_futex, deadline);
    return ZX_OK;
}

/* ---- Waking -------------------------------------------------------------------------------- */

static int64_t wake(struct thread *self, struct user_ptr value_ptr, uint32_t count,
                    bool single_owner)
{
    struct futex *futex;

    if (is_bad_address(value_ptr))
        return ZX_ERR_INVALID_ARGS;
    futex = futex_find(self->process, value_ptr.va);
    if (futex)
        futex_wake(futex, count, single_owner);
    return ZX_OK;
}

int64_t sys_futex_wake(struct thread *self, struct user_ptr value_ptr, uint32_t wake_count)
{
    return wake(self, value_ptr, wake_count, false);
}

int64_t sys_futex_wake_single_owner(struct thread *self, struct user_ptr value_ptr)
{
    return wake(self, value_ptr, 1, true);
}

/* ---- Requeueing ---------------------------------------------------------------------------- */

struct requeue {
    struct user_ptr from, to;
    uint32_t wake_count, move_count;
    bool single_owner;
    int32_t current_value;
    zx_handle_t new_owner;
};

static int64_t requeue(struct thread *self, const struct requeue *call)
{
    struct process *process = self->process;
    struct thread *owner;
    zx_status_t status;

    if (is_bad_address(call->from) || is_bad_address(call->to) || call->from.va == call->to.va)
        return ZX_ERR_INVALID_ARGS;
    status = check_value(process, call->from, call->current_value);
    if (status == ZX_OK)
        status = get_owner(process, call->new_owner, &owner);
    if (status != ZX_OK)
        return status;
    if (owner && (waits_on(owner, call->from.va) || waits_on(owner, call->to.va)))
        return ZX_ERR_INVALID_ARGS;
    return futex_wake_and_requeue(futex_find(process, call->from.va), call->wake_count,
                                  call->single_owner, call->move_count, call->to.va, owner,
                                  process);
}

int64_t sys_futex_requeue(struct thread *self, struct user_ptr value_ptr, uint32_t wake_count,
                          int32_t current_value, struct user_ptr requeue_ptr,
                          uint32_t requeue_count, zx_handle_t new_requeue_owner)
{
    struct requeue call = {
        .from = value_ptr,
        .to = requeue_ptr,
        .wake_count = wake_count,
        .move_count = requeue_count,
        .current_value = current_value,
        .new_owner = new_requeue_owner,
    };

    return requeue(self, &call);
}

int64_t sys_futex_requeue_single_owner(struct thread *self, struct user_ptr value_ptr,
                                       int32_t current_value, struct user_ptr requeue_ptr,
                                       uint32_t requeue_count, zx_handle_t new_requeue_owner)
{
    struct requeue call = {
        .from = value_ptr,
        .to = requeue_ptr,
        .wake_count = 1,
        .move_count = requeue_count,
        .single_owner = true,
        .current_value = current_value,
        .new_owner = new_requeue_owner,
    };

    return requeue(self, &call);
}

int64_t sys_futex_get_owner(struct thread *self, struct user_ptr value_ptr, struct user_ptr koid)
{
    const struct futex *futex;
    zx_koid_t owner = ZX_KOID_INVALID;

    if (is_bad_address(value_ptr))
        return ZX_ERR_INVALID_ARGS;
    futex = futex_find(self->process, value_ptr.va);
    if (futex && futex->owner)
        owner = futex->owner->object.koid;
    return user_write_opt(self->process, koid, &owner, sizeof owner);
}
