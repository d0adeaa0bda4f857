/*
 * channel.c - zx_channel_*: rules section 3.
 */
#include "channel.h"

#include <zircon/ipc.h>
#include <zircon/object.h>
#include <zircon/policy.h>

#include "job.h"
#include "message.h"
#include "syscalls.h"

#define MAX_HANDLES ZX_CHANNEL_MAX_MSG_HANDLES

int64_t sys_channel_create(struct thread *self, uint32_t options, struct user_ptr out0,
                           struct user_ptr out1)
{
    struct channel *a, *b;
    zx_status_t status;

    if (options != 0)
        return ZX_ERR_INVALID_ARGS;
    status = job_policy_check(self->process, ZX_POL_NEW_CHANNEL);
    if (status == ZX_OK)
        status = channel_create(&a, &b);
    if (status != ZX_OK)
        return status;
    return handle_return_pair(self->process, &a->object, ZX_DEFAULT_CHANNEL_RIGHTS, out0,
                              &b->object, ZX_DEFAULT_CHANNEL_RIGHTS, out1);
}

/* ---- Writing ------------------------------------------------------------------------------- */

/* Sends a message that is complete; consumes it in every case. */
static zx_status_t send_message(struct thread *self, struct channel *channel,
                                struct channel_message *message)
{
    zx_status_t status = channel_write(channel, message);

    if (status != ZX_OK)
        channel_message_free(message);
    else
        message_check_queue(self, channel);
    return status;
}

/* How the handles of a message stand in user memory: as values, or as dispositions. */
struct handle_source {
    zx_status_t (*put)(struct process *process, const struct channel *channel,
                       struct channel_message *message, struct user_ptr handles);
    void (*consume)(struct process *process, struct user_ptr handles, uint32_t count);
};

/* Inlined, so that the source costs nothing. */
__attribute__((always_inline)) static inline zx_status_t
write_message(struct thread *self, zx_handle_t handle, uint32_t options, struct user_ptr bytes,
              uint32_t num_bytes, struct user_ptr handles, uint32_t num_handles,
              const struct handle_source *source)
{
    struct process *process = self->process;
    struct channel *channel;
    struct channel_message *message;
    zx_status_t status = ZX_ERR_INVALID_ARGS;

    if (options == 0)
        status = handle_get(process, handle, ZX_OBJ_TYPE_CHANNEL, ZX_RIGHT_WRITE, &channel);
    if (status == ZX_OK)
        status = message_from_user(process, bytes, num_bytes, num_handles, &message);
    if (status != ZX_OK) {
        source->consume(process, handles, num_handles);
        return status;
    }
    if (num_handles) {
        status = source->put(process, channel, message, handles);
        if (status != ZX_OK) {
            channel_message_free(message);
            return status;
        }
    }
    return send_message(self, channel, message);
}

int64_t sys_channel_write(struct thread *self, zx_handle_t handle, uint32_t options,
                          struct user_ptr bytes, uint32_t num_bytes, struct user_ptr handles,
                          uint32_t num_handles)
{
    static const struct handle_source values = {message_put_handles, message_consume_handles};

    return write_message(self, handle, options, bytes, num_bytes, handles, num_handles, &values);
}

/* As consume; only the entries that would have been moved lose their handle. */
static void consume_dispositions(struct process *process, struct user_ptr entries, uint32_t count)
{
    zx_handle_disposition_t entry;

    if (count > MESSAGE_CONSUME_MAX)
        count = MESSAGE_CONSUME_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (user_read(process, &entry, entries, sizeof entry) != ZX_OK)
            return;
        if (entry.operation == ZX_HANDLE_OP_MOVE)
            handle_close(process, entry.handle);
        entries = user_at(entries, sizeof entry);
    }
}

