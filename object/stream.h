/*
 * stream.h - streams: a VMO read and written as a file, with a seek position and an end (rules,
 * 109 to 114).
 *
 * The end is the VMO's content size, which all streams of a VMO share. A write past it makes it
 * grow, and the VMO too if that is resizable; what lies between the old end and the write becomes
 * zero. A stream holds a reference to its VMO.
 */
#ifndef ZVMM_OBJECT_STREAM_H
#define ZVMM_OBJECT_STREAM_H

#include <zircon/ipc.h>

#include "object.h"
#include "usercopy.h"

struct process;
struct vmo;

struct stream {
    struct object object;
    struct vmo *vmo;
    uint32_t options; /* ZX_STREAM_MODE_* */
    uint64_t seek;
};

extern const struct object_ops stream_ops;

/* One reference. ZX_ERR_NO_MEMORY. */
zx_status_t stream_create(struct vmo *vmo, uint32_t options, uint64_t seek, struct stream **out);

/* A caller's buffers: `vector` is kernel memory, the capacities' sum does not overflow. */
struct stream_buffers {
    struct process *process;
    const zx_iovec_t *vector;
    size_t count;
    uint64_t total;
};

/*
 * Copy between the buffers and the VMO at `offset`; *actual bytes. At the end, reading gives 0
 * bytes; writing gives ZX_ERR_NO_SPACE if nothing fits and ZX_ERR_FILE_BIG if offset + total wraps.
 * A bad buffer is ZX_ERR_INVALID_ARGS, ZX_ERR_SHOULD_WAIT as in vmo_read_user.
 */
zx_status_t stream_read_at(struct stream *stream, const struct stream_buffers *buffers,
                           uint64_t offset, uint64_t *actual);
zx_status_t stream_write_at(struct stream *stream, const struct stream_buffers *buffers,
                            uint64_t offset, uint64_t *actual);

/* ZX_ERR_INVALID_ARGS: unknown whence, or a position that is negative or too large. */
zx_status_t stream_seek(struct stream *stream, uint32_t whence, int64_t offset, uint64_t *out);

#endif
