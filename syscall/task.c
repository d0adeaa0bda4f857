/*
 * task.c - jobs, processes and threads (rules, section 6).
 */
#include <zircon/errors.h>
#include <zircon/object.h>
#include <zircon/policy.h>

#include "aspace.h"
#include "executor.h"
#include "job.h"
#include "syscalls.h"
#include "vmar.h"
#include "vmo.h"

/* Calls that made do with WRITE before MANAGE_* existed accept either right. */
static zx_status_t get_with_either(struct process *process, zx_handle_t handle, zx_obj_type_t type,
                                   zx_rights_t one, zx_rights_t other, void *out)
{
    zx_rights_t have;
    zx_status_t status = handle_get_rights(process, handle, type, 0, out, &have);

    if (status != ZX_OK)
        return status;
    return have & (one | other) ? ZX_OK : ZX_ERR_ACCESS_DENIED;
}

/* ---- Jobs ---------------------------------------------------------------------------------- */

int64_t sys_job_create(struct thread *self, zx_handle_t parent_job, uint32_t options,
                       struct user_ptr out)
{
    struct job *parent, *job;
    zx_status_t status;

    if (options)
        return ZX_ERR_INVALID_ARGS;
    status = get_with_either(self->process, parent_job, ZX_OBJ_TYPE_JOB, ZX_RIGHT_MANAGE_JOB,
                             ZX_RIGHT_WRITE, &parent);
    if (status == ZX_OK)
        status = job_create(parent, &job);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &job->object, ZX_DEFAULT_JOB_RIGHTS, out);
}

static bool is_ancestor(const struct job *ancestor, const struct job *job)
{
    while (job && job != ancestor)
        job = job->parent;
    return job != NULL;
}

int64_t sys_job_set_critical(struct thread *self, zx_handle_t job_handle, uint32_t options,
                             zx_handle_t process_handle)
{
    struct job *job;
    struct process *process;
    zx_status_t status;

    if (options & ~ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, job_handle, ZX_OBJ_TYPE_JOB, ZX_RIGHT_DESTROY, &job);
    if (status == ZX_OK)
        status = handle_get(self->process, process_handle, ZX_OBJ_TYPE_PROCESS, ZX_RIGHT_WAIT,
                            &process);
    if (status != ZX_OK)
        return status;
    if (process->critical_to)
        return ZX_ERR_ALREADY_BOUND;
    if (!is_ancestor(job, process->job))
        return ZX_ERR_INVALID_ARGS;
    process->critical_to = job;
    process->critical_nonzero = options & ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO;
    return ZX_OK;
}

/* ---- Processes ----------------------------------------------------------------------------- */

int64_t sys_process_create(struct thread *self, zx_handle_t job_handle, struct user_ptr user_name,
                           size_t name_size, uint32_t options, struct user_ptr proc_handle,
                           struct user_ptr vmar_handle)
{
    char name[ZX_MAX_NAME_LEN];
    struct job *job;
    struct process *process;
    struct vmar *root;
    zx_status_t status;

    if (options)
        return ZX_ERR_INVALID_ARGS;
    status = job_policy_check(self->process, ZX_POL_NEW_PROCESS);
    if (status == ZX_OK)
        status = user_read_name(self->process, name, user_name, name_size);
    if (status == ZX_OK)
        status = get_with_either(self->process, job_handle, ZX_OBJ_TYPE_JOB,
                                 ZX_RIGHT_MANAGE_PROCESS, ZX_RIGHT_WRITE, &job);
    if (status == ZX_OK)
        status = process_create(job, name, &process);
    if (status != ZX_OK)
        return status;
    root = process->aspace->root;
    object_ref(&root->object);
    return handle_return_pair(self->process, &process->object, ZX_DEFAULT_PROCESS_RIGHTS,
                              proc_handle, &root->object,
                              ZX_DEFAULT_VMAR_RIGHTS | ZX_RIGHT_READ | ZX_RIGHT_WRITE |
                                  ZX_RIGHT_EXECUTE,
                              vmar_handle);
}

/* A program counter is 0 or a user address (rules, 136). */
static bool is_user_pc(zx_vaddr_t pc)
{
    return pc == 0 || (pc >= HAL_USER_BASE && pc < HAL_USER_TOP);
}

int64_t sys_process_start(struct thread *self, zx_handle_t handle, zx_handle_t thread_handle,
                          zx_vaddr_t entry, zx_vaddr_t stack, zx_handle_t arg1, uintptr_t arg2)
{
    struct process *process;
    struct thread *thread;
    struct handle_ref arg = {NULL, 0};
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_PROCESS, ZX_RIGHT_WRITE, &process);

    if (status == ZX_OK)
        status = handle_get(self->process, thread_handle, ZX_OBJ_TYPE_THREAD, ZX_RIGHT_WRITE,
                            &thread);
    /* The argument is consumed in every case; a value that names nothing counts as none. */
    if (handle_find(self->process, arg1)) {
        object_hold_releases();
        handle_remove(self->process, arg1, &arg);
        if (status == ZX_OK && thread->process != process)
            status = ZX_ERR_ACCESS_DENIED;
        if (status == ZX_OK && !(arg.rights & ZX_RIGHT_TRANSFER))
            status = ZX_ERR_ACCESS_DENIED;
        if (status == ZX_OK && !is_user_pc(entry))
            status = ZX_ERR_INVALID_ARGS;
        if (status == ZX_OK)
            status = process_start(process, thread, entry, stack, arg, arg2);
        else
            handle_ref_close(arg);
        object_run_releases();
        return status;
    }
    if (status != ZX_OK)
        return status;
    if (thread->process != process)
        return ZX_ERR_ACCESS_DENIED;
    if (!is_user_pc(entry))
        return ZX_ERR_INVALID_ARGS;
    return process_start(process, thread, entry, stack, arg, arg2);
}

