/*
 * profile.h - profiles: how threads are scheduled, as an object that can be handed out.
 */
#ifndef ZVMM_OBJECT_PROFILE_H
#define ZVMM_OBJECT_PROFILE_H

#include <zircon/profile.h>

#include "object.h"

struct thread;

struct profile {
    struct object object;
    zx_profile_info_t info;
};

extern const struct object_ops profile_ops;

/* One reference. ZX_ERR_INVALID_ARGS: not a legal combination (rules, section 6, 102);
 * ZX_ERR_NO_MEMORY. */
zx_status_t profile_create(const zx_profile_info_t *info, struct profile **out);

/* Schedules a thread so, from now on. ZX_ERR_BAD_STATE: it is dying or dead; ZX_ERR_NO_MEMORY:
 * nothing has changed. */
zx_status_t profile_apply(const struct profile *profile, struct thread *thread);

#endif
