/*
 * ktrace.c - zx_ktrace_*: the kernel trace; rules section 10.
 *
 * Tracing system calls costs nothing while it is off: only then are they answered by a function
 * that records them.
 */
#include "ktrace.h"

#include <hal.h>
#include <zircon/errors.h>
#include <zircon/resource.h>

#include "dispatch.h"
#include "resource.h"
#include "syscalls.h"

static int64_t handle_traced(struct hal_context *context)
{
    uint32_t number = (uint32_t)context->regs.rax;
    int64_t result;

    KTRACE(KTRACE_TAG_SYSCALL_ENTER, number << 8, 0, 0, 0);
    result = syscall_handle(context);
    KTRACE(KTRACE_TAG_SYSCALL_EXIT, number << 8, 0, 0, 0);
    return result;
}

static void choose_handler(void)
{
    bool traced = ktrace.groups & KTRACE_GRP_SYSCALL;

    hal_set_syscall_handler(traced ? handle_traced : syscall_handle);
}

static void name_syscalls(void)
{
    for (uint32_t number = 0; number < syscall_count(); number++)
        ktrace_append_name(KTRACE_TAG_SYSCALL_NAME, number, 0, syscall_name(number));
}

static zx_status_t rewind(void)
{
    zx_status_t status = ktrace_rewind();

    if (status == ZX_OK)
        name_syscalls();
    return status;
}

static zx_status_t start(uint32_t groups)
{
    zx_status_t status = ktrace.buffer ? ZX_OK : rewind();

    if (status == ZX_OK)
        status = ktrace_start(groups);
    choose_handler();
    return status;
}

static int64_t new_probe(struct process *process, struct user_ptr ptr)
{
    char name[ZX_MAX_NAME_LEN];
    zx_status_t status = user_read_name(process, name, ptr, ZX_MAX_NAME_LEN - 1);

    return status == ZX_OK ? ktrace_probe(name) : status;
}

int64_t sys_ktrace_control(struct thread *self, zx_handle_t handle, uint32_t action,
                           uint32_t options, struct user_ptr ptr)
{
    zx_status_t status = resource_check(self->process, handle, ZX_RSRC_KIND_ROOT, 0, 0);

    if (status != ZX_OK)
        return status;
    switch (action) {
    case KTRACE_ACTION_START:
        return options & ~KTRACE_GRP_ALL ? ZX_ERR_INVALID_ARGS : start(options);
    case KTRACE_ACTION_STOP:
        ktrace_stop();
        choose_handler();
        return ZX_OK;
    case KTRACE_ACTION_REWIND:
        return rewind();
    case KTRACE_ACTION_NEW_PROBE:
        return new_probe(self->process, ptr);
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

/* Without a buffer it tells how much there is. */
int64_t sys_ktrace_read(struct thread *self, zx_handle_t handle, struct user_ptr data,
                        uint32_t offset, size_t data_size, struct user_ptr actual)
{
    zx_status_t status = resource_check(self->process, handle, ZX_RSRC_KIND_ROOT, 0, 0);
    size_t length = ktrace.length;

    if (status != ZX_OK)
        return status;
    if (!user_null(data)) {
        length = offset < length ? length - offset : 0;
        if (length > data_size)
            length = data_size;
        if (length > 0)
            status = user_write(self->process, data, ktrace.buffer + offset, length);
    }
    return status == ZX_OK ? user_write_value(self->process, actual, length) : status;
}

int64_t sys_ktrace_write(struct thread *self, zx_handle_t handle, uint32_t id, uint32_t arg0,
                         uint32_t arg1)
{
    zx_status_t status = resource_check(self->process, handle, ZX_RSRC_KIND_ROOT, 0, 0);

    if (status != ZX_OK)
        return status;
    return id > KTRACE_PROBE_ID_MAX ? ZX_ERR_INVALID_ARGS : ktrace_write_probe(id, arg0, arg1);
}
