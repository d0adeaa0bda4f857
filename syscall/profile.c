/*
 * profile.c - zx_profile_create and zx_object_set_profile: rules section 6, 102, section 2, 74.
 */
#include "profile.h"

#include "executor.h"
#include "job.h"
#include "syscalls.h"

int64_t sys_profile_create(struct thread *self, zx_handle_t root_job, uint32_t options,
                           struct user_ptr user_info, struct user_ptr out)
{
    zx_profile_info_t info;
    struct job *job;
    struct profile *profile;
    zx_status_t status = job_policy_check(self->process, ZX_POL_NEW_PROFILE);

    if (status != ZX_OK)
        return status;
    if (options)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, root_job, ZX_OBJ_TYPE_JOB, ZX_RIGHT_MANAGE_PROCESS, &job);
    if (status != ZX_OK)
        return status;
    if (job != kernel()->root_job)
        return ZX_ERR_ACCESS_DENIED;
    status = user_read(self->process, &info, user_info, sizeof info);
    if (status == ZX_OK)
        status = profile_create(&info, &profile);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &profile->object, ZX_DEFAULT_PROFILE_RIGHTS, out);
}

int64_t sys_object_set_profile(struct thread *self, zx_handle_t handle, zx_handle_t profile_handle,
                               uint32_t options)
{
    struct thread *thread;
    struct profile *profile;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_THREAD, ZX_RIGHT_MANAGE_THREAD, &thread);

    (void)options; /* not looked at in 2020 */
    if (status == ZX_OK)
        status = handle_get(self->process, profile_handle, ZX_OBJ_TYPE_PROFILE,
                            ZX_RIGHT_APPLY_PROFILE, &profile);
    return status == ZX_OK ? profile_apply(profile, thread) : status;
}
