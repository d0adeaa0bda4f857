/*
 * Channels: messages, handles in messages, calls.
 */
#include "test.h"

#include <stdlib.h>
#include <threads.h>

#define MESSAGE_BYTES_MAX   65536u
#define MESSAGE_HANDLES_MAX 64u

struct pair {
    zx_handle_t a, b;
};

static struct pair make_channel(void)
{
    struct pair p;

    ASSERT_OK(zx_channel_create(0, &p.a, &p.b));
    return p;
}

static void close_pair(struct pair p)
{
    CLOSE(p.a);
    CLOSE(p.b);
}

static zx_handle_t make_event(void)
{
    zx_handle_t event;

    ASSERT_OK(zx_event_create(0, &event));
    return event;
}

TEST(Channel, Create)
{
    struct pair p = make_channel();

    EXPECT_EQ(basic_info(p.a).type, ZX_OBJ_TYPE_CHANNEL);
    EXPECT_EQ(basic_info(p.a).rights, ZX_DEFAULT_CHANNEL_RIGHTS);
    EXPECT_EQ(signals_of(p.a), ZX_CHANNEL_WRITABLE);
    EXPECT_EQ(signals_of(p.b), ZX_CHANNEL_WRITABLE);
    close_pair(p);
}

TEST(Channel, CreateBadArguments)
{
    zx_handle_t a, b;

    EXPECT_STATUS(zx_channel_create(1, &a, &b), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_create(0, UNMAPPED, &b), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_create(0, &a, KERNEL_ADDRESS), ZX_ERR_INVALID_ARGS);
}

TEST(Channel, CannotBeDuplicated)
{
    struct pair p = make_channel();
    zx_handle_t copy;

    EXPECT_STATUS(zx_handle_duplicate(p.a, ZX_RIGHT_SAME_RIGHTS, &copy), ZX_ERR_ACCESS_DENIED);
    close_pair(p);
}

TEST(Channel, WriteAndRead)
{
    static const char message[] = "some bytes";
    struct pair p = make_channel();
    uint32_t size = 99, handles = 99;
    char buffer[32] = "";

    ASSERT_OK(zx_channel_write(p.a, 0, message, sizeof(message), NULL, 0));
    EXPECT_EQ(signals_of(p.b), ZX_CHANNEL_WRITABLE | ZX_CHANNEL_READABLE);
    EXPECT_EQ(signals_of(p.a), ZX_CHANNEL_WRITABLE);
    EXPECT_OK(zx_channel_read(p.b, 0, buffer, NULL, sizeof(buffer), 0, &size, &handles));
    EXPECT_EQ(size, sizeof(message));
    EXPECT_EQ(handles, 0);
    EXPECT_EQ(strcmp(buffer, message), 0);
    EXPECT_EQ(signals_of(p.b), ZX_CHANNEL_WRITABLE);
    close_pair(p);
}

TEST(Channel, MessagesKeepTheirOrder)
{
    struct pair p = make_channel();

    for (uint32_t i = 0; i < 100; i++)
        ASSERT_OK(zx_channel_write(p.a, 0, &i, sizeof(i), NULL, 0));
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t value = 0;
        ASSERT_OK(zx_channel_read(p.b, 0, &value, NULL, sizeof(value), 0, NULL, NULL));
        EXPECT_EQ(value, i);
        EXPECT_EQ(!!(signals_of(p.b) & ZX_CHANNEL_READABLE), i < 99);
    }
    close_pair(p);
}

TEST(Channel, BothDirections)
{
    struct pair p = make_channel();
    uint32_t one = 1, two = 2, value;

    ASSERT_OK(zx_channel_write(p.a, 0, &one, sizeof(one), NULL, 0));
    ASSERT_OK(zx_channel_write(p.b, 0, &two, sizeof(two), NULL, 0));
    ASSERT_OK(zx_channel_read(p.a, 0, &value, NULL, sizeof(value), 0, NULL, NULL));
    EXPECT_EQ(value, 2);
    ASSERT_OK(zx_channel_read(p.b, 0, &value, NULL, sizeof(value), 0, NULL, NULL));
    EXPECT_EQ(value, 1);
    close_pair(p);
}

