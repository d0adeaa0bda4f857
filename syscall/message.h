/*
 * message.h - channel messages on their way from and to user memory: what the channel calls share.
 */
#ifndef ZVMM_SYSCALL_MESSAGE_H
#define ZVMM_SYSCALL_MESSAGE_H

#include "channel.h"
#include "thread.h"
#include "usercopy.h"

struct process;

/*
 * A message with the bytes in it and empty room for the handles. ZX_ERR_OUT_OF_RANGE: beyond the
 * limits; ZX_ERR_INVALID_ARGS: bytes not readable; ZX_ERR_NO_MEMORY.
 */
zx_status_t message_from_user(struct process *process, struct user_ptr bytes, uint32_t num_bytes,
                              uint32_t num_handles, struct channel_message **out);

/*
 * Moves the handles that the array names into the message: every one leaves the table, whatever the
 * result, which is the first error of the rules' (section 3, 6). Only if the array itself cannot be
 * read does nothing happen. On failure the message may own some; free it.
 */
zx_status_t message_put_handles(struct process *process, const struct channel *channel,
                                struct channel_message *message, struct user_ptr handles);

/* After a message was sent: a queue that nobody empties is a policy error of its writer. */
static inline void message_check_queue(struct thread *writer, const struct channel *channel)
{
    if (channel->peer && channel->peer->num_messages > CHANNEL_QUEUE_LIMIT)
        thread_policy_exception(writer, "too many messages in a channel");
}

/*
 * Closes the handles of a write that fails before they are looked at: a write consumes its handles
 * whatever its result. Ends at the first part of the array that cannot be read.
 */
void message_consume_handles(struct process *process, struct user_ptr handles, uint32_t count);

#define MESSAGE_CONSUME_MAX 65536u /* handles of a too long array that are still closed */

/* Where a message goes in user memory. */
struct message_destination {
    struct user_ptr bytes, handles, actual_bytes, actual_handles; /* actual_*: may be NULL */
    bool infos; /* handles is an array of zx_handle_info_t, not of values */
};

/* Writes how big the message is. */
zx_status_t message_return_sizes(struct process *process, const struct channel_message *message,
                                 const struct message_destination *to);

/*
 * Copies a message out (sizes, bytes, handles) and frees it. A bad pointer loses the message and
 * closes its handles. The caller has checked that it fits.
 */
zx_status_t message_deliver(struct process *process, struct channel_message *message,
                            const struct message_destination *to);

#endif
