/*
 * object.h - what every kernel object is: a reference count, a koid, signals and their observers.
 *
 * Lifetime. Two counts keep an object apart: `handles` counts the handles user code holds (in a
 * table or in a message on its way), `refs` counts every pointer that must stay valid, each handle
 * included. When `handles` falls to 0, ops->on_zero_handles runs once: the object lets go of what
 * it did for user code (a channel end tells its peer, a process without threads dies). When `refs`
 * falls to 0, ops->destroy runs and frees it. Both run from a work list that the outermost release
 * drains, so closing the head of a long chain of objects does not recurse.
 *
 * Borrowing. A syscall runs to its end under the kernel lock, so a pointer got from handle_get stays
 * valid without a reference until the same syscall removes a handle or parks the thread.
 *
 * Peers. The two ends of a channel, socket, FIFO or eventpair point at each other without holding a
 * reference; the end that goes away first clears the other's pointer.
 *
 * Lock: everything here is guarded by the kernel lock.
 */
#ifndef ZVMM_OBJECT_OBJECT_H
#define ZVMM_OBJECT_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include <zircon/object.h>
#include <zircon/rights.h>
#include <zircon/types.h>

#include "list.h"

struct object;
struct handle;
struct observer;

/* One table an object type; every object/<name>.c ends in it. Members left out mean "none". */
struct object_ops {
    zx_obj_type_t type;
    const char *name;            /* "channel" */
    zx_rights_t default_rights;
    zx_signals_t user_signals;   /* what zx_object_signal may change; 0: not allowed at all */
    bool not_waitable;           /* zx_object_wait_* answer NOT_SUPPORTED */
    void (*on_zero_handles)(struct object *object);
    void (*destroy)(struct object *object); /* frees the memory; refs is 0 */
    /* The other end, borrowed, or NULL when it is gone. Absent: the type has no peers. */
    struct object *(*peer)(struct object *object);
    zx_koid_t (*related_koid)(const struct object *object);
    /* ZX_MAX_NAME_LEN bytes that zx_object_set_property(NAME) may change. Absent: no name. */
    char *(*name_of)(struct object *object);
    /* The type's own topic of zx_object_get_info: one record of info_size (at most 128) bytes. */
    uint32_t info_topic; /* ZX_INFO_*; 0: none */
    uint32_t info_size;
    void (*get_info)(struct object *object, void *record);
    /* The type's own properties (those that are neither NAME nor a process's or thread's); values
     * of 4 bytes are widened. ZX_ERR_WRONG_TYPE if the property is not this type's. */
    zx_status_t (*get_property)(struct object *object, uint32_t property, uint64_t *value);
    zx_status_t (*set_property)(struct object *object, uint32_t property, uint64_t value);
};

TAILQ_HEAD(observer_list, observer);

struct object {
    const struct object_ops *ops;
    uint32_t refs;
    uint32_t handles;
    zx_signals_t signals;
    uint8_t reap; /* OBJECT_REAP_*: what the work list shall do */
    zx_koid_t koid;
    struct observer_list observers;
    STAILQ_ENTRY(object) reap_link;
};

/* Makes `object` a fresh object with one reference, owned by the caller, and a new koid. */
void object_init(struct object *object, const struct object_ops *ops, zx_signals_t signals);

void object_ref(struct object *object);
void object_release(struct object *object);

/* Between the two calls objects are released but nothing is destroyed and no on_zero_handles runs:
 * for code that walks a list while it closes things. Calls nest. */
void object_hold_releases(void);
void object_run_releases(void);

/* A handle comes or goes. add: the handle brings a reference of its own. remove: drops it. */
void object_handle_added(struct object *object);
void object_handle_removed(struct object *object);

/* The address of an object's first member is the address of its struct. */
#define OBJECT(pointer) (&(pointer)->object)

/* ---- Signals ------------------------------------------------------------------------------- */

/* Clears, then sets, and tells the observers whose trigger meets the new state. */
void object_update_signals(struct object *object, zx_signals_t clear, zx_signals_t set);

enum observer_reason {
    OBSERVER_SIGNALED, /* (signals & trigger) != 0 */
    OBSERVER_CANCELED, /* the handle it was made through went away */
};

/*
 * One interest in an object's signals. Embedded in its owner (a thread's wait, a port's
 * registration). While registered it holds a reference to the object. It fires once: it is taken
 * out of the list, and its reference dropped, before `fire` runs.
 */
struct observer {
    TAILQ_ENTRY(observer) link;
    struct object *object; /* NULL while not registered */
    struct handle *handle; /* identity only; the handle's `observers` counts it */
    zx_signals_t trigger;
    void (*fire)(struct observer *observer, enum observer_reason reason, zx_signals_t signals);
};

/* Precondition: not registered. Does not look at the present state: the caller does, first. */
void observer_add(struct observer *observer, struct object *object, struct handle *handle,
                  zx_signals_t trigger);
/* Allowed when not registered. */
void observer_remove(struct observer *observer);
/* Fires every observer made through `handle` with OBSERVER_CANCELED. */
void observer_cancel_handle(struct object *object, struct handle *handle);

#endif
