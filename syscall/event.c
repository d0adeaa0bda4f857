/*
 * event.c - zx_event_create, zx_eventpair_create, zx_system_get_event: rules sections 4 and 10.
 */
#include "event.h"

#include <zircon/policy.h>
#include <zircon/system.h>

#include "eventpair.h"
#include "executor.h"
#include "job.h"
#include "pressure.h"
#include "syscalls.h"

int64_t sys_event_create(struct thread *self, uint32_t options, struct user_ptr out)
{
    struct event *event;
    zx_status_t status;

    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    status = job_policy_check(self->process, ZX_POL_NEW_EVENT);
    if (status == ZX_OK)
        status = event_create(&event);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &event->object, ZX_DEFAULT_EVENT_RIGHTS, out);
}

int64_t sys_eventpair_create(struct thread *self, uint32_t options, struct user_ptr out0,
                             struct user_ptr out1)
{
    struct eventpair *a, *b;
    zx_status_t status;

    if (options != 0)
        return ZX_ERR_NOT_SUPPORTED;
    status = job_policy_check(self->process, ZX_POL_NEW_EVENTPAIR);
    if (status == ZX_OK)
        status = eventpair_create(&a, &b);
    if (status != ZX_OK)
        return status;
    return handle_return_pair(self->process, &a->object, ZX_DEFAULT_EVENTPAIR_RIGHTS, out0,
                              &b->object, ZX_DEFAULT_EVENTPAIR_RIGHTS, out1);
}

int64_t sys_system_get_event(struct thread *self, zx_handle_t root_job, uint32_t kind,
                             struct user_ptr out)
{
    struct job *job;
    struct event *event;
    zx_rights_t rights =
        kind == ZX_SYSTEM_EVENT_OUT_OF_MEMORY ? ZX_RIGHT_MANAGE_PROCESS : ZX_RIGHT_NONE;
    zx_status_t status = handle_get(self->process, root_job, ZX_OBJ_TYPE_JOB, rights, &job);

    if (status == ZX_OK && job != kernel()->root_job)
        status = ZX_ERR_ACCESS_DENIED;
    if (status == ZX_OK)
        status = pressure_event(kind, &event);
    if (status != ZX_OK)
        return status;
    object_ref(&event->object); /* handle_return drops it; the kernel keeps its own */
    return handle_return(self->process, &event->object, ZX_DEFAULT_SYSTEM_EVENT_LOW_MEMORY_RIGHTS,
                         out);
}
