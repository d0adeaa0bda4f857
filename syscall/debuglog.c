/*
 * debuglog.c - zx_debuglog_*: rules section 10.
 */
#include "debuglog.h"

#include <zircon/resource.h>

#include "executor.h"
#include "resource.h"
#include "syscalls.h"

int64_t sys_debuglog_create(struct thread *self, zx_handle_t resource, uint32_t options,
                            struct user_ptr out)
{
    bool readable = options & ZX_LOG_FLAG_READABLE;
    zx_rights_t rights = ZX_DEFAULT_LOG_RIGHTS | (readable ? ZX_RIGHT_READ : 0);
    struct log *log;
    zx_status_t status = ZX_OK;

    /* Programs that only write have no resource to show. */
    if (resource != ZX_HANDLE_INVALID)
        status = resource_check(self->process, resource, ZX_RSRC_KIND_ROOT, 0, 0);
    if (status == ZX_OK && (options & ~ZX_LOG_FLAG_READABLE))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = log_create(kernel()->log, readable, &log);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, &log->object, rights, out);
}

int64_t sys_debuglog_write(struct thread *self, zx_handle_t handle, uint32_t options,
                           struct user_ptr buffer, size_t buffer_size)
{
    char text[ZX_LOG_RECORD_DATA_MAX];
    size_t length = buffer_size < sizeof text ? buffer_size : sizeof text;
    struct log *log;
    zx_status_t status;

    if (options & ~ZX_LOG_FLAGS_MASK)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_LOG, ZX_RIGHT_WRITE, &log);
    if (status == ZX_OK)
        status = user_read(self->process, text, buffer, length);
    if (status == ZX_OK)
        log_write(ZX_LOG_INFO, (uint8_t)options, text, length);
    return status;
}

/* The positive result is the number of bytes copied; the rest of a longer record is lost. */
int64_t sys_debuglog_read(struct thread *self, zx_handle_t handle, uint32_t options,
                          struct user_ptr buffer, size_t buffer_size)
{
    _Alignas(zx_log_record_t) uint8_t record[ZX_LOG_RECORD_MAX];
    struct log *log;
    size_t length;
    zx_status_t status;

    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(self->process, handle, ZX_OBJ_TYPE_LOG, ZX_RIGHT_READ, &log);
    if (status == ZX_OK)
        status = log_read(log, record, &length);
    if (status != ZX_OK)
        return status;
    if (length > buffer_size)
        length = buffer_size;
    status = user_write(self->process, buffer, record, length);
    return status == ZX_OK ? (int64_t)length : status;
}
