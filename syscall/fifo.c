/*
 * fifo.c - zx_fifo_*: rules section 5.
 */
#include "fifo.h"

#include <zircon/policy.h>

#include "job.h"
#include "syscalls.h"

int64_t sys_fifo_create(struct thread *self, size_t elem_count, size_t elem_size, uint32_t options,
                        struct user_ptr out0, struct user_ptr out1)
{
    struct fifo *a, *b;
    zx_status_t status = job_policy_check(self->process, ZX_POL_NEW_FIFO);

    (void)options; /* not checked in 2020 */
    if (status == ZX_OK)
        status = fifo_create(elem_count, elem_size, &a, &b);
    if (status != ZX_OK)
        return status;
    return handle_return_pair(self->process, &a->object, ZX_DEFAULT_FIFO_RIGHTS, out0, &b->object,
                              ZX_DEFAULT_FIFO_RIGHTS, out1);
}

int64_t sys_fifo_read(struct thread *self, zx_handle_t handle, size_t elem_size,
                      struct user_ptr data, size_t count, struct user_ptr actual_count)
{
    struct fifo *fifo;
    size_t actual;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_FIFO, ZX_RIGHT_READ, &fifo);

    if (status == ZX_OK)
        status = fifo_read(fifo, self->process, elem_size, data, count, &actual);
    if (status != ZX_OK)
        return status;
    return user_write_opt(self->process, actual_count, &actual, sizeof actual);
}

int64_t sys_fifo_write(struct thread *self, zx_handle_t handle, size_t elem_size,
                       struct user_ptr data, size_t count, struct user_ptr actual_count)
{
    struct fifo *fifo;
    size_t actual;
    zx_status_t status = handle_get(self->process, handle, ZX_OBJ_TYPE_FIFO, ZX_RIGHT_WRITE, &fifo);

    if (status == ZX_OK)
        status = fifo_write(fifo, self->process, elem_size, data, count, &actual);
    if (status != ZX_OK)
        return status;
    return user_write_opt(self->process, actual_count, &actual, sizeof actual);
}
