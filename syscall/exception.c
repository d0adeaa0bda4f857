/*
 * exception.c - exception channels and exceptions: rules section 6, 27, 28, 132.
 */
#include "exception.h"

#include "channel.h"
#include "executor.h"
#include "job.h"
#include "syscalls.h"

#define TASK_RIGHTS                                                                                \
    (ZX_RIGHT_INSPECT | ZX_RIGHT_DUPLICATE | ZX_RIGHT_TRANSFER | ZX_RIGHT_MANAGE_THREAD)
#define CHANNEL_RIGHTS (ZX_RIGHT_TRANSFER | ZX_RIGHT_WAIT | ZX_RIGHT_READ)

/* The place where the task keeps such a channel. `rights`: of the handle to the task. */
static zx_status_t find_binding(struct object *task, zx_rights_t rights, bool debugger,
                                struct exception_channel **out)
{
    if (task->ops == &thread_ops) {
        struct thread *thread = container_of(task, struct thread, object);

        *out = &thread->exception_channel;
        if (debugger)
            return ZX_ERR_INVALID_ARGS;
        return thread->state == THREAD_DEAD ? ZX_ERR_BAD_STATE : ZX_OK;
    }
    if (task->ops != &process_ops && task->ops != &job_ops)
        return ZX_ERR_WRONG_TYPE;
    if (!(rights & ZX_RIGHT_ENUMERATE))
        return ZX_ERR_ACCESS_DENIED;
    if (task->ops == &process_ops) {
        struct process *process = container_of(task, struct process, object);

        *out = debugger ? &process->debugger_channel : &process->exception_channel;
        return process->state == PROCESS_DEAD ? ZX_ERR_BAD_STATE : ZX_OK;
    }
    struct job *job = container_of(task, struct job, object);

    *out = debugger ? &job->debugger_channel : &job->exception_channel;
    return job->state == JOB_DEAD ? ZX_ERR_BAD_STATE : ZX_OK;
}

int64_t sys_task_create_exception_channel(struct thread *self, zx_handle_t handle, uint32_t options,
                                          struct user_ptr out)
{
    struct object *task;
    struct exception_channel *binding;
    struct channel *channel;
    zx_rights_t rights;
    zx_status_t status;

    if (options & ~ZX_EXCEPTION_CHANNEL_DEBUGGER)
        return ZX_ERR_INVALID_ARGS;
    status = job_policy_check(self->process, ZX_POL_NEW_CHANNEL);
    if (status == ZX_OK)
        status =
            handle_get_rights(self->process, handle, ZX_OBJ_TYPE_NONE, TASK_RIGHTS, &task, &rights);
    if (status == ZX_OK)
        status = find_binding(task, rights, options & ZX_EXCEPTION_CHANNEL_DEBUGGER, &binding);
    if (status == ZX_OK)
        status = exception_channel_bind(binding, rights, task->ops == &thread_ops ? 0 : rights,
                                        &channel);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &channel->object, CHANNEL_RIGHTS, out);
}

static int64_t return_task(struct thread *self, struct object *task, zx_rights_t rights,
                           struct user_ptr out)
{
    if (!rights)
        return ZX_ERR_ACCESS_DENIED;
    object_ref(task);
    return handle_return(self->process, task, rights, out);
}

int64_t sys_exception_get_thread(struct thread *self, zx_handle_t handle, struct user_ptr out)
{
    struct exception *exception;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_EXCEPTION, 0, &exception);

    if (status != ZX_OK)
        return status;
    return return_task(self, &exception->thread->object, exception->thread_rights, out);
}

int64_t sys_exception_get_process(struct thread *self, zx_handle_t handle, struct user_ptr out)
{
    struct exception *exception;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_EXCEPTION, 0, &exception);

    if (status != ZX_OK)
        return status;
    return return_task(self, &exception->thread->process->object, exception->process_rights, out);
}
