/*
 * channel.c - channels.
 */
#include "channel.h"

#include <zircon/errors.h>
#include <zircon/ipc.h>

#include "format.h"
#include "heap.h"
#include "string.h"
#include "teardown.h"
#include "thread.h"

zx_status_t channel_create(struct channel **out0, struct channel **out1)
{
    struct channel *ends[2] = {heap_zalloc(sizeof **out0), heap_zalloc(sizeof **out1)};

    if (!ends[0] || !ends[1]) {
        heap_free(ends[0]);
        heap_free(ends[1]);
        return ZX_ERR_NO_MEMORY;
    }
    for (int i = 0; i < 2; i++) {
        object_init(&ends[i]->object, &channel_ops, ZX_CHANNEL_WRITABLE);
        STAILQ_INIT(&ends[i]->messages);
        TAILQ_INIT(&ends[i]->calls);
        ends[i]->peer = ends[!i];
    }
    ends[0]->peer_koid = ends[1]->object.koid;
    ends[1]->peer_koid = ends[0]->object.koid;
    *out0 = ends[0];
    *out1 = ends[1];
    return ZX_OK;
}

/* The common case, nobody watching, without a call: this is on the path of every message. */
static inline void update_signals(struct channel *channel, zx_signals_t clear, zx_signals_t set)
{
    if (TAILQ_EMPTY(&channel->object.observers))
        channel->object.signals = (channel->object.signals & ~clear) | set;
    else
        object_update_signals(&channel->object, clear, set);
}

/* ---- Messages ------------------------------------------------------------------------------ */

struct channel_message *channel_message_alloc(uint32_t num_bytes, uint32_t num_handles)
{
    struct channel_message *message;

    message = heap_alloc(sizeof *message + num_handles * sizeof(struct handle_ref) + num_bytes);
    if (!message)
        return NULL;
    message->num_bytes = num_bytes;
    message->num_handles = num_handles;
    for (uint32_t i = 0; i < num_handles; i++)
        message->handles[i].object = NULL;
    return message;
}

void channel_message_free(struct channel_message *message)
{
    for (uint32_t i = 0; i < message->num_handles; i++)
        handle_ref_close(message->handles[i]);
    heap_free(message);
}

/* Notes in the channel ends that travel in `message` whose queue they are in. */
static void set_holder(struct channel_message *message, struct channel *holder)
{
    for (uint32_t i = 0; i < message->num_handles; i++) {
        struct object *object = message->handles[i].object;

        if (object && object->ops == &channel_ops)
            container_of(object, struct channel, object)->holder = holder;
    }
}

/* Ends a registered call. A thread that a suspend took away finds the result when it is back. */
static void end_call(struct thread *thread, zx_status_t status, struct channel_message *reply)
{
    struct channel *channel = thread->wait.call.channel;
    bool waiting = thread->wait.call.state == CALL_WAITING;

    TAILQ_REMOVE(&channel->calls, thread, wait.call.link);
    thread->wait.call.state = CALL_ENDED;
    thread->wait.call.result = status;
    thread->wait.call.reply = reply;
    thread->wait.call.channel = NULL;
    if (waiting)
        wait_end(thread, status);
    object_release(&channel->object); /* not the last: the end has a handle, or is being closed */
}

static bool answers_call(struct channel *channel, struct channel_message *message)
{
    struct thread *thread;
    zx_txid_t txid;

    if (message->num_bytes < sizeof txid)
        return false;
    memcpy(&txid, channel_message_bytes(message), sizeof txid);
    TAILQ_FOREACH (thread, &channel->calls, wait.call.link) {
        if (thread->wait.call.txid == txid) {
            end_call(thread, ZX_OK, message);
            return true;
        }
    }
    return false;
}

/* Frees what is queued. Closing a handle may destroy `channel`, so its list is taken away first. */
static void drop_messages(struct channel *channel)
{
    struct channel_queue queue = STAILQ_HEAD_INITIALIZER(queue);
    struct channel_message *message;
    uint64_t work = 0;

    STAILQ_CONCAT(&queue, &channel->messages);
    channel->num_messages = 0;
    STAILQ_FOREACH (message, &queue, link) {
        set_holder(message, NULL);
        work += 1 + message->num_handles;
    }
    if (teardown_is_large(kernel(), work)) {
        teardown_messages(&queue);
        return;
    }
    while ((message = STAILQ_FIRST(&queue))) {
        STAILQ_REMOVE_HEAD(&queue, link);
        channel_message_free(message);
    }
}

/* Would reading its queue need the end itself? There was no circle before the last write. */
static bool holds_itself(const struct channel *channel)
{
    const struct channel *at = channel;

    while (at->holder && at->object.handles == 1) {
        at = at->holder;
        if (at == channel)
            return true;
    }
    return false;
}

