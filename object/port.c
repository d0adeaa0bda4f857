/*
 * port.c - ports.
 */
#include "port.h"

#include <hal.h>
#include <zircon/errors.h>
#include <zircon/limits.h>

#include "channel.h"
#include "handle.h"
#include "heap.h"
#include "thread.h"

/* See port.h. */
struct port_registration {
    struct port_packet packet;
    struct observer observer;
    LIST_ENTRY(port_registration) link; /* while the observer is registered */
    struct port *port;                  /* not referenced: the port removes what it still has */
    struct handle *handle;              /* the slot, and which of its uses */
    uint16_t generation;
    bool timestamp;
};

zx_status_t port_create(uint32_t options, struct port **out)
{
    struct port *port = heap_zalloc(sizeof *port);

    if (!port)
        return ZX_ERR_NO_MEMORY;
    object_init(&port->object, &port_ops, 0);
    port->options = options;
    TAILQ_INIT(&port->packets);
    TAILQ_INIT(&port->interrupts);
    TAILQ_INIT(&port->waiters);
    LIST_INIT(&port->registrations);
    *out = port;
    return ZX_OK;
}

/* ---- The queue ----------------------------------------------------------------------------- */

static struct port_packets *queue_of(struct port *port, const struct port_packet *packet)
{
    return packet->data.type == ZX_PKT_TYPE_INTERRUPT ? &port->interrupts : &port->packets;
}

static void insert(struct port *port, struct port_packet *packet)
{
    packet->port = port;
    TAILQ_INSERT_TAIL(queue_of(port, packet), packet, link);
}

/* Hands the packet to the thread that has waited longest. False: none waits. */
static bool grant(struct port *port, const zx_port_packet_t *data)
{
    struct thread *thread = TAILQ_FIRST(&port->waiters);

    if (!thread)
        return false;
    thread->wait.u.port.packet = *data;
    wait_end(thread, ZX_OK);
    return true;
}

zx_status_t port_queue(struct port *port, struct port_packet *packet)
{
    if (port->closed)
        return ZX_ERR_BAD_STATE;
    if (grant(port, &packet->data))
        packet->done(packet);
    else
        insert(port, packet);
    return ZX_OK;
}

bool port_unqueue(struct port_packet *packet)
{
    if (!packet->port)
        return false;
    TAILQ_REMOVE(queue_of(packet->port, packet), packet, link);
    packet->port = NULL;
    return true;
}

static void free_user_packet(struct port_packet *packet)
{
    heap_free(packet);
}

zx_status_t port_queue_user(struct port *port, const zx_port_packet_t *data)
{
    struct port_packet *packet;

    if (grant(port, data))
        return ZX_OK;
    if (port->num_user >= ZX_PORT_PACKET_LIMIT)
        return ZX_ERR_SHOULD_WAIT;
    packet = heap_alloc(sizeof *packet);
    if (!packet)
        return ZX_ERR_NO_MEMORY;
    packet->data = *data;
    packet->done = free_user_packet;
    insert(port, packet);
    port->num_user++;
    return ZX_OK;
}

bool port_take(struct port *port, zx_port_packet_t *out)
{
    struct port_packet *packet = TAILQ_FIRST(&port->interrupts);

    if (!packet)
        packet = TAILQ_FIRST(&port->packets);
    if (!packet)
        return false;
    port_unqueue(packet);
    *out = packet->data;
    if (packet->data.type == ZX_PKT_TYPE_USER)
        port->num_user--;
    packet->done(packet);
    return true;
}

void port_start_waiting(struct port *port, struct thread *thread)
{
    object_ref(&port->object);
    thread->wait.u.port.port = port;
    TAILQ_INSERT_TAIL(&port->waiters, thread, wait.u.port.link);
}

void port_stop_waiting(struct thread *thread)
{
    struct port *port = thread->wait.u.port.port;

    TAILQ_REMOVE(&port->waiters, thread, wait.u.port.link);
    thread->wait.u.port.port = NULL;
    object_release(&port->object);
}

/* ---- Registrations ------------------------------------------------------------------------- */

static void free_registration(struct port_packet *packet)
{
    heap_free(container_of(packet, struct port_registration, packet));
}

