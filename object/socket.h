/*
 * socket.h - sockets: two ends, each with a buffer of bytes (stream) or datagrams that the other
 * end fills.
 *
 * A buffer is a list of blocks. Stream data goes into the room of the last block and then into new
 * ones; each datagram has blocks of its own, of which the first knows its length. Copies go
 * straight between user memory and blocks, and nothing changes until all of a call's bytes have
 * been copied.
 */
#ifndef ZVMM_OBJECT_SOCKET_H
#define ZVMM_OBJECT_SOCKET_H

#include "object.h"
#include "usercopy.h"

struct process;
struct socket_block;

TAILQ_HEAD(socket_blocks, socket_block);

struct socket {
    struct object object;
    struct socket *peer; /* not referenced; NULL once it has gone */
    zx_koid_t peer_koid;
    bool datagrams;
    struct socket_blocks blocks; /* what this end can read */
    size_t size;                 /* bytes in them, at most ZX_SOCKET_BUFFER_MAX */
    size_t read_threshold;       /* bytes; 0: none */
    size_t write_threshold;
};

extern const struct object_ops socket_ops;

/* Two ends with one reference each; options: ZX_SOCKET_DATAGRAM. ZX_ERR_NO_MEMORY. */
zx_status_t socket_create(uint32_t options, struct socket **out0, struct socket **out1);

/* Errors and order: rules 106, 107, 108. */
zx_status_t socket_write(struct socket *socket, struct process *process, struct user_ptr from,
                         size_t length, size_t *actual);
zx_status_t socket_read(struct socket *socket, struct process *process, struct user_ptr to,
                        size_t length, bool peek, size_t *actual);
/* how: ZX_SOCKET_SHUTDOWN_* */
void socket_shutdown(struct socket *socket, uint32_t how);

#endif