zx_status_t channel_write(struct channel *channel, struct channel_message *message)
{
    struct channel *peer = channel->peer;

    if (!peer)
        return ZX_ERR_PEER_CLOSED;
    if (!TAILQ_EMPTY(&peer->calls) && answers_call(peer, message))
        return ZX_OK;
    if (message->num_handles)
        set_holder(message, peer);
    STAILQ_INSERT_TAIL(&peer->messages, message, link);
    if (peer->num_messages++ == 0)
        update_signals(peer, 0, ZX_CHANNEL_READABLE);
    if (peer->holder && message->num_handles && holds_itself(peer))
        drop_messages(peer);
    return ZX_OK;
}

struct channel_message *channel_take(struct channel *channel)
{
    struct channel_message *message = STAILQ_FIRST(&channel->messages);

    STAILQ_REMOVE_HEAD(&channel->messages, link);
    if (message->num_handles)
        set_holder(message, NULL);
    if (--channel->num_messages == 0)
        update_signals(channel, ZX_CHANNEL_READABLE, 0);
    return message;
}

/* ---- Calls --------------------------------------------------------------------------------- */

static bool txid_in_use(const struct channel *channel, zx_txid_t txid)
{
    struct thread *thread;

    TAILQ_FOREACH (thread, &channel->calls, wait.call.link) {
        if (thread->wait.call.txid == txid)
            return true;
    }
    return false;
}

zx_status_t channel_call_begin(struct channel *channel, struct thread *thread,
                               struct channel_message *message)
{
    zx_txid_t txid;

    assert(thread->wait.call.state == CALL_NONE && message->num_bytes >= sizeof txid);
    if (!channel->peer)
        return ZX_ERR_PEER_CLOSED;
    do {
        txid = ++channel->last_txid | ZX_CHANNEL_KERNEL_TXID_BIT;
    } while (txid_in_use(channel, txid));
    memcpy(channel_message_bytes(message), &txid, sizeof txid);
    object_ref(&channel->object);
    thread->wait.call.channel = channel;
    thread->wait.call.txid = txid;
    thread->wait.call.state = CALL_WAITING;
    TAILQ_INSERT_TAIL(&channel->calls, thread, wait.call.link);
    return channel_write(channel, message);
}

static void withdraw_call(struct thread *thread)
{
    struct channel *channel = thread->wait.call.channel;

    TAILQ_REMOVE(&channel->calls, thread, wait.call.link);
    thread->wait.call.channel = NULL;
    thread->wait.call.state = CALL_NONE;
    object_release(&channel->object);
}

void channel_call_unlink(struct thread *thread)
{
    if (thread->wait.call.state != CALL_WAITING)
        return; /* end_call has done it */
    if (thread->wait.result == ZX_ERR_INTERNAL_INTR_RETRY)
        thread->wait.call.state = CALL_INTERRUPTED;
    else
        withdraw_call(thread);
}

zx_status_t channel_call_result(struct thread *thread, struct channel_message **reply)
{
    assert(thread->wait.call.state == CALL_ENDED);
    thread->wait.call.state = CALL_NONE;
    *reply = thread->wait.call.reply;
    thread->wait.call.reply = NULL;
    return thread->wait.call.result;
}

void channel_thread_exit(struct thread *thread)
{
    struct channel_message *reply;

    if (thread->wait.call.state == CALL_INTERRUPTED) {
        withdraw_call(thread);
    } else if (thread->wait.call.state == CALL_ENDED) {
        if (channel_call_result(thread, &reply) == ZX_OK)
            channel_message_free(reply);
    }
}

/* ---- The end of an end ---------------------------------------------------------------------- */

static void end_calls(struct channel *channel, zx_status_t status)
{
    struct thread *thread;

    while ((thread = TAILQ_FIRST(&channel->calls)))
        end_call(thread, status, NULL);
}

void channel_close(struct channel *channel)
{
    struct channel *peer = channel->peer;

    /* Calls hold references, but never the last one: an end without handles has no calls. */
    end_calls(channel, ZX_ERR_CANCELED);
    if (peer) {
        channel->peer = NULL;
        peer->peer = NULL;
        end_calls(peer, ZX_ERR_PEER_CLOSED);
        update_signals(peer, ZX_CHANNEL_WRITABLE, ZX_CHANNEL_PEER_CLOSED);
    }
    drop_messages(channel);
}

/* ---- Object -------------------------------------------------------------------------------- */

static void channel_on_zero_handles(struct object *object)
{
    channel_close(container_of(object, struct channel, object));
}

static void channel_destroy(struct object *object)
{
    struct channel *channel = container_of(object, struct channel, object);

    channel_close(channel);
    heap_free(channel);
}

static struct object *channel_peer(struct object *object)
{
    struct channel *peer = container_of(object, struct channel, object)->peer;

    return peer ? &peer->object : NULL;
}

static zx_koid_t channel_related(const struct object *object)
{
    return container_of(object, struct channel, object)->peer_koid;
}

const struct object_ops channel_ops = {
    .type = ZX_OBJ_TYPE_CHANNEL,
    .name = "channel",
    .default_rights = ZX_DEFAULT_CHANNEL_RIGHTS,
    .user_signals = ZX_USER_SIGNAL_ALL,
    .on_zero_handles = channel_on_zero_handles,
    .destroy = channel_destroy,
    .peer = channel_peer,
    .related_koid = channel_related,
};
