/*
 * interrupt.c - virtual interrupts.
 */
#include "interrupt.h"

#include <zircon/errors.h>

#include "heap.h"
#include "thread.h"

static void packet_done(struct port_packet *packet)
{
    (void)packet; /* it is part of the interrupt, which waits for the acknowledgement */
}

zx_status_t interrupt_create(struct interrupt **out)
{
    struct interrupt *interrupt = heap_zalloc(sizeof *interrupt);

    if (!interrupt)
        return ZX_ERR_NO_MEMORY;
    object_init(&interrupt->object, &interrupt_ops, 0);
    interrupt->packet.data.type = ZX_PKT_TYPE_INTERRUPT;
    interrupt->packet.done = packet_done;
    *out = interrupt;
    return ZX_OK;
}

/* ---- Ports --------------------------------------------------------------------------------- */

zx_status_t interrupt_bind(struct interrupt *interrupt, struct port *port, uint64_t key)
{
    if (interrupt->state == INTERRUPT_DESTROYED)
        return ZX_ERR_CANCELED;
    if (interrupt->state == INTERRUPT_WAITING)
        return ZX_ERR_BAD_STATE;
    if (interrupt->port)
        return ZX_ERR_ALREADY_BOUND;
    object_ref(&port->object);
    interrupt->port = port;
    interrupt->packet.data.key = key;
    return ZX_OK;
}

static void leave_port(struct interrupt *interrupt)
{
    struct port *port = interrupt->port;

    interrupt->port = NULL;
    port_unqueue(&interrupt->packet);
    object_release(&port->object);
}

zx_status_t interrupt_unbind(struct interrupt *interrupt, struct port *port)
{
    if (interrupt->port != port)
        return ZX_ERR_NOT_FOUND;
    if (interrupt->state == INTERRUPT_DESTROYED)
        return ZX_ERR_CANCELED;
    leave_port(interrupt);
    return ZX_OK;
}

/* Precondition: bound, and the packet is not queued. A closed port swallows it. */
static void send_packet(struct interrupt *interrupt)
{
    interrupt->packet.data.interrupt.timestamp = interrupt->timestamp;
    interrupt->pending = false;
    interrupt->state = INTERRUPT_NEEDACK;
    port_queue(interrupt->port, &interrupt->packet);
}

zx_status_t interrupt_ack(struct interrupt *interrupt)
{
    if (!interrupt->port)
        return ZX_ERR_BAD_STATE;
    if (interrupt->state == INTERRUPT_DESTROYED)
        return ZX_ERR_CANCELED;
    if (interrupt->state != INTERRUPT_NEEDACK)
        return ZX_OK;
    if (!interrupt->pending)
        interrupt->state = INTERRUPT_IDLE;
    else if (!interrupt->packet.port) /* acknowledged before it was read: one packet will do */
        send_packet(interrupt);
    return ZX_OK;
}

/* ---- Threads ------------------------------------------------------------------------------- */

zx_status_t interrupt_take(struct interrupt *interrupt, zx_time_t *timestamp)
{
    if (interrupt->port || interrupt->state == INTERRUPT_WAITING)
        return ZX_ERR_BAD_STATE;
    if (interrupt->state == INTERRUPT_DESTROYED)
        return ZX_ERR_CANCELED;
    if (interrupt->state != INTERRUPT_TRIGGERED)
        return ZX_ERR_SHOULD_WAIT;
    interrupt->state = INTERRUPT_NEEDACK;
    interrupt->pending = false;
    *timestamp = interrupt->timestamp;
    return ZX_OK;
}

void interrupt_start_waiting(struct interrupt *interrupt, struct thread *thread)
{
    object_ref(&interrupt->object);
    interrupt->state = INTERRUPT_WAITING;
    interrupt->waiter = thread;
    thread->wait.u.interrupt.interrupt = interrupt;
}

void interrupt_stop_waiting(struct thread *thread)
{
    struct interrupt *interrupt = thread->wait.u.interrupt.interrupt;

    if (interrupt->state == INTERRUPT_WAITING) /* neither triggered nor destroyed */
        interrupt->state = INTERRUPT_IDLE;
    interrupt->waiter = NULL;
    thread->wait.u.interrupt.interrupt = NULL;
    object_release(&interrupt->object);
}

/* ---- Triggering ---------------------------------------------------------------------------- */

zx_status_t interrupt_trigger(struct interrupt *interrupt, zx_time_t timestamp)
{
    struct thread *waiter = interrupt->waiter;

    if (interrupt->state == INTERRUPT_DESTROYED)
        return ZX_ERR_CANCELED;
    if (waiter) {
        interrupt->state = INTERRUPT_NEEDACK;
        waiter->wait.u.interrupt.timestamp = timestamp;
        wait_end(waiter, ZX_OK);
        return ZX_OK;
    }
    if (!interrupt->pending) {
        interrupt->pending = true;
        interrupt->timestamp = timestamp;
    }
    if (!interrupt->port)
        interrupt->state = INTERRUPT_TRIGGERED;
    else if (interrupt->state != INTERRUPT_NEEDACK)
        send_packet(interrupt);
    return ZX_OK;
}

zx_status_t interrupt_destroy(struct interrupt *interrupt)
{
    bool unacknowledged = interrupt->port && interrupt->state == INTERRUPT_NEEDACK &&
                          !port_unqueue(&interrupt->packet);

    interrupt->state = INTERRUPT_DESTROYED;
    interrupt->pending = false;
    if (interrupt->waiter)
        wait_end(interrupt->waiter, ZX_ERR_CANCELED);
    return unacknowledged ? ZX_ERR_NOT_FOUND : ZX_OK;
}

/* ---- Object -------------------------------------------------------------------------------- */

static void interrupt_on_zero_handles(struct object *object)
{
    struct interrupt *interrupt = container_of(object, struct interrupt, object);

    interrupt_destroy(interrupt);
    if (interrupt->port)
        leave_port(interrupt);
}

static void interrupt_object_destroy(struct object *object)
{
    interrupt_on_zero_handles(object); /* one that never had a handle */
    heap_free(container_of(object, struct interrupt, object));
}

const struct object_ops interrupt_ops = {
    .type = ZX_OBJ_TYPE_INTERRUPT,
    .name = "interrupt",
    .default_rights = ZX_DEFAULT_INTERRUPT_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .on_zero_handles = interrupt_on_zero_handles,
    .destroy = interrupt_object_destroy,
};