int64_t sys_process_exit(struct thread *self, int64_t retcode)
{
    process_kill(self->process, retcode);
    return ZX_OK;
}

/*
 * Copies between the caller's buffer and the VMO that is mapped at `address`, whatever the mapping
 * allows: a debugger writes breakpoints into code. At most to the end of that one mapping.
 */
static int64_t access_memory(struct thread *self, struct process *process, zx_vaddr_t address,
                             struct user_ptr buffer, size_t size, struct user_ptr actual, bool into)
{
    const struct mapping *mapping = aspace_find_mapping(process->aspace, address);
    uint64_t offset;
    zx_status_t status;

    if (!mapping)
        return ZX_ERR_NO_MEMORY;
    offset = address - mapping->region.base;
    if (size > mapping->region.size - offset)
        size = mapping->region.size - offset;
    offset += mapping->offset;
    status = into ? vmo_write_user(mapping->pages, self->process, buffer, offset, size)
                  : vmo_read_user(mapping->pages, self->process, buffer, offset, size);
    return status == ZX_OK ? user_write_value(self->process, actual, size) : status;
}

int64_t sys_process_read_memory(struct thread *self, zx_handle_t handle, zx_vaddr_t vaddr,
                                struct user_ptr buffer, size_t buffer_size, struct user_ptr actual)
{
    struct process *process;
    zx_status_t status;

    if (user_null(buffer) || buffer_size == 0 || buffer_size > ZX_PROCESS_MEM_RW_MAX)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_PROCESS, ZX_RIGHT_READ | ZX_RIGHT_WRITE,
                        &process);
    if (status != ZX_OK)
        return status;
    if (process->state == PROCESS_INITIAL || !process->aspace)
        return ZX_ERR_BAD_STATE;
    return access_memory(self, process, vaddr, buffer, buffer_size, actual, false);
}

int64_t sys_process_write_memory(struct thread *self, zx_handle_t handle, zx_vaddr_t vaddr,
                                 struct user_ptr buffer, size_t buffer_size,
                                 struct user_ptr actual)
{
    struct process *process;
    zx_status_t status;

    if (user_null(buffer) || buffer_size == 0 || buffer_size > ZX_PROCESS_MEM_RW_MAX)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_PROCESS, ZX_RIGHT_WRITE, &process);
    if (status != ZX_OK)
        return status;
    if (process->state == PROCESS_INITIAL || !process->aspace)
        return ZX_ERR_BAD_STATE;
    if (vaddr < process->aspace->vdso_code_end && vaddr + buffer_size > process->aspace->vdso_base &&
        process->aspace->vdso_base)
        return ZX_ERR_ACCESS_DENIED;
    return access_memory(self, process, vaddr, buffer, buffer_size, actual, true);
}

/* ---- Threads ------------------------------------------------------------------------------- */

int64_t sys_thread_create(struct thread *self, zx_handle_t process_handle,
                          struct user_ptr user_name, size_t name_size, uint32_t options,
                          struct user_ptr out)
{
    char name[ZX_MAX_NAME_LEN];
    struct process *process;
    struct thread *thread;
    zx_status_t status;

    if (options)
        return ZX_ERR_INVALID_ARGS;
    status = user_read_name(self->process, name, user_name, name_size);
    if (status == ZX_OK)
        status = handle_get(self->process, process_handle, ZX_OBJ_TYPE_PROCESS,
                            ZX_RIGHT_MANAGE_THREAD, &process);
    if (status == ZX_OK)
        status = thread_create(process, name, &thread);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &thread->object, ZX_DEFAULT_THREAD_RIGHTS, out);
}

int64_t sys_thread_start(struct thread *self, zx_handle_t handle, zx_vaddr_t thread_entry,
                         zx_vaddr_t stack, uintptr_t arg1, uintptr_t arg2)
{
    struct thread *thread;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_THREAD, ZX_RIGHT_MANAGE_THREAD, &thread);

    if (status != ZX_OK)
        return status;
    if (!is_user_pc(thread_entry))
        return ZX_ERR_INVALID_ARGS;
    if (thread->process->state != PROCESS_RUNNING)
        return ZX_ERR_BAD_STATE;
    return thread_start(thread, thread_entry, stack, arg1, arg2);
}

int64_t sys_thread_exit(struct thread *self)
{
    thread_flag(self, THREAD_EXITING);
    return ZX_OK;
}

/* ---- Any task ------------------------------------------------------------------------------ */

int64_t sys_task_kill(struct thread *self, zx_handle_t handle)
{
    struct object *task;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_DESTROY, &task);

    if (status != ZX_OK)
        return status;
    switch (task->ops->type) {
    case ZX_OBJ_TYPE_PROCESS:
        process_kill(container_of(task, struct process, object), ZX_TASK_RETCODE_SYSCALL_KILL);
        return ZX_OK;
    case ZX_OBJ_TYPE_JOB:
        job_kill(container_of(task, struct job, object), ZX_TASK_RETCODE_SYSCALL_KILL);
        return ZX_OK;
    default:
        return ZX_ERR_WRONG_TYPE;
    }
}
