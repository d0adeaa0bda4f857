/*
 * port.h - ports: a queue of packets that any thread with the port can take.
 *
 * A packet that comes while a thread waits is copied into that thread's wait record and the wait
 * ends, in one step, so it cannot be lost to a deadline or a suspend. Otherwise it is queued. What
 * is queued is a struct port_packet:
 *   - user packets are made for the purpose and freed when they are taken;
 *   - a registration (zx_object_wait_async) is one heap block from the call until its packet is
 *     taken: first an observer of the object, then, once, a packet of the port;
 *   - interrupts, pagers and guests embed theirs and are told when it has been taken.
 *
 * Closing the port's last handle frees everything queued and every registration. A thread that
 * waits then goes on waiting (rules, 95). Closing the handle that a registration was made through
 * removes the registration; a packet it has queued already stays.
 */
#ifndef ZVMM_OBJECT_PORT_H
#define ZVMM_OBJECT_PORT_H

#include <zircon/port.h>

#include "object.h"

struct handle;
struct port;
struct thread;

struct port_packet {
    TAILQ_ENTRY(port_packet) link;
    struct port *port;     /* NULL while not queued */
    zx_port_packet_t data; /* as port_wait returns it */
    /* The packet has left the queue: taken by a reader, or dropped with the port. It may be queued
     * again or freed now. */
    void (*done)(struct port_packet *packet);
};

TAILQ_HEAD(port_packets, port_packet);
TAILQ_HEAD(port_waiters, thread);
LIST_HEAD(port_registrations, port_registration);

struct port {
    struct object object;
    uint32_t options;
    uint32_t num_user;                       /* user packets that are queued */
    bool closed;                             /* the last handle has gone: packets are refused */
    struct port_packets packets;             /* first in, first out */
    struct port_packets interrupts;          /* these go first */
    struct port_waiters waiters;             /* non-empty: both queues are empty */
    struct port_registrations registrations; /* those that have not fired */
};

extern const struct object_ops port_ops;

/* One reference; options: ZX_PORT_BIND_TO_INTERRUPT. ZX_ERR_NO_MEMORY. */
zx_status_t port_create(uint32_t options, struct port **out);

/* ---- Sources ------------------------------------------------------------------------------- */

/* Queues a copy of a user packet. ZX_ERR_SHOULD_WAIT: too many are queued. ZX_ERR_NO_MEMORY. */
zx_status_t port_queue_user(struct port *port, const zx_port_packet_t *data);

/*
 * Queues a packet that its owner embeds; `data` and `done` are set. Precondition: not queued. If a
 * thread waits, `done` runs before the function returns. ZX_ERR_BAD_STATE: the port is closed, the
 * packet is not queued and `done` does not run.
 */
zx_status_t port_queue(struct port *port, struct port_packet *packet);
/* Takes it back without calling `done`. False: it was not queued. */
bool port_unqueue(struct port_packet *packet);

/*
 * Makes `port` get one packet when `object` has one of `signals`, at once if it has already; the
 * registration is identified by `handle` and `key`. options: ZX_WAIT_ASYNC_TIMESTAMP.
 * ZX_ERR_NO_MEMORY.
 */
zx_status_t port_wait_async(struct port *port, struct object *object, struct handle *handle,
                            uint64_t key, zx_signals_t signals, uint32_t options);
/* Removes registrations made through `handle` with `key`, and their packets. ZX_ERR_NOT_FOUND. */
zx_status_t port_cancel(struct port *port, struct object *object, struct handle *handle,
                        uint64_t key);

/* ---- Readers ------------------------------------------------------------------------------- */

/* Takes the next packet. False: there is none. */
bool port_take(struct port *port, zx_port_packet_t *out);
/* Registers the calling thread as a waiter, in wait.u.port; port_stop_waiting undoes it. */
void port_start_waiting(struct port *port, struct thread *thread);
void port_stop_waiting(struct thread *thread);

#endif
