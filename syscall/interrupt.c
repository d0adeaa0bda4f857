/*
 * interrupt.c - zx_interrupt_*: rules section 11. There are virtual interrupts only.
 */
#include "interrupt.h"

#include <zircon/device.h>
#include <zircon/resource.h>

#include "format.h"
#include "resource.h"
#include "syscalls.h"

int64_t sys_interrupt_create(struct thread *self, zx_handle_t src_obj, uint32_t src_num,
                             uint32_t options, struct user_ptr out)
{
    struct interrupt *interrupt;
    zx_status_t status;

    if (!(options & ZX_INTERRUPT_VIRTUAL)) {
        status = resource_check(self->process, src_obj, ZX_RSRC_KIND_IRQ, src_num, 1);
        return status != ZX_OK ? status : ZX_ERR_INVALID_ARGS; /* no such line */
    }
    if (options != ZX_INTERRUPT_VIRTUAL)
        return ZX_ERR_INVALID_ARGS;
    status = interrupt_create(&interrupt);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &interrupt->object, ZX_DEFAULT_INTERRUPT_RIGHTS, out);
}

int64_t sys_interrupt_bind(struct thread *self, zx_handle_t handle, zx_handle_t port_handle,
                           uint64_t key, uint32_t options)
{
    struct interrupt *interrupt;
    struct port *port;
    zx_status_t status;

    if (options > ZX_INTERRUPT_UNBIND)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_READ, &interrupt);
    if (status == ZX_OK)
        status = handle_get(self->process, port_handle, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port);
    if (status != ZX_OK)
        return status;
    if (!(port->options & ZX_PORT_BIND_TO_INTERRUPT))
        return ZX_ERR_WRONG_TYPE;
    return options == ZX_INTERRUPT_BIND ? interrupt_bind(interrupt, port, key)
                                        : interrupt_unbind(interrupt, port);
}

int64_t sys_interrupt_ack(struct thread *self, zx_handle_t handle)
{
    struct interrupt *interrupt;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_WRITE, &interrupt);

    return status == ZX_OK ? interrupt_ack(interrupt) : status;
}

int64_t sys_interrupt_trigger(struct thread *self, zx_handle_t handle, uint32_t options,
                              zx_time_t timestamp)
{
    struct interrupt *interrupt;
    zx_status_t status;

    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_SIGNAL, &interrupt);
    return status == ZX_OK ? interrupt_trigger(interrupt, timestamp) : status;
}

int64_t sys_interrupt_destroy(struct thread *self, zx_handle_t handle)
{
    struct interrupt *interrupt;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_NONE, &interrupt);

    return status == ZX_OK ? interrupt_destroy(interrupt) : status;
}

/* ---- interrupt_wait ------------------------------------------------------------------------ */

static int64_t wait_finish(struct thread *thread, zx_status_t status)
{
    if (status != ZX_OK)
        return status;
    return user_write_opt(thread->process, thread->wait.u.interrupt.out,
                          &thread->wait.u.interrupt.timestamp,
                          sizeof thread->wait.u.interrupt.timestamp);
}

static void wait_describe(const struct thread *thread, char *text, size_t size)
{
    if (thread->wait.u.interrupt.interrupt)
        format(text, size, "interrupt %lu", thread->wait.u.interrupt.interrupt->object.koid);
}

static const struct wait_kind wait_kind_interrupt = {
    .name = "interrupt_wait",
    .info_state = ZX_THREAD_STATE_BLOCKED_INTERRUPT,
    .unlink = interrupt_stop_waiting,
    .finish = wait_finish,
    .describe = wait_describe,
};

int64_t sys_interrupt_wait(struct thread *self, zx_handle_t handle, struct user_ptr out_timestamp)
{
    struct interrupt *interrupt;
    zx_time_t timestamp;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_INTERRUPT, ZX_RIGHT_WAIT, &interrupt);

    if (status == ZX_OK)
        status = interrupt_take(interrupt, &timestamp);
    if (status == ZX_OK)
        return user_write_opt(self->process, out_timestamp, &timestamp, sizeof timestamp);
    if (status != ZX_ERR_SHOULD_WAIT)
        return status;
    self->wait.u.interrupt.out = out_timestamp;
    interrupt_start_waiting(interrupt, self);
    wait_begin(self, &wait_kind_interrupt, ZX_TIME_INFINITE);
    return ZX_OK;
}