/* The registration becomes a packet. `count` is what the packet says of messages waiting. */
static void fire(struct port_registration *registration, zx_signals_t observed, uint64_t count)
{
    zx_packet_signal_t *signal = &registration->packet.data.signal;

    signal->observed = observed;
    signal->count = count;
    if (registration->timestamp)
        signal->timestamp = (uint64_t)hal_now();
    if (port_queue(registration->port, &registration->packet) != ZX_OK)
        heap_free(registration);
}

static void registration_fire(struct observer *observer, enum observer_reason reason,
                              zx_signals_t signals)
{
    struct port_registration *registration =
        container_of(observer, struct port_registration, observer);

    LIST_REMOVE(registration, link);
    if (reason == OBSERVER_SIGNALED)
        fire(registration, signals, 1);
    else
        heap_free(registration);
}

/* What a packet's `count` says when the signals are there already. */
static uint64_t count_of(struct object *object, zx_signals_t signals)
{
    if (object->ops == &channel_ops && (object->signals & signals & ZX_CHANNEL_READABLE))
        return container_of(object, struct channel, object)->num_messages;
    return 1;
}

zx_status_t port_wait_async(struct port *port, struct object *object, struct handle *handle,
                            uint64_t key, zx_signals_t signals, uint32_t options)
{
    struct port_registration *registration = heap_alloc(sizeof *registration);

    if (!registration)
        return ZX_ERR_NO_MEMORY;
    registration->packet.port = NULL;
    registration->packet.done = free_registration;
    registration->packet.data = (zx_port_packet_t){
        .key = key,
        .type = ZX_PKT_TYPE_SIGNAL_ONE,
        .signal.trigger = signals,
    };
    registration->port = port;
    registration->handle = handle;
    registration->generation = handle->generation;
    registration->timestamp = options & ZX_WAIT_ASYNC_TIMESTAMP;
    if (object->signals & signals) {
        fire(registration, object->signals, count_of(object, signals));
        return ZX_OK;
    }
    registration->observer.fire = registration_fire;
    observer_add(&registration->observer, object, handle, signals);
    LIST_INSERT_HEAD(&port->registrations, registration, link);
    return ZX_OK;
}

static bool made_with(const struct port_registration *registration, const struct handle *handle,
                      uint64_t key)
{
    return registration->handle == handle && registration->generation == handle->generation &&
           registration->packet.data.key == key;
}

zx_status_t port_cancel(struct port *port, struct object *object, struct handle *handle,
                        uint64_t key)
{
    struct observer *observer, *next_observer;
    struct port_packet *packet, *next_packet;
    struct port_registration *registration;
    bool found = false;

    TAILQ_FOREACH_SAFE (observer, &object->observers, link, next_observer) {
        if (observer->fire != registration_fire)
            continue;
        registration = container_of(observer, struct port_registration, observer);
        if (registration->port != port || !made_with(registration, handle, key))
            continue;
        observer_remove(observer);
        LIST_REMOVE(registration, link);
        heap_free(registration);
        found = true;
    }
    TAILQ_FOREACH_SAFE (packet, &port->packets, link, next_packet) {
        if (packet->done != free_registration)
            continue;
        registration = container_of(packet, struct port_registration, packet);
        if (!made_with(registration, handle, key))
            continue;
        port_unqueue(packet);
        heap_free(registration);
        found = true;
    }
    return found ? ZX_OK : ZX_ERR_NOT_FOUND;
}

/* ---- Object -------------------------------------------------------------------------------- */

static void drop_packets(struct port_packets *packets)
{
    struct port_packet *packet;

    while ((packet = TAILQ_FIRST(packets))) {
        port_unqueue(packet);
        packet->done(packet);
    }
}

static void port_on_zero_handles(struct object *object)
{
    struct port *port = container_of(object, struct port, object);
    struct port_registration *registration;

    port->closed = true;
    while ((registration = LIST_FIRST(&port->registrations))) {
        observer_remove(&registration->observer);
        LIST_REMOVE(registration, link);
        heap_free(registration);
    }
    drop_packets(&port->packets);
    drop_packets(&port->interrupts);
    port->num_user = 0;
}

static void port_destroy(struct object *object)
{
    port_on_zero_handles(object);
    heap_free(container_of(object, struct port, object));
}

const struct object_ops port_ops = {
    .type = ZX_OBJ_TYPE_PORT,
    .name = "port",
    .default_rights = ZX_DEFAULT_PORT_RIGHTS,
    .user_signals = 0,
    .not_waitable = true,
    .on_zero_handles = port_on_zero_handles,
    .destroy = port_destroy,
};
