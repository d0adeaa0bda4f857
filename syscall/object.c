/*
 * object.c - system calls that take an object of any type: signals, properties, children.
 * zx_object_get_info is in info.c, the waits are in wait.c.
 */
#include <zircon/errors.h>
#include <zircon/object.h>

#include "aspace.h"
#include "executor.h"
#include "job.h"
#include "string.h"
#include "syscalls.h"

/* ---- Signals ------------------------------------------------------------------------------- */

int64_t sys_object_signal(struct thread *self, zx_handle_t handle, uint32_t clear_mask,
                          uint32_t set_mask)
{
    struct object *object;
    zx_status_t status = handle_get_to_wake(self->process, handle, ZX_RIGHT_SIGNAL, &object);

    if (status != ZX_OK)
        return status;
    if (!object->ops->user_signals)
        return ZX_ERR_NOT_SUPPORTED;
    if ((clear_mask | set_mask) & ~object->ops->user_signals)
        return ZX_ERR_INVALID_ARGS;
    object_update_signals(object, clear_mask, set_mask);
    return ZX_OK;
}

int64_t sys_object_signal_peer(struct thread *self, zx_handle_t handle, uint32_t clear_mask,
                               uint32_t set_mask)
{
    struct object *object, *peer;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_SIGNAL_PEER, &object);

    if (status != ZX_OK)
        return status;
    if (!object->ops->peer)
        return ZX_ERR_NOT_SUPPORTED;
    if ((clear_mask | set_mask) & ~object->ops->user_signals)
        return ZX_ERR_INVALID_ARGS;
    peer = object->ops->peer(object);
    if (!peer)
        return ZX_ERR_PEER_CLOSED;
    object_update_signals(peer, clear_mask, set_mask);
    return ZX_OK;
}

/* ---- Children ------------------------------------------------------------------------------ */

static struct object *find_child(struct object *parent, zx_koid_t koid)
{
    if (parent->ops->type == ZX_OBJ_TYPE_PROCESS) {
        struct process *process = container_of(parent, struct process, object);
        struct thread *thread;

        TAILQ_FOREACH (thread, &process->threads, process_link)
            if (thread->object.koid == koid)
                return &thread->object;
    } else {
        struct job *job = container_of(parent, struct job, object), *child;
        struct process *process;

        TAILQ_FOREACH (child, &job->jobs, sibling_link)
            if (child->object.koid == koid)
                return &child->object;
        TAILQ_FOREACH (process, &job->processes, job_link)
            if (process->object.koid == koid)
                return &process->object;
    }
    return NULL;
}

int64_t sys_object_get_child(struct thread *self, zx_handle_t handle, zx_koid_t koid,
                             zx_rights_t rights, struct user_ptr out)
{
    struct object *parent, *child;
    zx_rights_t have;
    zx_status_t status = handle_get_rights(self->process, handle, ZX_OBJ_TYPE_NONE,
                                           ZX_RIGHT_ENUMERATE, &parent, &have);

    if (status != ZX_OK)
        return status;
    if (rights == ZX_RIGHT_SAME_RIGHTS)
        rights = have;
    if (rights & ~have)
        return ZX_ERR_ACCESS_DENIED;
    if (parent->ops->type != ZX_OBJ_TYPE_PROCESS && parent->ops->type != ZX_OBJ_TYPE_JOB)
        return ZX_ERR_WRONG_TYPE;
    child = find_child(parent, koid);
    if (!child)
        return ZX_ERR_NOT_FOUND;
    object_ref(child);
    return handle_return(self->process, child, rights, out);
}

/* ---- Properties ---------------------------------------------------------------------------- */

struct property_call {
    struct thread *self;
    struct object *object;
    struct user_ptr value;
    size_t size;
};

static zx_status_t get_u64(const struct property_call *call, uint64_t value)
{
    if (call->size < sizeof value)
        return ZX_ERR_BUFFER_TOO_SMALL;
    return user_write_value(call->self->process, call->value, value);
}

static zx_status_t set_u64(const struct property_call *call, uint64_t *value)
{
    if (call->size < sizeof *value)
        return ZX_ERR_BUFFER_TOO_SMALL;
    return user_read(call->self->process, value, call->value, sizeof *value);
}

static zx_status_t get_name(const struct property_call *call)
{
    static const char unnamed[ZX_MAX_NAME_LEN];
    struct object *object = call->object;

    if (call->size < ZX_MAX_NAME_LEN)
        return ZX_ERR_BUFFER_TOO_SMALL;
    return user_write(call->self->process, call->value,
                      object->ops->name_of ? object->ops->name_of(object) : unnamed,
                      ZX_MAX_NAME_LEN);
}

static zx_status_t set_name(const struct property_call *call)
{
    char name[ZX_MAX_NAME_LEN];
    zx_status_t status;

    if (!call->object->ops->name_of)
        return ZX_ERR_NOT_SUPPORTED;
    status = user_read_name(call->self->process, name, call->value, call->size);
    if (status == ZX_OK)
        memcpy(call->object->ops->name_of(call->object), name, sizeof name);
    return status;
}

static zx_status_t get_process_property(const struct property_call *call, uint32_t property)
{
    struct process *process = container_of(call->object, struct process, object);

    if (call->object->ops->type != ZX_OBJ_TYPE_PROCESS)
        return ZX_ERR_WRONG_TYPE;
    switch (property) {
    case ZX_PROP_PROCESS_DEBUG_ADDR:
        return get_u64(call, process->debug_addr);
    case ZX_PROP_PROCESS_BREAK_ON_LOAD:
        return get_u64(call, process->break_on_load);
    default:
        return get_u64(call, process->aspace ? process->aspace->vdso_base : 0);
    }
}

