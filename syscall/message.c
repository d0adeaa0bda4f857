/*
 * message.c - channel messages on their way from and to user memory.
 */
#include "message.h"

#include <zircon/errors.h>
#include <zircon/ipc.h>

#include "format.h"
#include "process.h"

#define MAX_HANDLES ZX_CHANNEL_MAX_MSG_HANDLES

zx_status_t message_from_user(struct process *process, struct user_ptr bytes, uint32_t num_bytes,
                              uint32_t num_handles, struct channel_message **out)
{
    struct channel_message *message;
    zx_status_t status;

    if (num_bytes > ZX_CHANNEL_MAX_MSG_BYTES || num_handles > MAX_HANDLES)
        return ZX_ERR_OUT_OF_RANGE;
    message = channel_message_alloc(num_bytes, num_handles);
    if (!message)
        return ZX_ERR_NO_MEMORY;
    status = user_read(process, channel_message_bytes(message), bytes, num_bytes);
    if (status != ZX_OK) {
        channel_message_free(message);
        return status;
    }
    *out = message;
    return ZX_OK;
}

void message_consume_handles(struct process *process, struct user_ptr handles, uint32_t count)
{
    zx_handle_t values[MAX_HANDLES];

    if (count > MESSAGE_CONSUME_MAX)
        count = MESSAGE_CONSUME_MAX;
    while (count > 0) {
        uint32_t n = count < MAX_HANDLES ? count : MAX_HANDLES;

        if (user_read(process, values, handles, n * sizeof values[0]) != ZX_OK)
            return;
        for (uint32_t i = 0; i < n; i++)
            handle_close(process, values[i]);
        handles = user_at(handles, n * sizeof values[0]);
        count -= n;
    }
}

zx_status_t message_put_handles(struct process *process, const struct channel *channel,
                                struct channel_message *message, struct user_ptr handles)
{
    zx_handle_t values[MAX_HANDLES];
    uint32_t n = message->num_handles;
    zx_status_t status, result = user_read(process, values, handles, n * sizeof values[0]);

    if (result != ZX_OK)
        return result;
    for (uint32_t i = 0; i < n; i++) {
        struct handle_ref *ref = &message->handles[i];

        status = handle_remove(process, values[i], ref);
        if (status == ZX_OK && !(ref->rights & ZX_RIGHT_TRANSFER))
            status = ZX_ERR_ACCESS_DENIED;
        else if (status == ZX_OK && ref->object == &channel->object)
            status = ZX_ERR_NOT_SUPPORTED;
        if (result == ZX_OK)
            result = status;
    }
    return result;
}

/* Installs the message's handles, for which room was reserved; values[] gets what they are now. */
static void install_handles(struct process *process, struct channel_message *message,
                            zx_handle_t *values)
{
    for (uint32_t i = 0; i < message->num_handles; i++) {
        zx_status_t status = handle_install(process, message->handles[i], &values[i]);

        assert(status == ZX_OK);
        message->handles[i].object = NULL;
    }
}

static zx_status_t return_handles(struct process *process, struct channel_message *message,
                                  struct user_ptr out)
{
    zx_handle_t values[MAX_HANDLES];
    uint32_t n = message->num_handles;
    zx_status_t status;

    install_handles(process, message, values);
    status = user_write(process, out, values, n * sizeof values[0]);
    for (uint32_t i = 0; status != ZX_OK && i < n; i++)
        handle_close(process, values[i]);
    return status;
}

static zx_status_t return_handle_infos(struct process *process, struct channel_message *message,
                                       struct user_ptr out)
{
    zx_handle_info_t infos[MAX_HANDLES];
    zx_handle_t values[MAX_HANDLES];
    uint32_t n = message->num_handles;
    zx_status_t status;

    for (uint32_t i = 0; i < n; i++) {
        infos[i].type = message->handles[i].object->ops->type;
        infos[i].rights = message->handles[i].rights;
        infos[i].unused = 0;
    }
    install_handles(process, message, values);
    for (uint32_t i = 0; i < n; i++)
        infos[i].handle = values[i];
    status = user_write(process, out, infos, n * sizeof infos[0]);
    for (uint32_t i = 0; status != ZX_OK && i < n; i++)
        handle_close(process, values[i]);
    return status;
}

zx_status_t message_return_sizes(struct process *process, const struct channel_message *message,
                                 const struct message_destination *to)
{
    zx_status_t status = user_write_opt_u32(process, to->actual_bytes, message->num_bytes);

    if (status != ZX_OK)
        return status;
    return user_write_opt_u32(process, to->actual_handles, message->num_handles);
}

zx_status_t message_deliver(struct process *process, struct channel_message *message,
                            const struct message_destination *to)
{
    zx_status_t status = ZX_OK;

    if (message->num_handles)
        status = handle_reserve(process, message->num_handles);
    if (status == ZX_OK)
        status = message_return_sizes(process, message, to);
    if (status == ZX_OK)
        status = user_write(process, to->bytes, channel_message_bytes(message), message->num_bytes);
    if (status == ZX_OK && message->num_handles)
        status = to->infos ? return_handle_infos(process, message, to->handles)
                           : return_handles(process, message, to->handles);
    channel_message_free(message);
    return status;
}
