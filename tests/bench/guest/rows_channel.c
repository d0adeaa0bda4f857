/*
 * rows_channel.c - writing a message into a channel and reading it back by the same thread, as
 * Zircon's benchmark does: sizes of 64 bytes to the largest, with and without a handle, by both
 * pairs of calls.
 */
#include "guest.h"

struct messenger {
    zx_handle_t ends[2], event;
    char *bytes;
    uint32_t size, handles;
};

static void messenger_open(struct run *run, struct messenger *m, const struct row *row)
{
    *m = (struct messenger){.size = (uint32_t)row->size, .handles = (uint32_t)row->count};
    m->bytes = buffer_map(run, ZX_CHANNEL_MAX_MSG_BYTES);
    OK(run, zx_channel_create(0, &m->ends[0], &m->ends[1]));
    OK(run, zx_event_create(0, &m->event));
}

static void messenger_close(struct messenger *m)
{
    zx_handle_close_many(m->ends, 2);
    zx_handle_close(m->event);
    buffer_unmap(m->bytes, ZX_CHANNEL_MAX_MSG_BYTES);
}

static inline void message_write(struct run *run, struct messenger *m)
{
    OK(run, zx_channel_write(m->ends[0], 0, m->bytes, m->size, &m->event, m->handles));
}

static inline void message_read(struct run *run, struct messenger *m)
{
    uint32_t bytes, handles;

    OK(run,
       zx_channel_read(m->ends[1], 0, m->bytes, &m->event, m->size, m->handles, &bytes, &handles));
}

static void write_read(struct run *run, const struct row *row)
{
    struct messenger m;

    messenger_open(run, &m, row);
    RUN_TURNS(run) {
        message_write(run, &m);
        run_step(run);
        message_read(run, &m);
    }
    messenger_close(&m);
}

/* The same without the clock between the two calls. */
static void write_read_batch(struct run *run, const struct row *row)
{
    struct messenger m;

    messenger_open(run, &m, row);
    RUN_TURNS(run) {
        message_write(run, &m);
        message_read(run, &m);
    }
    messenger_close(&m);
}

static void write_etc_read_etc(struct run *run, const struct row *row)
{
    struct messenger m;
    uint32_t bytes, handles;

    messenger_open(run, &m, row);
    RUN_TURNS(run) {
        zx_handle_disposition_t sent = {
            .operation = ZX_HANDLE_OP_MOVE, .handle = m.event, .rights = ZX_RIGHT_SAME_RIGHTS};
        zx_handle_info_t received;

        OK(run, zx_channel_write_etc(m.ends[0], 0, m.bytes, m.size, &sent, m.handles));
        run_step(run);
        OK(run, zx_channel_read_etc(m.ends[1], 0, m.bytes, &received, m.size, m.handles, &bytes,
                                    &handles));
        if (m.handles > 0)
            m.event = received.handle;
    }
    messenger_close(&m);
}

#define BOTH(prefix, function, bytes, names)                                                       \
    {prefix "/" #bytes "bytes/0handles", function, .size = bytes, .steps = names},                 \
    {                                                                                              \
        prefix "/" #bytes "bytes/1handles", function, .size = bytes, .count = 1, .steps = names    \
    }
#define FOUR_SIZES(prefix, function, names)                                                        \
    BOTH(prefix, function, 64, names), BOTH(prefix, function, 1024, names),                        \
        BOTH(prefix, function, 32768, names), BOTH(prefix, function, 65536, names)

const struct row channel_rows[] = {
    FOUR_SIZES("Channel/WriteRead", write_read, "write read"),
    FOUR_SIZES("Channel/WriteEtcReadEtc", write_etc_read_etc, "write_etc read_etc"),
    {"Channel/Batch/64bytes/0handles", write_read_batch, .batch = 32, .size = 64},
    {"Channel/Batch/64bytes/1handles", write_read_batch, .batch = 32, .size = 64, .count = 1},
    {0},
};
