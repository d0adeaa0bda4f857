/*
 * stream.c - zx_stream_*: rules section 5.
 */
#include "stream.h"

#include "heap.h"
#include "syscalls.h"
#include "vmo.h"

#define VECTOR_MAX 65536u /* buffers in one call; a kernel allocation of 1 MiB */

int64_t sys_stream_create(struct thread *self, uint32_t options, zx_handle_t vmo_handle,
                          zx_off_t seek, struct user_ptr out)
{
    zx_rights_t rights = 0;
    struct stream *stream;
    struct vmo *vmo;
    zx_status_t status;

    if (options & ~(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE))
        return ZX_ERR_INVALID_ARGS;
    if (options & ZX_STREAM_MODE_READ)
        rights |= ZX_RIGHT_READ;
    if (options & ZX_STREAM_MODE_WRITE)
        rights |= ZX_RIGHT_WRITE;
    status = handle_get(self->process, vmo_handle, ZX_OBJ_TYPE_VMO, rights, &vmo);
    if (status == ZX_OK)
        status = stream_create(vmo, options, seek, &stream);
    if (status != ZX_OK)
        return status;
    return handle_return(self->process, OBJECT(stream), ZX_DEFAULT_STREAM_RIGHTS | rights, out);
}

/* Copies the vector in and adds it up. `storage` is freed by the caller. */
static zx_status_t read_vector(struct process *process, struct user_ptr vector, size_t count,
                               zx_iovec_t **storage, struct stream_buffers *buffers)
{
    zx_status_t status;

    *storage = NULL;
    if (user_null(vector))
        return ZX_ERR_INVALID_ARGS;
    *buffers = (struct stream_buffers){.process = process, .count = count};
    if (count == 0)
        return ZX_OK;
    if (count > VECTOR_MAX)
        return ZX_ERR_NO_MEMORY;
    *storage = heap_alloc(count * sizeof **storage);
    if (!*storage)
        return ZX_ERR_NO_MEMORY;
    status = user_read(process, *storage, vector, count * sizeof **storage);
    for (size_t i = 0; status == ZX_OK && i < count; i++) {
        if (__builtin_add_overflow(buffers->total, (*storage)[i].capacity, &buffers->total))
            status = ZX_ERR_INVALID_ARGS;
    }
    buffers->vector = *storage;
    return status;
}

typedef zx_status_t transfer_fn(struct stream *stream, const struct stream_buffers *buffers,
                                uint64_t offset, uint64_t *actual);

struct transfer {
    zx_rights_t right;
    transfer_fn *run;
    bool at;     /* at `offset`, the seek position stays as it is */
    bool append; /* at the end of the content */
    uint64_t offset;
};

/* All four calls. */
static int64_t transfer(struct thread *self, zx_handle_t handle, const struct transfer *how,
                        struct user_ptr vector, size_t count, struct user_ptr actual)
{
    struct process *process = self->process;
    struct stream_buffers buffers;
    struct stream *stream;
    zx_iovec_t *storage;
    uint64_t offset, done;
    zx_status_t status;

    if (user_null(vector))
        return ZX_ERR_INVALID_ARGS;
    status = handle_get(process, handle, ZX_OBJ_TYPE_STREAM, how->right, &stream);
    if (status != ZX_OK)
        return status;
    status = read_vector(process, vector, count, &storage, &buffers);
    if (status == ZX_OK) {
        offset = how->at ? how->offset : how->append ? stream->vmo->content_size : stream->seek;
        status = how->run(stream, &buffers, offset, &done);
    }
    heap_free(storage);
    if (status != ZX_OK)
        return status;
    if (!how->at)
        stream->seek = offset + done;
    return user_write_opt(process, actual, &done, sizeof done);
}

int64_t sys_stream_writev(struct thread *self, zx_handle_t handle, uint32_t options,
                          struct user_ptr vector, size_t num_vector, struct user_ptr actual)
{
    struct transfer how = {
        .right = ZX_RIGHT_WRITE,
        .run = stream_write_at,
        .append = options & ZX_STREAM_APPEND,
    };

    if (options & ~ZX_STREAM_APPEND)
        return ZX_ERR_INVALID_ARGS;
    return transfer(self, handle, &how, vector, num_vector, actual);
}

int64_t sys_stream_writev_at(struct thread *self, zx_handle_t handle, uint32_t options,
                             zx_off_t offset, struct user_ptr vector, size_t num_vector,
                             struct user_ptr actual)
{
    struct transfer how = {
        .right = ZX_RIGHT_WRITE,
        .run = stream_write_at,
        .at = true,
        .offset = offset,
    };

    if (options)
        return ZX_ERR_INVALID_ARGS;
    return transfer(self, handle, &how, vector, num_vector, actual);
}

int64_t sys_stream_readv(struct thread *self, zx_handle_t handle, uint32_t options,
                         struct user_ptr vector, size_t num_vector, struct user_ptr actual)
{
    struct transfer how = {.right = ZX_RIGHT_READ, .run = stream_read_at};

    if (options)
        return ZX_ERR_INVALID_ARGS;
    return transfer(self, handle, &how, vector, num_vector, actual);
}

int64_t sys_stream_readv_at(struct thread *self, zx_handle_t handle, uint32_t options,
                            zx_off_t offset, struct user_ptr vector, size_t num_vector,
                            struct user_ptr actual)
{
    struct transfer how = {
        .right = ZX_RIGHT_READ,
        .run = stream_read_at,
        .at = true,
        .offset = offset,
    };

    if (options)
        return ZX_ERR_INVALID_ARGS;
    return transfer(self, handle, &how, vector, num_vector, actual);
}

int64_t sys_stream_seek(struct thread *self, zx_handle_t handle, uint32_t whence, int64_t offset,
                        struct user_ptr out_seek)
{
    struct stream *stream;
    zx_rights_t rights;
    uint64_t seek;
    zx_status_t status =
        handle_get_rights(self->process, handle, ZX_OBJ_TYPE_STREAM, 0, &stream, &rights);

    if (status == ZX_OK && !(rights & (ZX_RIGHT_READ | ZX_RIGHT_WRITE)))
        status = ZX_ERR_ACCESS_DENIED;
    if (status == ZX_OK)
        status = stream_seek(stream, whence, offset, &seek);
    if (status != ZX_OK)
        return status;
    return user_write_opt(self->process, out_seek, &seek, sizeof seek);
}