TEST(Channel, EmptyMessage)
{
    struct pair p = make_channel();
    uint32_t size = 99;

    EXPECT_OK(zx_channel_write(p.a, 0, NULL, 0, NULL, 0));
    EXPECT_EQ(signals_of(p.b) & ZX_CHANNEL_READABLE, ZX_CHANNEL_READABLE);
    EXPECT_OK(zx_channel_read(p.b, 0, NULL, NULL, 0, 0, &size, NULL));
    EXPECT_EQ(size, 0);
    close_pair(p);
}

TEST(Channel, ReadWhenEmpty)
{
    struct pair p = make_channel();
    char byte;

    EXPECT_STATUS(zx_channel_read(p.a, 0, &byte, NULL, 1, 0, NULL, NULL), ZX_ERR_SHOULD_WAIT);
    close_pair(p);
}

TEST(Channel, LargestMessage)
{
    struct pair p = make_channel();
    char *out = malloc(MESSAGE_BYTES_MAX + 1), *in = malloc(MESSAGE_BYTES_MAX);
    uint32_t size;

    ASSERT_TRUE(out && in);
    for (size_t i = 0; i < MESSAGE_BYTES_MAX; i++)
        out[i] = (char)(i * 7 + i / 256);
    EXPECT_STATUS(zx_channel_write(p.a, 0, out, MESSAGE_BYTES_MAX + 1, NULL, 0),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_channel_write(p.a, 0, out, MESSAGE_BYTES_MAX, NULL, 0));
    EXPECT_OK(zx_channel_read(p.b, 0, in, NULL, MESSAGE_BYTES_MAX, 0, &size, NULL));
    EXPECT_EQ(size, MESSAGE_BYTES_MAX);
    EXPECT_EQ(memcmp(in, out, MESSAGE_BYTES_MAX), 0);
    free(out);
    free(in);
    close_pair(p);
}

