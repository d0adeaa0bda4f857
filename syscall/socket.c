/*
 * socket.c - zx_socket_*: rules section 5.
 */
#include "socket.h"

#include <zircon/ipc.h>
#include <zircon/policy.h>

#include "job.h"
#include "syscalls.h"

int64_t sys_socket_create(struct thread *self, uint32_t options, struct user_ptr out0,
                          struct user_ptr out1)
{
    struct socket *a, *b;
    zx_status_t status = job_policy_check(self->process, ZX_POL_NEW_SOCKET);

    if (status == ZX_OK && (options & ~ZX_SOCKET_CREATE_MASK))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = socket_create(options, &a, &b);
    if (status != ZX_OK)
        return status;
    return handle_return_pair(self->process, &a->object, ZX_DEFAULT_SOCKET_RIGHTS, out0, &b->object,
                              ZX_DEFAULT_SOCKET_RIGHTS, out1);
}

int64_t sys_socket_write(struct thread *self, zx_handle_t handle, uint32_t options,
                         struct user_ptr buffer, size_t buffer_size, struct user_ptr actual)
{
    struct socket *socket;
    size_t written;
    zx_status_t status;

    if ((buffer_size > 0 && user_null(buffer)) || options != 0)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_WRITE, &socket);
    if (status == ZX_OK)
        status = socket_write(socket, self->process, buffer, buffer_size, &written);
    if (status != ZX_OK)
        return status;
    return user_write_opt(self->process, actual, &written, sizeof written);
}

int64_t sys_socket_read(struct thread *self, zx_handle_t handle, uint32_t options,
                        struct user_ptr buffer, size_t buffer_size, struct user_ptr actual)
{
    struct socket *socket;
    size_t read;
    zx_status_t status;

    if ((buffer_size > 0 && user_null(buffer)) || (options & ~ZX_SOCKET_PEEK))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_READ, &socket);
    if (status == ZX_OK)
        status = socket_read(socket, self->process, buffer, buffer_size, options & ZX_SOCKET_PEEK,
                             &read);
    if (status != ZX_OK)
        return status;
    return user_write_opt(self->process, actual, &read, sizeof read);
}

int64_t sys_socket_shutdown(struct thread *self, zx_handle_t handle, uint32_t options)
{
    struct socket *socket;
    zx_status_t status =
        handle_get(self->process, handle, ZX_OBJ_TYPE_SOCKET, ZX_RIGHT_WRITE, &socket);

    if (status != ZX_OK)
        return status;
    if (options & ~ZX_SOCKET_SHUTDOWN_MASK)
        return ZX_ERR_INVALID_ARGS;
    socket_shutdown(socket, options);
    return ZX_OK;
}
