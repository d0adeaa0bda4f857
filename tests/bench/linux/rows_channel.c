/*
 * rows_channel.c - Linux: a message through a seqpacket socket; a handle is a descriptor sent by
 * SCM_RIGHTS and closed by the sender, so that it moves.
 */
#include "linux.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 65536

struct messenger {
    int ends[2], event;
    char *bytes;
    size_t size;
};

static void messenger_open(struct run *run, struct messenger *m, const struct row *row)
{
    *m = (struct messenger){.size = row->size, .event = eventfd(0, EFD_CLOEXEC)};
    m->bytes = buffer_map(run, MOST);
    socket_pair(run, SOCK_SEQPACKET, m->ends);
}

static void messenger_close(struct messenger *m)
{
    close(m->ends[0]);
    close(m->ends[1]);
    close(m->event);
    buffer_unmap(m->bytes, MOST);
}

union control {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
};

static void message_write(struct run *run, struct messenger *m, bool handle)
{
    union control control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec part = {m->bytes, m->size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (!handle) {
        OK(run, write(m->ends[0], m->bytes, m->size));
        return;
    }
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &m->event, sizeof(int));
    message.msg_control = control.room;
    message.msg_controllen = sizeof(control.room);
    OK(run, sendmsg(m->ends[0], &message, 0));
    close(m->event);
}

static void message_read(struct run *run, struct messenger *m, bool handle)
{
    union control control;
    struct iovec part = {m->bytes, m->size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (!handle) {
        OK(run, read(m->ends[1], m->bytes, m->size));
        return;
    }
    message.msg_control = control.room;
    message.msg_controllen = sizeof(control.room);
    OK(run, recvmsg(m->ends[1], &message, 0));
    memcpy(&m->event, CMSG_DATA(&control.header), sizeof(int));
}

static void write_read(struct run *run, const struct row *row)
{
    struct messenger m;

    messenger_open(run, &m, row);
    RUN_TURNS(run) {
        message_write(run, &m, row->count > 0);
        run_step(run);
        message_read(run, &m, row->count > 0);
    }
    messenger_close(&m);
}

static void write_read_batch(struct run *run, const struct row *row)
{
    struct messenger m;

    messenger_open(run, &m, row);
    RUN_TURNS(run) {
        message_write(run, &m, row->count > 0);
        message_read(run, &m, row->count > 0);
    }
    messenger_close(&m);
}

#define BOTH(prefix, bytes, names)                                                                 \
    {prefix "/" #bytes "bytes/0handles", write_read, .size = bytes, .steps = names},               \
    {                                                                                              \
        prefix "/" #bytes "bytes/1handles", write_read, .size = bytes, .count = 1, .steps = names  \
    }
#define FOUR_SIZES(prefix, names)                                                                  \
    BOTH(prefix, 64, names), BOTH(prefix, 1024, names), BOTH(prefix, 32768, names),                \
        BOTH(prefix, 65536, names)

const struct row channel_rows[] = {
    FOUR_SIZES("Channel/WriteRead", "write read"),
    FOUR_SIZES("Channel/WriteEtcReadEtc", "write_etc read_etc"),
    {"Channel/Batch/64bytes/0handles", write_read_batch, .batch = 32, .size = 64},
    {"Channel/Batch/64bytes/1handles", write_read_batch, .batch = 32, .size = 64, .count = 1},
    {0},
};