TEST(Channel, TooSmallBuffer)
{
    struct pair p = make_channel();
    uint32_t size = 0, handles = 99;
    char buffer[8];

    ASSERT_OK(zx_channel_write(p.a, 0, "12345678", 8, NULL, 0));
    EXPECT_STATUS(zx_channel_read(p.b, 0, buffer, NULL, 7, 0, &size, &handles),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(size, 8);
    EXPECT_EQ(handles, 0);
    EXPECT_OK(zx_channel_read(p.b, 0, buffer, NULL, 8, 0, &size, NULL));
    close_pair(p);
}

TEST(Channel, TooFewHandles)
{
    struct pair p = make_channel();
    zx_handle_t handles[2] = {make_event(), make_event()};
    uint32_t size, count = 0;

    ASSERT_OK(zx_channel_write(p.a, 0, NULL, 0, handles, 2));
    EXPECT_STATUS(zx_channel_read(p.b, 0, NULL, handles, 0, 1, &size, &count),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(count, 2);
    EXPECT_OK(zx_channel_read(p.b, 0, NULL, handles, 0, 2, &size, &count));
    CLOSE(handles[0]);
    CLOSE(handles[1]);
    close_pair(p);
}

TEST(Channel, MayDiscard)
{
    struct pair p = make_channel(), inside = make_channel();
    uint32_t size = 0;

    ASSERT_OK(zx_channel_write(p.a, 0, "12345678", 8, &inside.b, 1));
    EXPECT_STATUS(zx_channel_read(p.b, ZX_CHANNEL_READ_MAY_DISCARD, NULL, NULL, 0, 0, &size, NULL),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_EQ(size, 8);
    EXPECT_STATUS(zx_channel_read(p.b, 0, NULL, NULL, 0, 0, &size, NULL), ZX_ERR_SHOULD_WAIT);
    /* The handle in it was closed. */
    EXPECT_EQ(signals_of(inside.a), ZX_CHANNEL_PEER_CLOSED);
    CLOSE(inside.a);
    close_pair(p);
}

TEST(Channel, ReadBadOptions)
{
    struct pair p = make_channel();
    char byte;

    EXPECT_STATUS(zx_channel_read(p.a, 2, &byte, NULL, 1, 0, NULL, NULL), ZX_ERR_NOT_SUPPORTED);
    close_pair(p);
}

TEST(Channel, PeerClosed)
{
    struct pair p = make_channel();
    char byte;

    ASSERT_OK(zx_channel_write(p.a, 0, "x", 1, NULL, 0));
    CLOSE(p.a);
    EXPECT_EQ(signals_of(p.b), ZX_CHANNEL_PEER_CLOSED | ZX_CHANNEL_READABLE);
    EXPECT_STATUS(zx_channel_write(p.b, 0, "x", 1, NULL, 0), ZX_ERR_PEER_CLOSED);
    /* What was sent can still be read. */
    EXPECT_OK(zx_channel_read(p.b, 0, &byte, NULL, 1, 0, NULL, NULL));
    EXPECT_EQ(byte, 'x');
    EXPECT_EQ(signals_of(p.b), ZX_CHANNEL_PEER_CLOSED);
    EXPECT_STATUS(zx_channel_read(p.b, 0, &byte, NULL, 1, 0, NULL, NULL), ZX_ERR_PEER_CLOSED);
    CLOSE(p.b);
}

TEST(Channel, TransferHandle)
{
    struct pair p = make_channel();
    zx_handle_t event = make_event(), received = 0;
    zx_koid_t koid = basic_info(event).koid;
    uint32_t count = 0;

    ASSERT_OK(zx_channel_write(p.a, 0, NULL, 0, &event, 1));
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    ASSERT_OK(zx_channel_read(p.b, 0, NULL, &received, 0, 1, NULL, &count));
    EXPECT_EQ(count, 1);
    EXPECT_EQ(basic_info(received).koid, koid);
    EXPECT_EQ(basic_info(received).rights, ZX_DEFAULT_EVENT_RIGHTS);
    CLOSE(received);
    close_pair(p);
}

TEST(Channel, TransferManyHandles)
{
    struct pair p = make_channel();
    zx_handle_t handles[MESSAGE_HANDLES_MAX];
    zx_koid_t koids[MESSAGE_HANDLES_MAX];
    uint32_t count = 0;

    for (size_t i = 0; i < MESSAGE_HANDLES_MAX; i++) {
        handles[i] = make_event();
        koids[i] = basic_info(handles[i]).koid;
    }
    ASSERT_OK(zx_channel_write(p.a, 0, NULL, 0, handles, MESSAGE_HANDLES_MAX));
    memset(handles, 0, sizeof(handles));
    ASSERT_OK(zx_channel_read(p.b, 0, NULL, handles, 0, MESSAGE_HANDLES_MAX, NULL, &count));
    EXPECT_EQ(count, MESSAGE_HANDLES_MAX);
    for (size_t i = 0; i < MESSAGE_HANDLES_MAX; i++)
        EXPECT_EQ(basic_info(handles[i]).koid, koids[i]);
    EXPECT_OK(zx_handle_close_many(handles, MESSAGE_HANDLES_MAX));
    close_pair(p);
}

TEST(Channel, TooManyHandlesAreConsumed)
{
    struct pair p = make_channel();
    zx_handle_t handles[MESSAGE_HANDLES_MAX + 1];

    for (size_t i = 0; i <= MESSAGE_HANDLES_MAX; i++)
        handles[i] = make_event();
    EXPECT_STATUS(zx_channel_write(p.a, 0, NULL, 0, handles, MESSAGE_HANDLES_MAX + 1),
                  ZX_ERR_OUT_OF_RANGE);
    for (size_t i = 0; i <= MESSAGE_HANDLES_MAX; i++)
        EXPECT_STATUS(zx_handle_close(handles[i]), ZX_ERR_BAD_HANDLE);
    close_pair(p);
}

TEST(Channel, FailedWriteConsumesHandles)
{
    struct pair p = make_channel();
    zx_handle_t event = make_event();

    EXPECT_STATUS(zx_channel_write(p.a, 1, NULL, 0, &event, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    event = make_event();
    EXPECT_STATUS(zx_channel_write(p.a, 0, UNMAPPED, 8, &event, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    event = make_event();
    EXPECT_STATUS(zx_channel_write(closed_handle(), 0, NULL, 0, &event, 1), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    CLOSE(p.b);
    event = make_event();
    EXPECT_STATUS(zx_channel_write(p.a, 0, NULL, 0, &event, 1), ZX_ERR_PEER_CLOSED);
    EXPECT_STATUS(zx_handle_close(event), ZX_ERR_BAD_HANDLE);
    CLOSE(p.a);
}

TEST(Channel, BadHandlesInAMessage)
{
    struct pair p = make_channel();
    zx_handle_t handles[2] = {make_event(), closed_handle()};

    EXPECT_STATUS(zx_channel_write(p.a, 0, NULL, 0, handles, 2), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(handles[0]), ZX_ERR_BAD_HANDLE);
    handles[0] = handles[1] = make_event();
    EXPECT_STATUS(zx_channel_write(p.a, 0, NULL, 0, handles, 2), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_handle_close(handles[0]), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_channel_read(p.b, 0, NULL, handles, 0, 2, NULL, NULL), ZX_ERR_SHOULD_WAIT);
    EXPECT_STATUS(zx_channel_write(p.a, 0, NULL, 0, UNMAPPED, 1), ZX_ERR_INVALID_ARGS);
    close_pair(p);
}

TEST(Channel, HandleWithoutTransfer)
{
    struct pair p = make_channel();
    zx_handle_t event = make_event(), stuck = without_rights(event, ZX_RIGHT_TRANSFER);

    EXPECT_STATUS(zx_channel_write(p.a, 0, NULL, 0, &stuck, 1), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_handle_close(stuck), ZX_ERR_BAD_HANDLE);
    CLOSE(event);
    close_pair(p);
}

TEST(Channel, CannotSendItself)
{
    struct pair p = make_channel();
    zx_handle_t handle = p.a;

    EXPECT_STATUS(zx_channel_write(p.a, 0, NULL, 0, &handle, 1), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_handle_close(p.a), ZX_ERR_BAD_HANDLE);
    EXPECT_EQ(signals_of(p.b) & ZX_CHANNEL_PEER_CLOSED, ZX_CHANNEL_PEER_CLOSED);
    CLOSE(p.b);
}

/* Both ends are gone, in a queue that nobody can read any more: the kernel has to notice. */
TEST(Channel, SendThePeer)
{
    struct pair p = make_channel(), inside = make_channel();
    zx_handle_t handles[2] = {inside.b, p.b};

    EXPECT_OK(zx_channel_write(p.a, 0, NULL, 0, handles, 2));
    CLOSE(p.a);
    EXPECT_EQ(signals_of(inside.a), ZX_CHANNEL_PEER_CLOSED);
    CLOSE(inside.a);
}

TEST(Channel, HandlesInUnreadMessagesAreClosed)
{
    struct pair p = make_channel(), inside = make_channel();

    ASSERT_OK(zx_channel_write(p.a, 0, NULL, 0, &inside.b, 1));
    EXPECT_EQ(signals_of(inside.a), ZX_CHANNEL_WRITABLE);
    CLOSE(p.b);
    EXPECT_EQ(signals_of(inside.a), ZX_CHANNEL_PEER_CLOSED);
    CLOSE(inside.a);
    CLOSE(p.a);
}

/* A chain of channels, each in the queue of the next: closing one end destroys all of them. */
TEST(Channel, LongChainIsDestroyed)
{
    struct pair first = make_channel(), p = first;

    for (int i = 0; i < 2000; i++) {
        struct pair next = make_channel();
        ASSERT_OK(zx_channel_write(next.a, 0, NULL, 0, &p.b, 1));
        if (i > 0)
            CLOSE(p.a);
        p = next;
    }
    CLOSE(p.a);
    CLOSE(p.b);
    EXPECT_EQ(signals_of(first.a), ZX_CHANNEL_PEER_CLOSED);
    CLOSE(first.a);
}

TEST(Channel, Rights)
{
    struct pair p = make_channel();
    zx_handle_t read_only;
    char byte;

    ASSERT_OK(zx_handle_replace(p.a, ZX_RIGHT_READ, &read_only));
    EXPECT_STATUS(zx_channel_write(read_only, 0, "x", 1, NULL, 0), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_channel_read(read_only, 0, &byte, NULL, 1, 0, NULL, NULL), ZX_ERR_SHOULD_WAIT);
    ASSERT_OK(zx_handle_replace(p.b, ZX_RIGHT_WRITE, &p.b));
    EXPECT_STATUS(zx_channel_read(p.b, 0, &byte, NULL, 1, 0, NULL, NULL), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_channel_write(p.b, 0, "x", 1, NULL, 0));
    EXPECT_OK(zx_channel_read(read_only, 0, &byte, NULL, 1, 0, NULL, NULL));
    CLOSE(read_only);
    CLOSE(p.b);
}

TEST(Channel, WrongType)
{
    zx_handle_t event = make_event();
    char byte;

    EXPECT_STATUS(zx_channel_write(event, 0, "x", 1, NULL, 0), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_channel_read(event, 0, &byte, NULL, 1, 0, NULL, NULL), ZX_ERR_WRONG_TYPE);
    CLOSE(event);
}

TEST(Channel, ReadIntoBadPointers)
{
    struct pair p = make_channel();
    char byte;

    ASSERT_OK(zx_channel_write(p.a, 0, "x", 1, NULL, 0));
    EXPECT_STATUS(zx_channel_read(p.b, 0, &byte, NULL, 1, 0, UNMAPPED, NULL), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_channel_write(p.a, 0, "x", 1, NULL, 0));
    EXPECT_STATUS(zx_channel_read(p.b, 0, UNMAPPED, NULL, 1, 0, NULL, NULL), ZX_ERR_INVALID_ARGS);
    close_pair(p);
}

TEST(Channel, ReadEtc)
{
    struct pair p = make_channel();
    zx_handle_t event = make_event();
    zx_handle_info_t info[1];
    uint32_t size, count;
    char byte;

    ASSERT_OK(zx_handle_replace(event, ZX_RIGHT_TRANSFER | ZX_RIGHT_SIGNAL, &event));
    ASSERT_OK(zx_channel_write(p.a, 0, "x", 1, &event, 1));
    ASSERT_OK(zx_channel_read_etc(p.b, 0, &byte, info, 1, 1, &size, &count));
    EXPECT_EQ(count, 1);
    EXPECT_EQ(info[0].type, ZX_OBJ_TYPE_EVENT);
    EXPECT_EQ(info[0].rights, ZX_RIGHT_TRANSFER | ZX_RIGHT_SIGNAL);
    EXPECT_EQ(info[0].unused, 0);
    CLOSE(info[0].handle);
    close_pair(p);
}

TEST(Channel, ReadEtcOfManyTypes)
{
    struct pair p = make_channel(), inside = make_channel();
    zx_handle_t handles[3] = {make_event(), inside.a, 0};
    zx_handle_info_t infos[3];
    uint32_t count = 0;

    ASSERT_OK(zx_vmo_create(4096, 0, &handles[2]));
    ASSERT_OK(zx_channel_write(p.a, 0, NULL, 0, handles, 3));
    ASSERT_OK(zx_channel_read_etc(p.b, 0, NULL, infos, 0, 3, NULL, &count));
    ASSERT_EQ(count, 3);
    EXPECT_EQ(infos[0].type, ZX_OBJ_TYPE_EVENT);
    EXPECT_EQ(infos[1].type, ZX_OBJ_TYPE_CHANNEL);
    EXPECT_EQ(infos[2].type, ZX_OBJ_TYPE_VMO);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(infos[i].rights, basic_info(infos[i].handle).rights);
        CLOSE(infos[i].handle);
    }
    CLOSE(inside.b);
    close_pair(p);
}

/* The message and its handle are lost, and so is nothing else. */
TEST(Channel, ReadHandlesIntoABadPointer)
{
    struct pair p = make_channel(), inside = make_channel();

    ASSERT_OK(zx_channel_write(p.a, 0, NULL, 0, &inside.b, 1));
    EXPECT_STATUS(zx_channel_read(p.b, 0, NULL, UNMAPPED, 0, 1, NULL, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(signals_of(inside.a), ZX_CHANNEL_PEER_CLOSED);
    EXPECT_EQ(signals_of(p.b), ZX_CHANNEL_WRITABLE);
    CLOSE(inside.a);
    close_pair(p);
}

TEST(Channel, WriteBadBytes)
{
    struct pair p = make_channel();

    EXPECT_STATUS(zx_channel_write(p.a, 0, NULL, 1, NULL, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_write(p.a, 0, KERNEL_ADDRESS, 1, NULL, 0), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_write(p.a, 0, (void *)(UINTPTR_MAX - 3), 8, NULL, 0),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(signals_of(p.b), ZX_CHANNEL_WRITABLE);
    close_pair(p);
}

/* A thread that waits for a message gets it, however late it comes. */
static int writes_when_awaited(void *argument)
{
    struct pair *p = argument; /* a: the thread that waits, b: where to write */

    EXPECT_TRUE(wait_until_blocked(p->a, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    EXPECT_OK(zx_channel_write(p->b, 0, "x", 1, NULL, 0));
    return 0;
}

TEST(Channel, WakesItsReader)
{
    struct pair p = make_channel(), later = {zx_thread_self(), p.b};
    zx_signals_t observed = 0;
    thrd_t thread;

    ASSERT_EQ(thrd_create(&thread, writes_when_awaited, &later), thrd_success);
    EXPECT_OK(zx_object_wait_one(p.a, ZX_CHANNEL_READABLE, soon(), &observed));
    EXPECT_EQ(observed, ZX_CHANNEL_READABLE | ZX_CHANNEL_WRITABLE);
    thrd_join(thread, NULL);
    close_pair(p);
}

/* --- Calls --- */

struct message {
    uint32_t transaction;
    uint32_t value;
};

static zx_status_t call(zx_handle_t channel, zx_time_t deadline, struct message *out,
                        struct message *in)
{
    const zx_channel_call_args_t args = {
        .wr_bytes = out, .rd_bytes = in, .wr_num_bytes = sizeof(*out), .rd_num_bytes = sizeof(*in)};
    uint32_t size, count;

    return zx_channel_call(channel, 0, deadline, &args, &size, &count);
}

/* Answers as many calls as the test's value says, doubling the value. */
struct server {
    zx_handle_t channel;
    int calls;
};

static int serve(void *argument)
{
    struct server *server = argument;
    struct message message;

    for (int i = 0; i < server->calls; i++) {
        EXPECT_OK(zx_object_wait_one(server->channel, ZX_CHANNEL_READABLE, soon(), NULL));
        EXPECT_OK(
            zx_channel_read(server->channel, 0, &message, NULL, sizeof(message), 0, NULL, NULL));
        message.value *= 2;
        EXPECT_OK(zx_channel_write(server->channel, 0, &message, sizeof(message), NULL, 0));
    }
    return 0;
}

TEST(ChannelCall, Answered)
{
    struct pair p = make_channel();
    struct server server = {p.b, 20};
    thrd_t thread;

    ASSERT_EQ(thrd_create(&thread, serve, &server), thrd_success);
    for (uint32_t i = 0; i < 20; i++) {
        struct message out = {0x12345678, i}, in = {0, 0};
        EXPECT_OK(call(p.a, soon(), &out, &in));
        EXPECT_EQ(in.value, 2 * i);
        EXPECT_EQ(in.transaction & 0x80000000, 0x80000000); /* the kernel's, not ours */
    }
    thrd_join(thread, NULL);
    close_pair(p);
}

TEST(ChannelCall, RepliesBypassTheQueue)
{
    struct pair p = make_channel();
    struct server server = {p.b, 1};
    struct message out = {0, 21}, in, queued = {5, 6};
    thrd_t thread;

    ASSERT_OK(zx_channel_write(p.b, 0, &queued, sizeof(queued), NULL, 0));
    ASSERT_EQ(thrd_create(&thread, serve, &server), thrd_success);
    EXPECT_OK(call(p.a, soon(), &out, &in));
    EXPECT_EQ(in.value, 42);
    thrd_join(thread, NULL);
    EXPECT_OK(zx_channel_read(p.a, 0, &in, NULL, sizeof(in), 0, NULL, NULL));
    EXPECT_EQ(in.value, 6);
    close_pair(p);
}

TEST(ChannelCall, TimesOut)
{
    struct pair p = make_channel();
    struct message out = {0, 1}, in;

    EXPECT_STATUS(call(p.a, zx_deadline_after(MS(5)), &out, &in), ZX_ERR_TIMED_OUT);
    EXPECT_OK(zx_channel_read(p.b, 0, &in, NULL, sizeof(in), 0, NULL, NULL));
    /* A late answer is an ordinary message. */
    EXPECT_OK(zx_channel_write(p.b, 0, &in, sizeof(in), NULL, 0));
    EXPECT_OK(zx_channel_read(p.a, 0, &in, NULL, sizeof(in), 0, NULL, NULL));
    close_pair(p);
}

static int close_later(void *argument)
{
    struct pair *p = argument; /* a: the thread that waits, b: what to close */

    EXPECT_TRUE(wait_until_blocked(p->a, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    EXPECT_OK(zx_handle_close(p->b));
    return 0;
}

TEST(ChannelCall, PeerClosedWhileWaiting)
{
    struct pair p = make_channel(), later = {zx_thread_self(), p.b};
    struct message out = {0, 1}, in;
    thrd_t thread;

    ASSERT_EQ(thrd_create(&thread, close_later, &later), thrd_success);
    EXPECT_STATUS(call(p.a, soon(), &out, &in), ZX_ERR_PEER_CLOSED);
    thrd_join(thread, NULL);
    EXPECT_STATUS(call(p.a, soon(), &out, &in), ZX_ERR_PEER_CLOSED);
    CLOSE(p.a);
}

TEST(ChannelCall, OwnHandleClosedWhileWaiting)
{
    struct pair p = make_channel(), later = {zx_thread_self(), p.a};
    struct message out = {0, 1}, in;
    thrd_t thread;

    ASSERT_EQ(thrd_create(&thread, close_later, &later), thrd_success);
    EXPECT_STATUS(call(p.a, soon(), &out, &in), ZX_ERR_CANCELED);
    thrd_join(thread, NULL);
    CLOSE(p.b);
}

TEST(ChannelCall, ReplyTooBig)
{
    struct pair p = make_channel();
    struct server server = {p.b, 1};
    struct message out = {0, 1};
    uint32_t reply, size = 0, count = 0;
    const zx_channel_call_args_t args = {.wr_bytes = &out,
                                         .rd_bytes = &reply,
                                         .wr_num_bytes = sizeof(out),
                                         .rd_num_bytes = sizeof(reply)};
    thrd_t thread;

    ASSERT_EQ(thrd_create(&thread, serve, &server), thrd_success);
    EXPECT_STATUS(zx_channel_call(p.a, 0, soon(), &args, &size, &count), ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(zx_channel_read(p.a, 0, &reply, NULL, sizeof(reply), 0, NULL, NULL),
                  ZX_ERR_SHOULD_WAIT); /* it is lost */
    thrd_join(thread, NULL);
    close_pair(p);
}

TEST(ChannelCall, BadArguments)
{
    struct pair p = make_channel();
    struct message out = {0, 1}, in;
    zx_channel_call_args_t args = {
        .wr_bytes = &out, .rd_bytes = &in, .wr_num_bytes = 3, .rd_num_bytes = sizeof(in)};
    uint32_t size, count;

    EXPECT_STATUS(zx_channel_call(p.a, 0, 0, &args, &size, &count), ZX_ERR_INVALID_ARGS);
    args.wr_num_bytes = sizeof(out);
    EXPECT_STATUS(zx_channel_call(p.a, 1, 0, &args, &size, &count), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_call(closed_handle(), 0, 0, &args, &size, &count), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_channel_call(p.a, 0, 0, UNMAPPED, &size, &count), ZX_ERR_INVALID_ARGS);
    close_pair(p);
}

#define CALLERS 8

struct caller {
    zx_handle_t channel;
    uint32_t value;
};

static int call_often(void *argument)
{
    struct caller *caller = argument;

    for (int i = 0; i < 10; i++) {
        struct message out = {0, caller->value}, in = {0, 0};
        EXPECT_OK(call(caller->channel, soon(), &out, &in));
        EXPECT_EQ(in.value, 2 * caller->value);
    }
    return 0;
}

/* Each answer finds its caller. */
TEST(ChannelCall, ManyAtOnce)
{
    struct pair p = make_channel();
    struct server server = {p.b, CALLERS * 10};
    struct caller callers[CALLERS];
    thrd_t threads[CALLERS], server_thread;

    ASSERT_EQ(thrd_create(&server_thread, serve, &server), thrd_success);
    for (uint32_t i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){p.a, 100 + i};
        ASSERT_EQ(thrd_create(&threads[i], call_often, &callers[i]), thrd_success);
    }
    for (uint32_t i = 0; i < CALLERS; i++)
        thrd_join(threads[i], NULL);
    thrd_join(server_thread, NULL);
    close_pair(p);
}

/* --- What becomes of calls when their channel moves --- */

struct mover {
    zx_handle_t caller, channel, server;
    struct pair road;
    bool to_the_end;
};

/* Sends the channel of a call away, then answers the call or throws the channel away. */
static int moves_channel(void *argument)
{
    struct mover *mover = argument;
    struct server server = {mover->server, 1};

    EXPECT_TRUE(wait_until_blocked(mover->caller, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    EXPECT_OK(zx_channel_write(mover->road.a, 0, NULL, 0, &mover->channel, 1));
    EXPECT_TRUE(wait_until_blocked(mover->caller, ZX_THREAD_STATE_BLOCKED_CHANNEL));
    if (mover->to_the_end)
        EXPECT_OK(zx_handle_close(mover->road.b));
    else
        serve(&server);
    return 0;
}

static zx_status_t call_meanwhile_moved(bool to_the_end, uint32_t *answer)
{
    struct pair p = make_channel();
    struct mover mover = {zx_thread_self(), p.a, p.b, make_channel(), to_the_end};
    struct message out = {0, 21}, in = {0, 0};
    thrd_t thread;

    ASSERT_EQ(thrd_create(&thread, moves_channel, &mover), thrd_success);
    zx_status_t status = call(p.a, soon(), &out, &in);
    thrd_join(thread, NULL);
    *answer = in.value;
    CLOSE(p.b);
    CLOSE(mover.road.a);
    if (!to_the_end)
        CLOSE(mover.road.b);
    return status;
}

/* The call belongs to the thread that made it, whoever owns the channel when the answer comes. */
TEST(ChannelInternal, CallSurvivesATransfer)
{
    uint32_t answer;

    EXPECT_OK(call_meanwhile_moved(false, &answer));
    EXPECT_EQ(answer, 42);
}

TEST(ChannelInternal, CallEndsWithItsTransferredChannel)
{
    uint32_t answer;

    EXPECT_STATUS(call_meanwhile_moved(true, &answer), ZX_ERR_CANCELED);
    EXPECT_EQ(answer, 0);
}
