/*
 * channel.h - channels: two ends, each with a queue of messages made of bytes and handles.
 *
 * A message is one heap block, filled straight from user memory. It is owned by whoever holds the
 * pointer: the writer, then the queue (or the channel call it answers), then the reader. Handles in
 * it are handle_refs, so the objects behind them count as having a handle.
 *
 * Life of an end. While it has a handle it is open. When the last handle closes, or it is destroyed
 * without ever having had one, channel_close runs: calls made through it end as CANCELED, the peer
 * loses its `peer`, gets PEER_CLOSED and its calls end, and the end's own messages are freed with
 * their handles. The peer's queue stays readable.
 *
 * Unreachable ends. An end has at most one handle (there is no DUPLICATE right), so while that
 * handle is in a message it is in exactly one queue: `holder` says whose. A write after which an
 * end's holder, or the holder's holder and so on, is the end itself has cut a circle of queues off
 * from everybody: none of them can ever be read again. Such a circle is closed at once, as if its
 * handles had been, so that it does not stay for ever; the peers see PEER_CLOSED.
 */
#ifndef ZVMM_OBJECT_CHANNEL_H
#define ZVMM_OBJECT_CHANNEL_H

#include "handle.h"
#include "object.h"

struct thread;

struct channel_message {
    STAILQ_ENTRY(channel_message) link;
    uint32_t num_bytes;
    uint32_t num_handles;
    struct handle_ref handles[]; /* then the bytes */
};

STAILQ_HEAD(channel_queue, channel_message);
TAILQ_HEAD(channel_calls, thread);

/* Messages in one queue above which each further one raises a policy exception in its writer. */
#define CHANNEL_QUEUE_LIMIT 3500u

struct channel {
    struct object object;
    struct channel *peer; /* not referenced; NULL once it has gone */
    zx_koid_t peer_koid;
    struct channel_queue messages;
    uint32_t num_messages;
    uint32_t last_txid;
    struct channel_calls calls; /* threads whose wait.call is pending on this end */
    struct channel *holder;     /* the end in whose queue this end's handle is; NULL: in none */
};

extern const struct object_ops channel_ops;

/* Two ends with one reference each. ZX_ERR_NO_MEMORY. */
zx_status_t channel_create(struct channel **out0, struct channel **out1);

/* What the closing of the last handle does; for ends the kernel itself holds, before it drops its
 * reference. Idempotent. */
void channel_close(struct channel *channel);

/* ---- Messages ------------------------------------------------------------------------------ */

/* Bytes undefined, handles empty; NULL when memory is out. The caller has checked the limits. */
struct channel_message *channel_message_alloc(uint32_t num_bytes, uint32_t num_handles);
/* Closes the handles that are still in it. */
void channel_message_free(struct channel_message *message);

static inline void *channel_message_bytes(struct channel_message *message)
{
    return message->handles + message->num_handles;
}

/*
 * Sends `message` to the peer: to the call it answers, or else to the end of the queue. On
 * ZX_ERR_PEER_CLOSED the caller still owns the message. The peer may be closed and gone afterwards
 * (see above).
 */
zx_status_t channel_write(struct channel *channel, struct channel_message *message);

/* The message that would be read next, NULL if none; it stays in the queue. */
static inline struct channel_message *channel_first(const struct channel *channel)
{
    return STAILQ_FIRST(&channel->messages);
}

/* Takes the first message out; the caller owns it. Precondition: there is one. */
struct channel_message *channel_take(struct channel *channel);

/* ---- Calls: state in thread->wait.call ------------------------------------------------------ */

/*
 * Gives `message` (at least 4 bytes) a fresh transaction id, sends it and registers the calling
 * thread for the answer, as CALL_WAITING; or the call is CALL_ENDED already, because the message
 * made the peer unreachable. Precondition: the thread has no call (CALL_NONE). On
 * ZX_ERR_PEER_CLOSED nothing is registered and the caller still owns the message.
 */
zx_status_t channel_call_begin(struct channel *channel, struct thread *thread,
                               struct channel_message *message);
/* Unlinks a wait for an answer: interrupted calls stay registered, others are withdrawn. */
void channel_call_unlink(struct thread *thread);
/* Ends CALL_ENDED: the result and, with ZX_OK, the answer, which the caller owns from now on. */
zx_status_t channel_call_result(struct thread *thread, struct channel_message **reply);
/* Withdraws whatever call the dying thread still has. */
void channel_thread_exit(struct thread *thread);

#endif
