/*
 * handle.c - system calls on handles themselves (rules, section 1).
 */
#include <zircon/rights.h>

#include "syscalls.h"

#define CLOSE_CHUNK 64u

int64_t sys_handle_close(struct thread *self, zx_handle_t handle)
{
    return handle == ZX_HANDLE_INVALID ? ZX_OK : handle_close(self->process, handle);
}

/* Goes on past bad handles; a bad pointer part-way leaves the earlier chunks closed. */
int64_t sys_handle_close_many(struct thread *self, struct user_ptr handles, size_t num_handles)
{
    zx_status_t result = ZX_OK;

    while (num_handles) {
        zx_handle_t chunk[CLOSE_CHUNK];
        size_t n = num_handles < CLOSE_CHUNK ? num_handles : CLOSE_CHUNK;
        zx_status_t status = user_read(self->process, chunk, handles, n * sizeof chunk[0]);

        if (status != ZX_OK)
            return status;
        for (size_t i = 0; i < n; i++) {
            if (chunk[i] != ZX_HANDLE_INVALID && handle_close(self->process, chunk[i]) != ZX_OK)
                result = ZX_ERR_BAD_HANDLE;
        }
        handles = user_at(handles, n * sizeof chunk[0]);
        num_handles -= n;
    }
    return result;
}

/* SAME_RIGHTS, or a subset of `have`; anything else is ZX_ERR_INVALID_ARGS. */
static zx_status_t derive_rights(zx_rights_t have, zx_rights_t *rights)
{
    if (*rights == ZX_RIGHT_SAME_RIGHTS)
        *rights = have;
    return (*rights & ~have) ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

int64_t sys_handle_duplicate(struct thread *self, zx_handle_t handle, zx_rights_t rights,
                             struct user_ptr out)
{
    struct object *object;
    zx_rights_t have;
    zx_status_t status = handle_get_rights(self->process, handle, ZX_OBJ_TYPE_NONE,
                                           ZX_RIGHT_DUPLICATE, &object, &have);

    if (status == ZX_OK)
        status = derive_rights(have, &rights);
    if (status != ZX_OK)
        return status;
    object_ref(object);
    return handle_return(self->process, object, rights, out);
}

/* The source is closed on every failure, too. */
int64_t sys_handle_replace(struct thread *self, zx_handle_t handle, zx_rights_t rights,
                           struct user_ptr out)
{
    struct handle_ref ref;
    zx_handle_t value;
    zx_status_t status = handle_remove(self->process, handle, &ref);

    if (status != ZX_OK)
        return status;
    status = derive_rights(ref.rights, &rights);
    if (status == ZX_OK) {
        ref.rights = rights;
        status = handle_install(self->process, ref, &value);
    }
    if (status != ZX_OK) {
        handle_ref_close(ref);
        return status;
    }
    status = user_write_u32(self->process, out, value);
    if (status != ZX_OK)
        handle_close(self->process, value);
    return status;
}
