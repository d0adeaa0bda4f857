/*
 * task-control.c - stopping threads and looking at their registers: rules section 6, 130, 131, 137,
 * 138.
 */
#include "suspend_token.h"
#include "syscalls.h"
#include "thread_state.h"

int64_t sys_task_suspend_token(struct thread *self, zx_handle_t handle, struct user_ptr out)
{
    struct object *task;
    struct suspend_token *token;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_WRITE, &task);

    if (status != ZX_OK)
        return status;
    if (task->ops != &thread_ops && task->ops != &process_ops)
        return ZX_ERR_WRONG_TYPE;
    if (task == &self->object || task == &self->process->object)
        return ZX_ERR_NOT_SUPPORTED;
    status = suspend_token_create(task, &token);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &token->object, ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS, out);
}

int64_t sys_task_suspend(struct thread *self, zx_handle_t handle, struct user_ptr out)
{
    return sys_task_suspend_token(self, handle, out);
}

/* What both calls check, in the rules' order. */
static zx_status_t get_stopped(struct thread *self, zx_handle_t handle, uint32_t kind, size_t size,
                               zx_rights_t rights, struct thread **out)
{
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_THREAD, rights, out);

    if (status != ZX_OK)
        return status;
    if (thread_state_size(kind) == 0)
        return ZX_ERR_INVALID_ARGS;
    if (size < thread_state_size(kind))
        return ZX_ERR_BUFFER_TOO_SMALL;
    return thread_is_stopped(*out) ? ZX_OK : ZX_ERR_BAD_STATE;
}

int64_t sys_thread_read_state(struct thread *self, zx_handle_t handle, uint32_t kind,
                              struct user_ptr buffer, size_t buffer_size)
{
    union thread_registers state;
    struct thread *thread;
    zx_status_t status = get_stopped(self, handle, kind, buffer_size, ZX_RIGHT_READ, &thread);

    if (status == ZX_OK)
        status = thread_state_read(thread, kind, &state);
    if (status != ZX_OK)
        return status;
    return user_write(self->process, buffer, &state, thread_state_size(kind));
}

int64_t sys_thread_write_state(struct thread *self, zx_handle_t handle, uint32_t kind,
                               struct user_ptr buffer, size_t buffer_size)
{
    union thread_registers state;
    struct thread *thread;
    zx_status_t status = get_stopped(self, handle, kind, buffer_size, ZX_RIGHT_WRITE, &thread);

    if (status == ZX_OK)
        status = user_read(self->process, &state, buffer, thread_state_size(kind));
    return status == ZX_OK ? thread_state_write(thread, kind, &state) : status;
}
