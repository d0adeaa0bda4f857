/*
 * channel-call.c - zx_channel_call_noretry and zx_channel_call_finish: rules section 3, 8 and 9.
 *
 * The vDSO's zx_channel_call makes the first, and the second for as long as the result is
 * INTERNAL_INTR_RETRY. The call lives in thread->wait.call from one to the other
 * (object/channel.h).
 */
#include "channel.h"

#include <zircon/ipc.h>
#include <zircon/object.h>

#include "format.h"
#include "message.h"
#include "syscalls.h"

/* An answer that does not fit is lost, but the caller learns how large it was. */
static zx_status_t tell_sizes(struct thread *self, const struct channel_message *reply)
{
    zx_status_t status =
        user_write_u32(self->process, self->wait.u.call.actual_bytes, reply->num_bytes);

    if (status == ZX_OK)
        status =
            user_write_u32(self->process, self->wait.u.call.actual_handles, reply->num_handles);
    return status == ZX_OK ? ZX_ERR_BUFFER_TOO_SMALL : status;
}

/* The call has ended: hand over its result. */
static zx_status_t finish_call(struct thread *self)
{
    struct message_destination to = {
        .bytes = self->wait.u.call.bytes,
        .handles = self->wait.u.call.handles,
        .actual_bytes = self->wait.u.call.actual_bytes,
        .actual_handles = self->wait.u.call.actual_handles,
    };
    struct channel_message *reply;
    zx_status_t status = channel_call_result(self, &reply);

    if (status != ZX_OK)
        return status;
    if (reply->num_bytes > self->wait.u.call.num_bytes ||
        reply->num_handles > self->wait.u.call.num_handles)
        status = tell_sizes(self, reply);
    else if (user_null(to.actual_bytes) || user_null(to.actual_handles))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        return message_deliver(self->process, reply, &to);
    channel_message_free(reply);
    return status;
}

static int64_t call_finish(struct thread *thread, zx_status_t status)
{
    return thread->wait.call.state == CALL_ENDED ? finish_call(thread) : status;
}

static void call_describe(const struct thread *thread, char *text, size_t size)
{
    const struct channel *channel = thread->wait.call.channel;

    format(text, size, "channel %lu, transaction %x", channel ? channel->object.koid : 0,
           thread->wait.call.txid);
}

static const struct wait_kind wait_kind_channel_call = {
    .name = "channel_call",
    .info_state = ZX_THREAD_STATE_BLOCKED_CHANNEL,
    .unlink = channel_call_unlink,
    .finish = call_finish,
    .describe = call_describe,
};

static void set_destination(struct thread *self, const zx_channel_call_args_t *args,
                            struct user_ptr actual_bytes, struct user_ptr actual_handles)
{
    self->wait.u.call.bytes.va = (zx_vaddr_t)args->rd_bytes;
    self->wait.u.call.handles.va = (zx_vaddr_t)args->rd_handles;
    self->wait.u.call.num_bytes = args->rd_num_bytes;
    self->wait.u.call.num_handles = args->rd_num_handles;
    self->wait.u.call.actual_bytes = actual_bytes;
    self->wait.u.call.actual_handles = actual_handles;
}

/* Builds the message of the call. Its handles are consumed whatever the result. */
static zx_status_t outgoing(struct process *process, const struct channel *channel,
                            const zx_channel_call_args_t *args, struct channel_message **out)
{
    struct user_ptr bytes = {(zx_vaddr_t)args->wr_bytes};
    struct user_ptr handles = {(zx_vaddr_t)args->wr_handles};
    struct channel_message *message;
    zx_status_t status =
        message_from_user(process, bytes, args->wr_num_bytes, args->wr_num_handles, &message);

    if (status != ZX_OK) {
        message_consume_handles(process, handles, args->wr_num_handles);
        return status;
    }
    if (args->wr_num_handles) {
        status = message_put_handles(process, channel, message, handles);
        if (status != ZX_OK) {
            channel_message_free(message);
            return status;
        }
    }
    *out = message;
    return ZX_OK;
}

int64_t sys_channel_call_noretry(struct thread *self, zx_handle_t handle, uint32_t options,
                                 zx_time_t deadline, struct user_ptr user_args,
                                 struct user_ptr actual_bytes, struct user_ptr actual_handles)
{
    struct process *process = self->process;
    zx_channel_call_args_t args;
    struct channel *channel;
    struct channel_message *message;
    zx_status_t status = user_read(process, &args, user_args, sizeof args);

    if (status != ZX_OK)
        return status;
    if (options != 0 || args.wr_num_bytes < sizeof(zx_txid_t))
        status = ZX_ERR_INVALID_ARGS;
    if (status == ZX_OK)
        status = handle_get(process, handle, ZX_OBJ_TYPE_CHANNEL, ZX_RIGHT_READ | ZX_RIGHT_WRITE,
                            &channel);
    if (status != ZX_OK) {
        message_consume_handles(process, (struct user_ptr){(zx_vaddr_t)args.wr_handles},
                                args.wr_num_handles);
        return status;
    }
    status = outgoing(process, channel, &args, &message);
    if (status != ZX_OK)
        return status;
    if (self->wait.call.state != CALL_NONE) {
        /* Not the vDSO: it would have finished the interrupted call first. */
        channel_message_free(message);
        process_kill(process, ZX_TASK_RETCODE_VDSO_KILL);
        return ZX_ERR_BAD_STATE;
    }
    status = channel_call_begin(channel, self, message);
    if (status != ZX_OK) {
        channel_message_free(message);
        return status;
    }
    message_check_queue(self, channel);
    set_destination(self, &args, actual_bytes, actual_handles);
    if (self->wait.call.state == CALL_ENDED)
        return finish_call(self);
    wait_begin(self, &wait_kind_channel_call, deadline);
    return ZX_OK;
}

int64_t sys_channel_call_finish(struct thread *self, zx_time_t deadline, struct user_ptr user_args,
                                struct user_ptr actual_bytes, struct user_ptr actual_handles)
{
    zx_channel_call_args_t args;
    zx_status_t status = user_read(self->process, &args, user_args, sizeof args);

    if (status != ZX_OK)
        return status;
    if (self->wait.call.state == CALL_NONE)
        return ZX_ERR_BAD_STATE;
    set_destination(self, &args, actual_bytes, actual_handles);
    if (self->wait.call.state == CALL_ENDED)
        return finish_call(self);
    self->wait.call.state = CALL_WAITING;
    wait_begin(self, &wait_kind_channel_call, deadline);
    return ZX_OK;
}
