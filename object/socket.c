/*
 * socket.c - sockets.
 */
#include "socket.h"

#include <zircon/errors.h>
#include <zircon/ipc.h>
#include <zircon/limits.h>

#include "heap.h"

struct socket_block {
    TAILQ_ENTRY(socket_block) link;
    uint32_t capacity;
    uint32_t start, end; /* the bytes that are valid */
    uint32_t datagram;   /* first block of a datagram: its length; otherwise 0 */
    uint8_t data[];
};

#define BLOCK_MAX (2016 - sizeof(struct socket_block)) /* fills the heap's largest size class */

zx_status_t socket_create(uint32_t options, struct socket **out0, struct socket **out1)
{
    struct socket *ends[2] = {heap_zalloc(sizeof **out0), heap_zalloc(sizeof **out1)};

    if (!ends[0] || !ends[1]) {
        heap_free(ends[0]);
        heap_free(ends[1]);
        return ZX_ERR_NO_MEMORY;
    }
    for (int i = 0; i < 2; i++) {
        object_init(&ends[i]->object, &socket_ops, ZX_SOCKET_WRITABLE);
        TAILQ_INIT(&ends[i]->blocks);
        ends[i]->datagrams = options & ZX_SOCKET_DATAGRAM;
        ends[i]->peer = ends[!i];
    }
    ends[0]->peer_koid = ends[1]->object.koid;
    ends[1]->peer_koid = ends[0]->object.koid;
    *out0 = ends[0];
    *out1 = ends[1];
    return ZX_OK;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void free_blocks(struct socket_blocks *blocks)
{
    struct socket_block *block;

    while ((block = TAILQ_FIRST(blocks))) {
        TAILQ_REMOVE(blocks, block, link);
        heap_free(block);
    }
}

/* ---- Signals that depend on how much is buffered --------------------------------------------- */

static void set_signal(struct socket *socket, zx_signals_t signal, bool on)
{
    if (!!(socket->object.signals & signal) != on)
        object_update_signals(&socket->object, on ? 0 : signal, on ? signal : 0);
}

/* After the buffer of `reader`, which its peer fills, has changed. */
static void update_signals(struct socket *reader)
{
    struct socket *writer = reader->peer;

    set_signal(reader, ZX_SOCKET_READABLE, reader->size > 0);
    set_signal(reader, ZX_SOCKET_READ_THRESHOLD,
               reader->read_threshold && reader->size >= reader->read_threshold);
    if (!writer)
        return;
    set_signal(writer, ZX_SOCKET_WRITABLE,
               reader->size < ZX_SOCKET_BUFFER_MAX &&
                   !(writer->object.signals & ZX_SOCKET_WRITE_DISABLED));
    set_signal(writer, ZX_SOCKET_WRITE_THRESHOLD,
               writer->write_threshold &&
                   ZX_SOCKET_BUFFER_MAX - reader->size >= writer->write_threshold);
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* Makes blocks with `length` bytes of user memory in them. On failure there are none. */
static zx_status_t fill_blocks(struct socket_blocks *blocks, struct process *process,
                               struct user_ptr from, size_t length, bool exact)
{
    while (length > 0) {
        size_t n = min_size(length, BLOCK_MAX), capacity = exact ? n : BLOCK_MAX;
        struct socket_block *block = heap_alloc(sizeof *block + capacity);
        zx_status_t status = ZX_ERR_NO_MEMORY;

        if (block) {
            *block = (struct socket_block){.capacity = (uint32_t)capacity, .end = (uint32_t)n};
            TAILQ_INSERT_TAIL(blocks, block, link);
            status = user_read(process, block->data, from, n);
        }
        if (status != ZX_OK) {
            free_blocks(blocks);
            return status;
        }
        from = user_at(from, n);
        length -= n;
    }
    return ZX_OK;
}

static zx_status_t append_stream(struct socket *reader, struct process *process,
                                 struct user_ptr from, size_t length)
{
    struct socket_blocks more = TAILQ_HEAD_INITIALIZER(more);
    struct socket_block *last = TAILQ_LAST(&reader->blocks, socket_blocks);
    size_t room = last ? min_size(length, last->capacity - last->end) : 0;
    zx_status_t status = ZX_OK;

    if (room)
        status = user_read(process, last->data + last->end, from, room);
    if (status == ZX_OK)
        status = fill_blocks(&more, process, user_at(from, room), length - room, false);
    if (status != ZX_OK)
        return status;
    if (room)
        last->end += (uint32_t)room;
    TAILQ_CONCAT(&reader->blocks, &more, link);
    return ZX_OK;
}

static zx_status_t append_datagram(struct socket *reader, struct process *process,
                                   struct user_ptr from, size_t length)
{
    struct socket_blocks blocks = TAILQ_HEAD_INITIALIZER(blocks);
    zx_status_t status = fill_blocks(&blocks, process, from, length, true);

    if (status != ZX_OK)
        return status;
    TAILQ_FIRST(&blocks)->datagram = (uint32_t)length;
    TAILQ_CONCAT(&reader->blocks, &blocks, link);
    return ZX_OK;
}

zx_status_t socket_write(struct socket *socket, struct process *process, struct user_ptr from,
                         size_t length, size_t *actual)
{
    struct socket *reader = socket->peer;
    size_t space;
    zx_status_t status;

    *actual = 0;
    if (!reader)
        return ZX_ERR_PEER_CLOSED;
    if (socket->object.signals & ZX_SOCKET_WRITE_DISABLED)
        return ZX_ERR_BAD_STATE;
    if (length == 0)
        return ZX_OK;
    if (length > UINT32_MAX)
        return ZX_ERR_INVALID_ARGS;
    space = ZX_SOCKET_BUFFER_MAX - reader->size;
    if (space == 0)
        return ZX_ERR_SHOULD_WAIT;
    if (reader->datagrams) {
        if (length > ZX_SOCKET_BUFFER_MAX)
            return ZX_ERR_OUT_OF_RANGE;
        if (length > space)
            return ZX_ERR_SHOULD_WAIT;
        status = append_datagram(reader, process, from, length);
    } else {
        length = min_size(length, space);
        status = append_stream(reader, process, from, length);
    }
    if (status != ZX_OK)
        return status;
    reader->size += length;
    update_signals(reader);
    *actual = length;
    return ZX_OK;
}

/* ---- Reading ------------------------------------------------------------------------------- */

/* Copies the first `length` bytes out; they stay. Precondition: there are as many. */
static zx_status_t copy_out(const struct socket *socket, struct process *process,
                            struct user_ptr to, size_t length)
{
    const struct socket_block *block = TAILQ_FIRST(&socket->blocks);

    for (; length > 0; block = TAILQ_NEXT(block, link)) {
        size_t n = min_size(length, block->end - block->start);
        zx_status_t status = user_write(process, to, block->data + block->start, n);

        if (status != ZX_OK)
            return status;
        to = user_at(to, n);
        length -= n;
    }
    return ZX_OK;
}

/* Drops the first `length` bytes. A stream keeps its last block, empty, for what comes next. */
static void consume(struct socket *socket, size_t length)
{
    socket->size -= length;
    while (length > 0) {
        struct socket_block *block = TAILQ_FIRST(&socket->blocks);
        size_t n = min_size(length, block->end - block->start);

        block->start += (uint32_t)n;
        length -= n;
        if (block->start < block->end)
            break;
        if (!socket->datagrams && !TAILQ_NEXT(block, link)) {
            block->start = block->end = 0;
            break;
        }
        TAILQ_REMOVE(&socket->blocks, block, link);
        heap_free(block);
    }
}

/* How many bytes one read can give: a datagram, or all. */
static size_t available(const struct socket *socket)
{
    if (!socket->datagrams || socket->size == 0)
        return socket->size;
    return TAILQ_FIRST(&socket->blocks)->datagram;
}

zx_status_t socket_read(struct socket *socket, struct process *process, struct user_ptr to,
                        size_t length, bool peek, size_t *actual)
{
    size_t whole;
    zx_status_t status;

    *actual = 0;
    if (length > UINT32_MAX)
        return ZX_ERR_INVALID_ARGS;
    if (socket->size == 0) {
        if (!socket->peer)
            return ZX_ERR_PEER_CLOSED;
        if (socket->object.signals & ZX_SOCKET_PEER_WRITE_DISABLED)
            return ZX_ERR_BAD_STATE;
        return ZX_ERR_SHOULD_WAIT;
    }
    whole = available(socket);
    length = min_size(length, whole);
    status = copy_out(socket, process, to, length);
    if (status != ZX_OK)
        return status;
    if (!peek) {
        /* What of a datagram does not fit is lost. */
        consume(socket, socket->datagrams ? whole : length);
        update_signals(socket);
    }
    *actual = length;
    return ZX_OK;
}

/* ---- Shutdown and peer --------------------------------------------------------------------- */

/* `reader` gets nothing more, `writer` can give nothing more; either may be NULL. */
static void disable(struct socket *writer, struct socket *reader)
{
    if (writer)
        object_update_signals(&writer->object, ZX_SOCKET_WRITABLE, ZX_SOCKET_WRITE_DISABLED);
    if (reader)
        object_update_signals(&reader->object, 0, ZX_SOCKET_PEER_WRITE_DISABLED);
}

void socket_shutdown(struct socket *socket, uint32_t how)
{
    if (how & ZX_SOCKET_SHUTDOWN_WRITE)
        disable(socket, socket->peer);
    if (how & ZX_SOCKET_SHUTDOWN_READ)
        disable(socket->peer, socket);
}

static void socket_on_zero_handles(struct object *object)
{
    struct socket *socket = container_of(object, struct socket, object);
    struct socket *peer = socket->peer;

    if (!peer)
        return;
    socket->peer = NULL;
    peer->peer = NULL;
    object_update_signals(&peer->object, ZX_SOCKET_WRITABLE, ZX_SOCKET_PEER_CLOSED);
}

/* ---- Information and properties ------------------------------------------------------------- */

static void socket_get_info(struct object *object, void *record)
{
    const struct socket *socket = container_of(object, struct socket, object);
    zx_info_socket_t *info = record;

    info->options = socket->datagrams ? ZX_SOCKET_DATAGRAM : ZX_SOCKET_STREAM;
    info->rx_buf_max = ZX_SOCKET_BUFFER_MAX;
    info->rx_buf_size = socket->size;
    info->rx_buf_available = available(socket);
    if (socket->peer) {
        info->tx_buf_max = ZX_SOCKET_BUFFER_MAX;
        info->tx_buf_size = socket->peer->size;
    }
}

static zx_status_t socket_get_property(struct object *object, uint32_t property, uint64_t *value)
{
    const struct socket *socket = container_of(object, struct socket, object);

    if (property == ZX_PROP_SOCKET_RX_THRESHOLD)
        *value = socket->read_threshold;
    else if (property == ZX_PROP_SOCKET_TX_THRESHOLD)
        *value = socket->write_threshold;
    else
        return ZX_ERR_WRONG_TYPE;
    return ZX_OK;
}

static zx_status_t socket_set_property(struct object *object, uint32_t property, uint64_t value)
{
    struct socket *socket = container_of(object, struct socket, object);

    if (property != ZX_PROP_SOCKET_RX_THRESHOLD && property != ZX_PROP_SOCKET_TX_THRESHOLD)
        return ZX_ERR_WRONG_TYPE;
    if (property == ZX_PROP_SOCKET_TX_THRESHOLD && !socket->peer)
        return ZX_ERR_PEER_CLOSED;
    if (value > ZX_SOCKET_BUFFER_MAX)
        return ZX_ERR_INVALID_ARGS;
    if (property == ZX_PROP_SOCKET_RX_THRESHOLD) {
        socket->read_threshold = value;
        update_signals(socket);
    } else {
        socket->write_threshold = value;
        update_signals(socket->peer);
    }
    return ZX_OK;
}

/* ---- Object -------------------------------------------------------------------------------- */

static void socket_destroy(struct object *object)
{
    struct socket *socket = container_of(object, struct socket, object);

    socket_on_zero_handles(object); /* an end that never had a handle */
    free_blocks(&socket->blocks);
    heap_free(socket);
}

static struct object *socket_peer(struct object *object)
{
    struct socket *peer = container_of(object, struct socket, object)->peer;

    return peer ? &peer->object : NULL;
}

static zx_koid_t socket_related(const struct object *object)
{
    return container_of(object, struct socket, object)->peer_koid;
}

const struct object_ops socket_ops = {
    .type = ZX_OBJ_TYPE_SOCKET,
    .name = "socket",
    .default_rights = ZX_DEFAULT_SOCKET_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .on_zero_handles = socket_on_zero_handles,
    .destroy = socket_destroy,
    .peer = socket_peer,
    .related_koid = socket_related,
    .info_topic = ZX_INFO_SOCKET,
    .info_size = sizeof(zx_info_socket_t),
    .get_info = socket_get_info,
    .get_property = socket_get_property,
    .set_property = socket_set_property,
};
