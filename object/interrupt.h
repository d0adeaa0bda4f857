/*
 * interrupt.h - virtual interrupts: what a driver gets instead of a line of real hardware,
 * triggered by software. This machine has no others.
 *
 * An interrupt is delivered either to the one thread that waits for it or, once it is bound, to a
 * port as a packet. A trigger is remembered until it is delivered; what comes while one is being
 * handled counts as one more, with the time of the first.
 *
 *     IDLE -> (interrupt_wait) WAITING -> (trigger) NEEDACK -> (interrupt_wait again) WAITING
 *     IDLE -> (trigger) TRIGGERED -> (interrupt_wait) NEEDACK
 *     IDLE -> (trigger, bound) NEEDACK -> (interrupt_ack) IDLE
 *
 * DESTROYED comes from interrupt_destroy or with the last handle; a thread that waits gets
 * ZX_ERR_CANCELED. A bound interrupt references its port.
 */
#ifndef ZVMM_OBJECT_INTERRUPT_H
#define ZVMM_OBJECT_INTERRUPT_H

#include "object.h"
#include "port.h"

struct thread;

enum interrupt_state {
    INTERRUPT_IDLE,
    INTERRUPT_WAITING,
    INTERRUPT_TRIGGERED,
    INTERRUPT_NEEDACK,
    INTERRUPT_DESTROYED,
};

struct interrupt {
    struct object object;
    enum interrupt_state state;
    bool pending;          /* TRIGGERED, or NEEDACK and bound: another one is to be delivered ... */
    zx_time_t timestamp;   /* ... that came then */
    struct thread *waiter; /* WAITING */
    struct port *port;     /* while bound; referenced */
    struct port_packet packet;
};

extern const struct object_ops interrupt_ops;

/* One reference. ZX_ERR_NO_MEMORY. */
zx_status_t interrupt_create(struct interrupt **out);

/* Rules 47. `port` takes interrupts. */
zx_status_t interrupt_bind(struct interrupt *interrupt, struct port *port, uint64_t key);
zx_status_t interrupt_unbind(struct interrupt *interrupt, struct port *port);

/* Rules 50, 51. ZX_ERR_CANCELED (destroyed), ack also ZX_ERR_BAD_STATE (not bound). */
zx_status_t interrupt_ack(struct interrupt *interrupt);
zx_status_t interrupt_trigger(struct interrupt *interrupt, zx_time_t timestamp);

/* Rules 49. ZX_ERR_NOT_FOUND: its packet has been read and not acknowledged; it is destroyed too.
 */
zx_status_t interrupt_destroy(struct interrupt *interrupt);

/*
 * Takes an interrupt that has been triggered. ZX_ERR_SHOULD_WAIT: there is none and the thread may
 * wait; ZX_ERR_BAD_STATE (bound, or another thread waits), ZX_ERR_CANCELED (destroyed).
 */
zx_status_t interrupt_take(struct interrupt *interrupt, zx_time_t *timestamp);
/* Registers the calling thread as the waiter, in wait.u.interrupt; _stop_waiting undoes it. */
void interrupt_start_waiting(struct interrupt *interrupt, struct thread *thread);
void interrupt_stop_waiting(struct thread *thread);

#endif
