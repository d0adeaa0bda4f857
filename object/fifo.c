/*
 * fifo.c - FIFOs.
 */
#include "fifo.h"

#include <zircon/errors.h>
#include <zircon/limits.h>

#include "heap.h"

static struct fifo *make_end(uint32_t elem_count, uint32_t elem_size)
{
    struct fifo *fifo = heap_alloc(sizeof *fifo);

    if (!fifo)
        return NULL;
    *fifo = (struct fifo){
        .elem_count = elem_count,
        .elem_size = elem_size,
        .ring = heap_alloc(elem_count * elem_size),
    };
    if (!fifo->ring) {
        heap_free(fifo);
        return NULL;
    }
    return fifo;
}

zx_status_t fifo_create(size_t elem_count, size_t elem_size, struct fifo **out0, struct fifo **out1)
{
    struct fifo *a, *b;

    if (elem_count == 0 || (elem_count & (elem_count - 1)) || elem_size == 0 ||
        elem_count > ZX_FIFO_MAX_SIZE_BYTES || elem_size > ZX_FIFO_MAX_SIZE_BYTES / elem_count)
        return ZX_ERR_OUT_OF_RANGE;
    a = make_end((uint32_t)elem_count, (uint32_t)elem_size);
    if (!a)
        return ZX_ERR_NO_MEMORY;
    b = make_end((uint32_t)elem_count, (uint32_t)elem_size);
    if (!b) {
        heap_free(a->ring);
        heap_free(a);
        return ZX_ERR_NO_MEMORY;
    }
    object_init(&a->object, &fifo_ops, ZX_FIFO_WRITABLE);
    object_init(&b->object, &fifo_ops, ZX_FIFO_WRITABLE);
    a->peer = b;
    a->peer_koid = b->object.koid;
    b->peer = a;
    b->peer_koid = a->object.koid;
    *out0 = a;
    *out1 = b;
    return ZX_OK;
}

/* One run of `n` elements in a ring, cut in two where it wraps. */
struct run {
    uint8_t *first, *second;
    size_t first_bytes, second_bytes;
};

static struct run run_at(const struct fifo *fifo, uint32_t position, uint32_t n)
{
    uint32_t at = position & (fifo->elem_count - 1);
    uint32_t first = n < fifo->elem_count - at ? n : fifo->elem_count - at;

    return (struct run){
        .first = fifo->ring + at * fifo->elem_size,
        .first_bytes = first * fifo->elem_size,
        .second = fifo->ring,
        .second_bytes = (n - first) * fifo->elem_size,
    };
}

zx_status_t fifo_write(struct fifo *fifo, struct process *process, size_t elem_size,
                       struct user_ptr from, size_t count, size_t *actual)
{
    struct fifo *peer = fifo->peer;
    uint32_t used, n;
    struct run run;
    zx_status_t status;

    if (!peer)
        return ZX_ERR_PEER_CLOSED;
    if (elem_size != fifo->elem_size || count == 0)
        return ZX_ERR_OUT_OF_RANGE;
    used = peer->head - peer->tail;
    n = peer->elem_count - used;
    if (n == 0)
        return ZX_ERR_SHOULD_WAIT;
    if (count < n)
        n = (uint32_t)count;
    run = run_at(peer, peer->head, n);
    status = user_read(process, run.first, from, run.first_bytes);
    if (status == ZX_OK && run.second_bytes)
        status = user_read(process, run.second, user_at(from, run.first_bytes), run.second_bytes);
    if (status != ZX_OK)
        return status;
    peer->head += n;
    if (used == 0)
        object_update_signals(&peer->object, 0, ZX_FIFO_READABLE);
    if (used + n == peer->elem_count)
        object_update_signals(&fifo->object, ZX_FIFO_WRITABLE, 0);
    *actual = n;
    return ZX_OK;
}

zx_status_t fifo_read(struct fifo *fifo, struct process *process, size_t elem_size,
                      struct user_ptr to, size_t count, size_t *actual)
{
    uint32_t used = fifo->head - fifo->tail, n = used;
    struct run run;
    zx_status_t status;

    if (elem_size != fifo->elem_size || count == 0)
        return ZX_ERR_OUT_OF_RANGE;
    if (used == 0)
        return fifo->peer ? ZX_ERR_SHOULD_WAIT : ZX_ERR_PEER_CLOSED;
    if (count < n)
        n = (uint32_t)count;
    run = run_at(fifo, fifo->tail, n);
    status = user_write(process, to, run.first, run.first_bytes);
    if (status == ZX_OK && run.second_bytes)
        status = user_write(process, user_at(to, run.first_bytes), run.second, run.second_bytes);
    if (status != ZX_OK)
        return status;
    fifo->tail += n;
    if (n == used)
        object_update_signals(&fifo->object, ZX_FIFO_READABLE, 0);
    if (used == fifo->elem_count && fifo->peer)
        object_update_signals(&fifo->peer->object, 0, ZX_FIFO_WRITABLE);
    *actual = n;
    return ZX_OK;
}

static void fifo_on_zero_handles(struct object *object)
{
    struct fifo *fifo = container_of(object, struct fifo, object);
    struct fifo *peer = fifo->peer;

    if (!peer)
        return;
    fifo->peer = NULL;
    peer->peer = NULL;
    object_update_signals(&peer->object, ZX_FIFO_WRITABLE, ZX_FIFO_PEER_CLOSED);
}

static void fifo_destroy(struct object *object)
{
    struct fifo *fifo = container_of(object, struct fifo, object);

    fifo_on_zero_handles(object); /* an end that never had a handle */
    heap_free(fifo->ring);
    heap_free(fifo);
}

static struct object *fifo_peer(struct object *object)
{
    struct fifo *peer = container_of(object, struct fifo, object)->peer;

    return peer ? &peer->object : NULL;
}

static zx_koid_t fifo_related(const struct object *object)
{
    return container_of(object, struct fifo, object)->peer_koid;
}

const struct object_ops fifo_ops = {
    .type = ZX_OBJ_TYPE_FIFO,
    .name = "fifo",
    .default_rights = ZX_DEFAULT_FIFO_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .on_zero_handles = fifo_on_zero_handles,
    .destroy = fifo_destroy,
    .peer = fifo_peer,
    .related_koid = fifo_related,
};
