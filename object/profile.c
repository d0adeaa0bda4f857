/*
 * profile.c - profiles.
 */
#include "profile.h"

#include <zircon/errors.h>

#include "deadline.h"
#include "executor.h"
#include "heap.h"
#include "thread.h"

#define BY_PRIORITY ZX_PROFILE_INFO_FLAG_PRIORITY
#define BY_DEADLINE ZX_PROFILE_INFO_FLAG_DEADLINE
#define CPU_MASK    ZX_PROFILE_INFO_FLAG_CPU_MASK
#define CPUS        0xffffffffu /* of the first word of a mask */

static bool is_valid(const zx_profile_info_t *info)
{
    const zx_sched_deadline_params_t *params = &info->deadline_params;

    if (info->flags == 0 || info->flags & ~(BY_PRIORITY | BY_DEADLINE | CPU_MASK))
        return false;
    if (info->flags & BY_PRIORITY && info->flags & BY_DEADLINE)
        return false;
    if (info->flags & BY_PRIORITY)
        return info->priority >= 0 && info->priority < PRIORITIES;
    if (info->flags & BY_DEADLINE)
        return params->capacity > 0 && params->capacity <= params->relative_deadline &&
               params->relative_deadline <= params->period;
    return true;
}

zx_status_t profile_create(const zx_profile_info_t *info, struct profile **out)
{
    struct profile *profile;

    if (!is_valid(info))
        return ZX_ERR_INVALID_ARGS;
    profile = heap_alloc(sizeof *profile);
    if (!profile)
        return ZX_ERR_NO_MEMORY;
    object_init(&profile->object, &profile_ops, 0);
    profile->info = *info;
    *out = profile;
    return ZX_OK;
}

zx_status_t profile_apply(const struct profile *profile, struct thread *thread)
{
    const zx_profile_info_t *info = &profile->info;
    struct deadline *deadline;

    if (thread_is_dying(thread))
        return ZX_ERR_BAD_STATE;
    if (info->flags & BY_PRIORITY) {
        executor_set_scheduling(thread, (uint8_t)info->priority, NULL);
    } else if (info->flags & BY_DEADLINE) {
        deadline = deadline_create(&info->deadline_params);
        if (!deadline)
            return ZX_ERR_NO_MEMORY;
        executor_set_scheduling(thread, thread->priority, deadline);
    }
    if (info->flags & CPU_MASK)
        thread->affinity = info->cpu_affinity_mask.mask[0] & CPUS;
    return ZX_OK;
}

static void profile_destroy(struct object *object)
{
    heap_free(container_of(object, struct profile, object));
}

const struct object_ops profile_ops = {
    .type = ZX_OBJ_TYPE_PROFILE,
    .name = "profile",
    .default_rights = ZX_DEFAULT_PROFILE_RIGHTS,
    .not_waitable = true,
    .destroy = profile_destroy,
};
