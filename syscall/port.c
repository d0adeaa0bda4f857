/*
 * port.c - zx_port_* and zx_object_wait_async: rules sections 2 and 4.
 */
#include "port.h"

#include <hal.h>
#include <zircon/object.h>
#include <zircon/policy.h>

#include "format.h"
#include "job.h"
#include "syscalls.h"

int64_t sys_port_create(struct thread *self, uint32_t options, struct user_ptr out)
{
    struct port *port;
    zx_status_t status = job_policy_check(self->process, ZX_POL_NEW_PORT);

    if (status == ZX_OK && (options & ~ZX_PORT_BIND_TO_INTERRUPT))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = port_create(options, &port);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &port->object, ZX_DEFAULT_PORT_RIGHTS, out);
}

int64_t sys_port_queue(struct thread *self, zx_handle_t handle, struct user_ptr user_packet)
{
    zx_port_packet_t packet;
    struct port *port;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port);

    if (status == ZX_OK)
        status = user_read(self->process, &packet, user_packet, sizeof packet);
    if (status != ZX_OK)
        return status;
    packet.type = ZX_PKT_TYPE_USER;
    return port_queue_user(port, &packet);
}

/* ---- port_wait ----------------------------------------------------------------------------- */

static int64_t wait_finish(struct thread *thread, zx_status_t status)
{
    if (status != ZX_OK)
        return status;
    return user_write_opt(thread->process, thread->wait.u.port.out, &thread->wait.u.port.packet,
                          sizeof thread->wait.u.port.packet);
}

static void wait_describe(const struct thread *thread, char *text, size_t size)
{
    if (thread->wait.u.port.port)
        format(text, size, "port %lu", thread->wait.u.port.port->object.koid);
}

static const struct wait_kind wait_kind_port = {
    .name = "port_wait",
    .info_state = ZX_THREAD_STATE_BLOCKED_PORT,
    .unlink = port_stop_waiting,
    .finish = wait_finish,
    .describe = wait_describe,
};

int64_t sys_port_wait(struct thread *self, zx_handle_t handle, zx_time_t deadline,
                      struct user_ptr out)
{
    zx_port_packet_t packet;
    struct port *port;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_READ, &port);

    if (status != ZX_OK)
        return status;
    if (port_take(port, &packet))
        return user_write_opt(self->process, out, &packet, sizeof packet);
    if (deadline <= 0 || deadline <= hal_now())
        return ZX_ERR_TIMED_OUT;
    self->wait.u.port.out = out;
    port_start_waiting(port, self);
    wait_begin(self, &wait_kind_port, deadline);
    return ZX_OK;
}

/* ---- Registrations ------------------------------------------------------------------------- */

int64_t sys_object_wait_async(struct thread *self, zx_handle_t handle, zx_handle_t port_handle,
                              uint64_t key, zx_signals_t signals, uint32_t options)
{
    struct process *process = self->process;
    struct object *object;
    struct port *port;
    zx_status_t status;

    if (options & ~ZX_WAIT_ASYNC_TIMESTAMP)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(process, port_handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port);
    if (status == ZX_OK)
        status = handle_get(process, handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_WAIT, &object);
    if (status == ZX_OK && object->ops->not_waitable)
        status = ZX_ERR_NOT_SUPPORTED;
    if (status != ZX_OK)
        return status;
    return port_wait_async(port, object, handle_find(process, handle), key, signals, options);
}

int64_t sys_port_cancel(struct thread *self, zx_handle_t handle, zx_handle_t source, uint64_t key)
{
    struct process *process = self->process;
    struct object *object;
    struct port *port;
    zx_status_t status = handle_get(process, handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port);

    if (status == ZX_OK)
        status = handle_get(process, source, ZX_OBJ_TYPE_NONE, ZX_RIGHT_WAIT, &object);
    if (status == ZX_OK && object->ops->not_waitable)
        status = ZX_ERR_NOT_SUPPORTED;
    if (status != ZX_OK)
        return status;
    return port_cancel(port, object, handle_find(process, source), key);
}
