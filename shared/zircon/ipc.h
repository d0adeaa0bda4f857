/*
 * Waiting and passing data: wait items, channels, sockets, streams and timers (Zircon ABI, March
 * 2020).
 */
#ifndef ZIRCON_IPC_H
#define ZIRCON_IPC_H

#include <zircon/internal/layout.h>
#include <zircon/limits.h>
#include <zircon/types.h>

/* --- Waits --- */

/* An element of zx_object_wait_many. */
typedef struct zx_wait_item {
    zx_handle_t handle;
    zx_signals_t waitfor;
    zx_signals_t pending; /* written by the call, also when it times out or is cancelled */
} zx_wait_item_t;
ZX_ABI_SIZE(zx_wait_item_t, 12);
ZX_ABI_OFFSET(zx_wait_item_t, pending, 8);

/* --- Channels --- */

#define ZX_CHANNEL_READ_MAY_DISCARD 0x1u /* a message that does not fit is dropped, not kept */

/* An element that zx_channel_read_etc returns. */
typedef struct zx_handle_info {
    zx_handle_t handle;
    zx_obj_type_t type;
    zx_rights_t rights;
    uint32_t unused;
} zx_handle_info_t;
ZX_ABI_SIZE(zx_handle_info_t, 16);
ZX_ABI_OFFSET(zx_handle_info_t, unused, 12);

/* What zx_channel_write_etc does with a handle. */
typedef uint32_t zx_handle_op_t;
#define ZX_HANDLE_OP_MOVE      0u /* the handle leaves the sender, also if the call fails */
#define ZX_HANDLE_OP_DUPLICATE 1u /* the sender keeps its handle; needs DUPLICATE */

typedef struct zx_handle_disposition {
    zx_handle_op_t operation;
    zx_handle_t handle;
    zx_obj_type_t type; /* expected type, or ZX_OBJ_TYPE_NONE to accept any */
    zx_rights_t rights; /* for the new handle, or ZX_RIGHT_SAME_RIGHTS */
    zx_status_t result; /* written only when the call fails */
} zx_handle_disposition_t;
ZX_ABI_SIZE(zx_handle_disposition_t, 20);
ZX_ABI_OFFSET(zx_handle_disposition_t, result, 16);

/* The argument block of zx_channel_call. */
typedef struct zx_channel_call_args {
    const void *wr_bytes; /* the first 4 bytes are replaced by the transaction id */
    const zx_handle_t *wr_handles;
    void *rd_bytes;
    zx_handle_t *rd_handles;
    uint32_t wr_num_bytes;
    uint32_t wr_num_handles;
    uint32_t rd_num_bytes; /* capacity */
    uint32_t rd_num_handles;
} zx_channel_call_args_t;
ZX_ABI_SIZE(zx_channel_call_args_t, 48);
ZX_ABI_OFFSET(zx_channel_call_args_t, wr_num_bytes, 32);
ZX_ABI_OFFSET(zx_channel_call_args_t, rd_num_handles, 44);

/* Set in every transaction id that zx_channel_call makes. */
#define ZX_CHANNEL_KERNEL_TXID_BIT 0x80000000u

/* --- Sockets --- */

#define ZX_SOCKET_STREAM         0u
#define ZX_SOCKET_DATAGRAM       0x1u
#define ZX_SOCKET_CREATE_MASK    0x1u
#define ZX_SOCKET_PEEK           0x8u /* option of zx_socket_read */
#define ZX_SOCKET_SHUTDOWN_WRITE 0x1u
#define ZX_SOCKET_SHUTDOWN_READ  0x2u
#define ZX_SOCKET_SHUTDOWN_MASK  0x3u

/* --- Streams --- */

#define ZX_STREAM_MODE_READ           0x1u
#define ZX_STREAM_MODE_WRITE          0x2u
#define ZX_STREAM_CREATE_MASK         0x3u
#define ZX_STREAM_APPEND              0x1u /* option of zx_stream_writev */
#define ZX_STREAM_SEEK_ORIGIN_START   0u
#define ZX_STREAM_SEEK_ORIGIN_CURRENT 1u
#define ZX_STREAM_SEEK_ORIGIN_END     2u

/* An element of the vectors of zx_stream_readv and zx_stream_writev. */
typedef struct zx_iovec {
    void *buffer;
    size_t capacity;
} zx_iovec_t;
ZX_ABI_SIZE(zx_iovec_t, 16);
ZX_ABI_OFFSET(zx_iovec_t, capacity, 8);

/* --- Timers: how far the time of firing may move within the slack --- */

#define ZX_TIMER_SLACK_CENTER 0u /* may fire within slack on either side */
#define ZX_TIMER_SLACK_EARLY  1u /* may fire up to slack early */
#define ZX_TIMER_SLACK_LATE   2u /* may fire up to slack late */

#endif
