/*
 * eventpair.h - event pairs: two events that know of each other's end.
 */
#ifndef ZVMM_OBJECT_EVENTPAIR_H
#define ZVMM_OBJECT_EVENTPAIR_H

#include "object.h"

struct eventpair {
    struct object object;
    struct eventpair *peer; /* not referenced; NULL once it has gone */
    zx_koid_t peer_koid;
};

extern const struct object_ops eventpair_ops;

/* Two ends with one reference each. ZX_ERR_NO_MEMORY. */
zx_status_t eventpair_create(struct eventpair **out0, struct eventpair **out1);

#endif