static zx_status_t set_debug_addr(const struct property_call *call)
{
    struct process *process = container_of(call->object, struct process, object);
    uint64_t value;
    zx_status_t status;

    if (call->object->ops->type != ZX_OBJ_TYPE_PROCESS)
        return ZX_ERR_WRONG_TYPE;
    status = set_u64(call, &value);
    if (status != ZX_OK)
        return status;
    if (value == 0)
        return ZX_ERR_INVALID_ARGS;
    if (process->debug_addr != 0 && process->debug_addr != ZX_PROCESS_DEBUG_ADDR_BREAK_ON_SET)
        return ZX_ERR_ACCESS_DENIED;
    process->debug_addr = value;
    return ZX_OK;
}

static zx_status_t set_break_on_load(const struct property_call *call)
{
    if (call->object->ops->type != ZX_OBJ_TYPE_PROCESS)
        return ZX_ERR_WRONG_TYPE;
    return set_u64(call, &container_of(call->object, struct process, object)->break_on_load);
}

/* FS and GS base: the calling thread's own only. */
static zx_status_t set_segment_base(const struct property_call *call, uint64_t *base)
{
    uint64_t value;
    zx_status_t status;

    if (call->object->ops->type != ZX_OBJ_TYPE_THREAD)
        return ZX_ERR_WRONG_TYPE;
    if (call->object != &call->self->object)
        return ZX_ERR_ACCESS_DENIED;
    status = set_u64(call, &value);
    if (status != ZX_OK)
        return status;
    if (value >= HAL_USER_TOP)
        return ZX_ERR_INVALID_ARGS;
    *base = value;
    hal_context_stop(); /* the HAL loads it on the next way into user code */
    return ZX_OK;
}

static zx_status_t set_kill_on_oom(const struct property_call *call)
{
    uint64_t value;
    zx_status_t status;

    if (call->object->ops->type != ZX_OBJ_TYPE_JOB)
        return ZX_ERR_WRONG_TYPE;
    status = set_u64(call, &value);
    if (status != ZX_OK)
        return status;
    if (value > 1)
        return ZX_ERR_INVALID_ARGS;
    container_of(call->object, struct job, object)->kill_on_oom = value;
    return ZX_OK;
}

/* Properties that one object type alone has: size in bytes, 0 if there is no such property. */
static size_t typed_property_size(uint32_t property)
{
    switch (property) {
    case ZX_PROP_SOCKET_RX_THRESHOLD:
    case ZX_PROP_SOCKET_TX_THRESHOLD:
    case ZX_PROP_VMO_CONTENT_SIZE:
        return sizeof(uint64_t);
    case ZX_PROP_EXCEPTION_STATE:
        return sizeof(uint32_t);
    default:
        return 0;
    }
}

static zx_status_t get_typed(const struct property_call *call, uint32_t property)
{
    size_t size = typed_property_size(property);
    uint64_t value;
    zx_status_t status;

    if (!size)
        return ZX_ERR_INVALID_ARGS;
    if (call->size < size)
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (!call->object->ops->get_property)
        return ZX_ERR_WRONG_TYPE;
    status = call->object->ops->get_property(call->object, property, &value);
    return status == ZX_OK ? user_write(call->self->process, call->value, &value, size) : status;
}

static zx_status_t set_typed(const struct property_call *call, uint32_t property)
{
    size_t size = typed_property_size(property);
    uint64_t value = 0;
    zx_status_t status;

    if (!size)
        return ZX_ERR_INVALID_ARGS;
    if (call->size < size)
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (!call->object->ops->set_property)
        return ZX_ERR_WRONG_TYPE;
    status = user_read(call->self->process, &value, call->value, size);
    return status == ZX_OK ? call->object->ops->set_property(call->object, property, value)
                           : status;
}

int64_t sys_object_get_property(struct thread *self, zx_handle_t handle, uint32_t property,
                                struct user_ptr value, size_t value_size)
{
    struct property_call call = {.self = self, .value = value, .size = value_size};
    zx_status_t status;

    if (user_null(value))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_GET_PROPERTY,
                        &call.object);
    if (status != ZX_OK)
        return status;
    switch (property) {
    case ZX_PROP_NAME:
        return get_name(&call);
    case ZX_PROP_PROCESS_DEBUG_ADDR:
    case ZX_PROP_PROCESS_BREAK_ON_LOAD:
    case ZX_PROP_PROCESS_VDSO_BASE_ADDRESS:
        return get_process_property(&call, property);
    case ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID:
        return ZX_ERR_NOT_SUPPORTED;
    default:
        return get_typed(&call, property);
    }
}

int64_t sys_object_set_property(struct thread *self, zx_handle_t handle, uint32_t property,
                                struct user_ptr value, size_t value_size)
{
    struct property_call call = {.self = self, .value = value, .size = value_size};
    zx_status_t status;

    if (user_null(value))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_SET_PROPERTY,
                        &call.object);
    if (status != ZX_OK)
        return status;
    switch (property) {
    case ZX_PROP_NAME:
        return set_name(&call);
    case ZX_PROP_REGISTER_FS:
        return set_segment_base(&call, &self->context.regs.fs_base);
    case ZX_PROP_REGISTER_GS:
        return set_segment_base(&call, &self->context.regs.gs_base);
    case ZX_PROP_PROCESS_DEBUG_ADDR:
        return set_debug_addr(&call);
    case ZX_PROP_PROCESS_BREAK_ON_LOAD:
        return set_break_on_load(&call);
    case ZX_PROP_JOB_KILL_ON_OOM:
        return set_kill_on_oom(&call);
    default:
        return set_typed(&call, property);
    }
}
