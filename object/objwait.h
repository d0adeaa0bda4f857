/*
 * objwait.h - blocking until objects have signals: the records of object_wait_one and _many.
 */
#ifndef ZVMM_OBJECT_OBJWAIT_H
#define ZVMM_OBJECT_OBJWAIT_H

#include "thread.h"

struct handle;

/*
 * Parks the calling thread until `object`, known to it through `handle`, has one of `signals`, and
 * then writes what it had to `out` (may be NULL). Precondition: it has none of them now.
 */
void objwait_one(struct thread *thread, struct object *object, struct handle *handle,
                 zx_signals_t signals, zx_time_t deadline, struct user_ptr out);

/* The records of a wait on `count` objects, which is at least 1. NULL: out of memory. */
struct wait_item *objwait_alloc(struct thread *thread, size_t count);
/* Registers one of them. */
void objwait_add(struct wait_item *item, struct object *object, struct handle *handle,
                 zx_signals_t signals);
/*
 * Parks the calling thread until one of the items, all of them registered, has its signals, and
 * then writes the `pending` members of the array `out`. Takes over `items`. Without items it waits
 * for the deadline.
 */
void objwait_many(struct thread *thread, struct wait_item *items, size_t count, zx_time_t deadline,
                  struct user_ptr out);

#endif
