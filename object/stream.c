/*
 * stream.c - files on VMOs.
 */
#include "stream.h"

#include <hal.h>
#include <zircon/errors.h>

#include "heap.h"
#include "vmo.h"

zx_status_t stream_create(struct vmo *vmo, uint32_t options, uint64_t seek, struct stream **out)
{
    struct stream *stream = heap_zalloc(sizeof *stream);

    if (!stream)
        return ZX_ERR_NO_MEMORY;
    object_init(&stream->object, &stream_ops, 0);
    object_ref(OBJECT(vmo));
    stream->vmo = vmo;
    stream->options = options;
    stream->seek = seek;
    *out = stream;
    return ZX_OK;
}

/* Copies `length` bytes, at most the buffers' total, buffer by buffer. */
static zx_status_t copy(struct vmo *vmo, const struct stream_buffers *buffers, uint64_t offset,
                        uint64_t length, bool write)
{
    zx_status_t status = ZX_OK;

    for (size_t i = 0; length && status == ZX_OK; i++) {
        struct user_ptr at = {(zx_vaddr_t)(uintptr_t)buffers->vector[i].buffer};
        uint64_t part = buffers->vector[i].capacity;

        if (part > length)
            part = length;
        if (write)
            status = vmo_write_user(vmo, buffers->process, at, offset, part);
        else
            status = vmo_read_user(vmo, buffers->process, at, offset, part);
        offset += part;
        length -= part;
    }
    return status;
}

/* Content may be said to end behind the VMO's last page. */
static uint64_t content_end(const struct vmo *vmo)
{
    return vmo->content_size < vmo->size ? vmo->content_size : vmo->size;
}

zx_status_t stream_read_at(struct stream *stream, const struct stream_buffers *buffers,
                           uint64_t offset, uint64_t *actual)
{
    uint64_t end = content_end(stream->vmo);

    *actual = 0;
    if (offset >= end)
        return ZX_OK;
    *actual = buffers->total < end - offset ? buffers->total : end - offset;
    return copy(stream->vmo, buffers, offset, *actual, false);
}

/* Makes room for a write that ends at `end`. A VMO that cannot grow is no error here. */
static zx_status_t make_room(struct vmo *vmo, uint64_t end)
{
    uint64_t content = vmo->content_size;
    zx_status_t status;

    if (end <= vmo->size || !(vmo->flags & VMO_RESIZABLE))
        return ZX_OK;
    status = vmo_set_size(vmo, end);
    vmo->content_size = content;
    return status == ZX_ERR_OUT_OF_RANGE ? ZX_OK : status;
}

zx_status_t stream_write_at(struct stream *stream, const struct stream_buffers *buffers,
                            uint64_t offset, uint64_t *actual)
{
    struct vmo *vmo = stream->vmo;
    uint64_t length = buffers->total;
    zx_status_t status;

    *actual = 0;
    if (length == 0)
        return ZX_OK;
    if (offset + length < offset)
        return ZX_ERR_FILE_BIG;
    status = make_room(vmo, offset + length);
    if (status != ZX_OK)
        return status;
    if (offset >= vmo->size)
        return ZX_ERR_NO_SPACE;
    if (length > vmo->size - offset)
        length = vmo->size - offset;
    if (offset > vmo->content_size) {
        status = vmo_zero(vmo, vmo->content_size, offset - vmo->content_size);
        if (status != ZX_OK)
            return status;
    }
    status = copy(vmo, buffers, offset, length, true);
    if (status != ZX_OK)
        return status;
    if (vmo->content_size < offset + length)
        vmo->content_size = offset + length;
    *actual = length;
    return ZX_OK;
}

zx_status_t stream_seek(struct stream *stream, uint32_t whence, int64_t offset, uint64_t *out)
{
    uint64_t from;

    switch (whence) {
    case ZX_STREAM_SEEK_ORIGIN_START:
        from = 0;
        break;
    case ZX_STREAM_SEEK_ORIGIN_CURRENT:
        from = stream->seek;
        break;
    case ZX_STREAM_SEEK_ORIGIN_END:
        from = stream->vmo->content_size;
        break;
    default:
        return ZX_ERR_INVALID_ARGS;
    }
    if (__builtin_add_overflow(from, offset, out))
        return ZX_ERR_INVALID_ARGS;
    stream->seek = *out;
    return ZX_OK;
}

static void stream_destroy(struct object *object)
{
    struct stream *stream = container_of(object, struct stream, object);

    object_release(OBJECT(stream->vmo));
    heap_free(stream);
}

static void stream_info(struct object *object, void *record)
{
    struct stream *stream = container_of(object, struct stream, object);

    *(zx_info_stream_t *)record = (zx_info_stream_t){
        .options = stream->options,
        .seek = stream->seek,
        .content_size = stream->vmo->content_size,
    };
}

const struct object_ops stream_ops = {
    .type = ZX_OBJ_TYPE_STREAM,
    .name = "stream",
    .default_rights = ZX_DEFAULT_STREAM_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .destroy = stream_destroy,
    .info_topic = ZX_INFO_STREAM,
    .info_size = sizeof(zx_info_stream_t),
    .get_info = stream_info,
};