/* The handle that one entry sends; what MOVE takes out of the table is in *ref even on failure. */
static zx_status_t take_disposition(struct process *process, const struct channel *channel,
                                    const zx_handle_disposition_t *entry, struct handle_ref *ref)
{
    struct handle_ref source;
    zx_status_t status;

    if (entry->operation == ZX_HANDLE_OP_MOVE) {
        status = handle_remove(process, entry->handle, ref);
        source = *ref;
    } else {
        status = handle_get_rights(process, entry->handle, ZX_OBJ_TYPE_NONE, ZX_RIGHT_NONE,
                                   &source.object, &source.rights);
    }
    if (status != ZX_OK)
        return status;
    if (!(source.rights & ZX_RIGHT_TRANSFER))
        return ZX_ERR_ACCESS_DENIED;
    if (source.object == &channel->object)
        return ZX_ERR_NOT_SUPPORTED;
    if (entry->type != ZX_OBJ_TYPE_NONE && entry->type != source.object->ops->type)
        return ZX_ERR_WRONG_TYPE;
    if (entry->operation > ZX_HANDLE_OP_DUPLICATE)
        return ZX_ERR_INVALID_ARGS;
    if (entry->rights != ZX_RIGHT_SAME_RIGHTS && (entry->rights & ~source.rights))
        return ZX_ERR_INVALID_ARGS;
    if (entry->operation == ZX_HANDLE_OP_DUPLICATE) {
        if (!(source.rights & ZX_RIGHT_DUPLICATE))
            return ZX_ERR_ACCESS_DENIED;
        object_handle_added(source.object);
        *ref = source;
    }
    if (entry->rights != ZX_RIGHT_SAME_RIGHTS)
        ref->rights = entry->rights;
    return ZX_OK;
}

/* put_handles for channel_write_etc; on failure every entry's result goes back to the caller. */
static zx_status_t put_dispositions(struct process *process, const struct channel *channel,
                                    struct channel_message *message, struct user_ptr entries)
{
    zx_handle_disposition_t entry[MAX_HANDLES];
    uint32_t n = message->num_handles;
    zx_status_t result = user_read(process, entry, entries, n * sizeof entry[0]);

    if (result != ZX_OK)
        return result;
    for (uint32_t i = 0; i < n; i++) {
        entry[i].result = take_disposition(process, channel, &entry[i], &message->handles[i]);
        if (result == ZX_OK)
            result = entry[i].result;
    }
    if (result != ZX_OK)
        user_write(process, entries, entry, n * sizeof entry[0]);
    return result;
}

int64_t sys_channel_write_etc(struct thread *self, zx_handle_t handle, uint32_t options,
                              struct user_ptr bytes, uint32_t num_bytes, struct user_ptr handles,
                              uint32_t num_handles)
{
    static const struct handle_source dispositions = {put_dispositions, consume_dispositions};

    return write_message(self, handle, options, bytes, num_bytes, handles, num_handles,
                         &dispositions);
}

/* ---- Reading ------------------------------------------------------------------------------- */

static zx_status_t read_message(struct thread *self, zx_handle_t handle, uint32_t options,
                                uint32_t num_bytes, uint32_t num_handles,
                                const struct message_destination *to)
{
    struct process *process = self->process;
    struct channel *channel;
    struct channel_message *message;
    zx_status_t status;

    status = handle_get(process, handle, ZX_OBJ_TYPE_CHANNEL, ZX_RIGHT_READ, &channel);
    if (status != ZX_OK)
        return status;
    if (options & ~ZX_CHANNEL_READ_MAY_DISCARD)
        return ZX_ERR_NOT_SUPPORTED;
    message = channel_first(channel);
    if (!message)
        return channel->peer ? ZX_ERR_SHOULD_WAIT : ZX_ERR_PEER_CLOSED;
    if (message->num_bytes > num_bytes || message->num_handles > num_handles) {
        status = message_return_sizes(process, message, to);
        if (options & ZX_CHANNEL_READ_MAY_DISCARD)
            channel_message_free(channel_take(channel));
        return status == ZX_OK ? ZX_ERR_BUFFER_TOO_SMALL : status;
    }
    if (message->num_handles) {
        status = handle_reserve(process, message->num_handles);
        if (status != ZX_OK)
            return status;
    }
    return message_deliver(process, channel_take(channel), to);
}

int64_t sys_channel_read(struct thread *self, zx_handle_t handle, uint32_t options,
                         struct user_ptr bytes, struct user_ptr handles, uint32_t num_bytes,
                         uint32_t num_handles, struct user_ptr actual_bytes,
                         struct user_ptr actual_handles)
{
    struct message_destination to = {bytes, handles, actual_bytes, actual_handles, false};

    return read_message(self, handle, options, num_bytes, num_handles, &to);
}

int64_t sys_channel_read_etc(struct thread *self, zx_handle_t handle, uint32_t options,
                             struct user_ptr bytes, struct user_ptr handles, uint32_t num_bytes,
                             uint32_t num_handles, struct user_ptr actual_bytes,
                             struct user_ptr actual_handles)
{
    struct message_destination to = {bytes, handles, actual_bytes, actual_handles, true};

    return read_message(self, handle, options, num_bytes, num_handles, &to);
}
