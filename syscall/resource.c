/*
 * resource.c - zx_resource_create: rules section 10.
 */
#include "resource.h"

#include "syscalls.h"

int64_t sys_resource_create(struct thread *self, zx_handle_t parent_rsrc, uint32_t options,
                            uint64_t base, size_t size, struct user_ptr name, size_t name_size,
                            struct user_ptr resource_out)
{
    uint32_t kind = ZX_RSRC_EXTRACT_KIND(options), flags = ZX_RSRC_EXTRACT_FLAGS(options);
    char name_buffer[ZX_MAX_NAME_LEN] = "";
    struct resource *parent, *resource;
    zx_status_t status =
        handle_get(self->process, parent_rsrc, ZX_OBJ_TYPE_RESOURCE, ZX_RIGHT_WRITE, &parent);

    if (status != ZX_OK)
        return status;
    if (kind >= ZX_RSRC_KIND_COUNT || (flags & ~ZX_RSRC_FLAG_EXCLUSIVE))
        return ZX_ERR_INVALID_ARGS;
    if (name_size) {
        status = user_read_name(self->process, name_buffer, name, name_size);
        if (status != ZX_OK)
            return status;
    }
    status = resource_create(parent, kind, flags, base, size, name_buffer, &resource);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &resource->object, ZX_DEFAULT_RESOURCE_RIGHTS,
                         resource_out);
}
