/*
 * zx_channel_write_etc: handles that are moved or duplicated, checked and given fewer rights on
 * their way.
 */
#include "child.h"

#include <stdlib.h>

#define MESSAGE_BYTES_MAX   65536u
#define MESSAGE_HANDLES_MAX 64u

#define MOVE      ZX_HANDLE_OP_MOVE
#define DUPLICATE ZX_HANDLE_OP_DUPLICATE
#define ANY       ZX_OBJ_TYPE_NONE
#define SAME      ZX_RIGHT_SAME_RIGHTS

/* What `result` holds before a call. */
#define UNTOUCHED 77

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

static zx_handle_disposition_t item(zx_handle_op_t operation, zx_handle_t handle,
                                    zx_obj_type_t type, zx_rights_t rights)
{
    return (zx_handle_disposition_t){operation, handle, type, rights, UNTOUCHED};
}

static bool is_valid(zx_handle_t handle)
{
    return zx_object_get_info(handle, ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) == ZX_OK;
}

static bool is_empty(zx_handle_t channel)
{
    return !(signals_of(channel) & ZX_CHANNEL_READABLE);
}

static zx_status_t write_one(zx_handle_t channel, zx_handle_disposition_t *entry)
{
    return zx_channel_write_etc(channel, 0, NULL, 0, entry, 1);
}

/* Reads a message with one handle and nothing else. */
static zx_handle_info_t read_one(zx_handle_t channel)
{
    zx_handle_info_t info = {0};
    uint32_t size = 99, count = 99;

    ASSERT_OK(zx_channel_read_etc(channel, 0, NULL, &info, 0, 1, &size, &count));
    EXPECT_EQ(size, 0);
    EXPECT_EQ(count, 1);
    return info;
}

/* Writes one entry, which must be refused, into a channel of its own. */
static void expect_refused(zx_handle_disposition_t entry, zx_status_t status)
{
    struct pair p = make_channel();

    EXPECT_STATUS(write_one(p.a, &entry), status);
    EXPECT_STATUS(entry.result, status);
    EXPECT_TRUE(is_empty(p.b));
    close_pair(p);
}

/* ---- Messages ------------------------------------------------------------------------------ */

TEST(ChannelWriteEtc, OnlyBytes)
{
    struct pair p = make_channel();
    char in[4] = "";
    uint32_t size = 0;

    ASSERT_OK(zx_channel_write_etc(p.a, 0, "abc", 4, NULL, 0));
    ASSERT_OK(zx_channel_read(p.b, 0, in, NULL, sizeof(in), 0, &size, NULL));
    EXPECT_EQ(size, 4);
    EXPECT_EQ(strcmp(in, "abc"), 0);
    close_pair(p);
}

TEST(ChannelWriteEtc, Nothing)
{
    struct pair p = make_channel();
    uint32_t size = 99, count = 99;

    ASSERT_OK(zx_channel_write_etc(p.a, 0, NULL, 0, UNMAPPED, 0)); /* handles are not looked at */
    ASSERT_OK(zx_channel_read(p.b, 0, NULL, NULL, 0, 0, &size, &count));
    EXPECT_EQ(size, 0);
    EXPECT_EQ(count, 0);
    close_pair(p);
}

TEST(ChannelWriteEtc, BytesAndHandles)
{
    struct pair p = make_channel();
    zx_handle_disposition_t entries[] = {item(MOVE, make_event(), ANY, SAME),
                                         item(MOVE, make_channel().a, ANY, SAME)};
    zx_handle_info_t infos[2];
    uint32_t size, count;
    char in[4];

    ASSERT_OK(zx_channel_write_etc(p.a, 0, "abc", 4, entries, 2));
    ASSERT_OK(zx_channel_read_etc(p.b, 0, in, infos, sizeof(in), 2, &size, &count));
    EXPECT_EQ(strcmp(in, "abc"), 0);
    EXPECT_EQ(count, 2);
    EXPECT_EQ(infos[0].type, ZX_OBJ_TYPE_EVENT);
    EXPECT_EQ(infos[1].type, ZX_OBJ_TYPE_CHANNEL);
    CLOSE(infos[0].handle);
    CLOSE(infos[1].handle);
    close_pair(p);
}

TEST(ChannelWriteEtc, Move)
{
    struct pair p = make_channel();
    zx_handle_disposition_t entry = item(MOVE, make_event(), ZX_OBJ_TYPE_EVENT, SAME);
    zx_koid_t koid = basic_info(entry.handle).koid;

    ASSERT_OK(write_one(p.a, &entry));
    EXPECT_TRUE(!is_valid(entry.handle));
    zx_handle_info_t info = read_one(p.b);
    EXPECT_EQ(basic_info(info.handle).koid, koid);
    EXPECT_EQ(info.rights, ZX_DEFAULT_EVENT_RIGHTS);
    CLOSE(info.handle);
    close_pair(p);
}

TEST(ChannelWriteEtc, MoveWithFewerRights)
{
    struct pair p = make_channel();
    zx_handle_disposition_t entry = item(MOVE, make_event(), ANY, ZX_RIGHT_WAIT);

    ASSERT_OK(write_one(p.a, &entry));
    zx_handle_info_t info = read_one(p.b);
    EXPECT_EQ(info.rights, ZX_RIGHT_WAIT);
    EXPECT_EQ(basic_info(info.handle).rights, ZX_RIGHT_WAIT);
    EXPECT_STATUS(zx_object_signal(info.handle, 0, ZX_EVENT_SIGNALED), ZX_ERR_ACCESS_DENIED);
    CLOSE(info.handle);
    close_pair(p);
}

TEST(ChannelWriteEtc, MoveWithNoRights)
{
    struct pair p = make_channel();
    zx_handle_disposition_t entry = item(MOVE, make_event(), ANY, ZX_RIGHT_NONE);

    ASSERT_OK(write_one(p.a, &entry));
    zx_handle_info_t info = read_one(p.b);
    EXPECT_EQ(info.rights, ZX_RIGHT_NONE);
    CLOSE(info.handle);
    close_pair(p);
}

TEST(ChannelWriteEtc, Duplicate)
{
    struct pair p = make_channel();
    zx_handle_disposition_t entry = item(DUPLICATE, make_event(), ZX_OBJ_TYPE_EVENT, SAME);

    ASSERT_OK(write_one(p.a, &entry));
    zx_handle_info_t info = read_one(p.b);
    EXPECT_EQ(basic_info(info.handle).koid, basic_info(entry.handle).koid);
    EXPECT_EQ(info.rights, ZX_DEFAULT_EVENT_RIGHTS);
    CLOSE(info.handle);
    CLOSE(entry.handle);
    close_pair(p);
}

TEST(ChannelWriteEtc, DuplicateWithFewerRights)
{
    struct pair p = make_channel();
    zx_handle_disposition_t entry =
        item(DUPLICATE, make_event(), ANY, ZX_RIGHT_TRANSFER | ZX_RIGHT_SIGNAL);

    ASSERT_OK(write_one(p.a, &entry));
    zx_handle_info_t info = read_one(p.b);
    EXPECT_EQ(info.rights, ZX_RIGHT_TRANSFER | ZX_RIGHT_SIGNAL);
    EXPECT_EQ(basic_info(entry.handle).rights, ZX_DEFAULT_EVENT_RIGHTS); /* it keeps its own */
    CLOSE(info.handle);
    CLOSE(entry.handle);
    close_pair(p);
}

/* One handle, sent several times in one message. */
TEST(ChannelWriteEtc, DuplicateTheSameOften)
{
    struct pair p = make_channel();
    zx_handle_t event = make_event();
    zx_handle_disposition_t entries[] = {item(DUPLICATE, event, ANY, ZX_RIGHT_WAIT),
                                         item(DUPLICATE, event, ANY, ZX_RIGHT_SIGNAL),
                                         item(MOVE, event, ANY, ZX_RIGHT_INSPECT)};
    zx_handle_info_t infos[3];
    uint32_t count;

    ASSERT_OK(zx_channel_write_etc(p.a, 0, NULL, 0, entries, 3));
    EXPECT_TRUE(!is_valid(event));
    ASSERT_OK(zx_channel_read_etc(p.b, 0, NULL, infos, 0, 3, NULL, &count));
    EXPECT_EQ(infos[0].rights, ZX_RIGHT_WAIT);
    EXPECT_EQ(infos[1].rights, ZX_RIGHT_SIGNAL);
    EXPECT_EQ(infos[2].rights, ZX_RIGHT_INSPECT);
    for (int i = 0; i < 3; i++)
        CLOSE(infos[i].handle);
    close_pair(p);
}

/* A duplicate in a queue is a handle like any other. */
TEST(ChannelWriteEtc, DuplicateKeepsThePeerOpen)
{
    struct pair p = make_channel();
    zx_handle_t a, b;

    ASSERT_OK(zx_eventpair_create(0, &a, &b));
    zx_handle_disposition_t entry = item(DUPLICATE, b, ANY, SAME);
    ASSERT_OK(write_one(p.a, &entry));
    CLOSE(b);
    EXPECT_EQ(signals_of(a), 0);
    CLOSE(p.b);
    EXPECT_EQ(signals_of(a), ZX_EVENTPAIR_PEER_CLOSED);
    CLOSE(a);
    CLOSE(p.a);
}

TEST(ChannelWriteEtc, ResultsStayAsTheyWereOnSuccess)
{
    struct pair p = make_channel();
    zx_handle_disposition_t entry = item(MOVE, make_event(), ANY, SAME);

    ASSERT_OK(write_one(p.a, &entry));
    EXPECT_EQ(entry.result, UNTOUCHED);
    close_pair(p);
}

TEST(ChannelWriteEtc, AsManyAsPossible)
{
    static zx_handle_disposition_t entries[MESSAGE_HANDLES_MAX];
    static zx_handle_t handles[MESSAGE_HANDLES_MAX];
    struct pair p = make_channel();
    zx_handle_t event = make_event();
    uint32_t count = 0;

    for (size_t i = 0; i < MESSAGE_HANDLES_MAX; i++)
        entries[i] = item(DUPLICATE, event, ANY, SAME);
    ASSERT_OK(zx_channel_write_etc(p.a, 0, NULL, 0, entries, MESSAGE_HANDLES_MAX));
    ASSERT_OK(zx_channel_read(p.b, 0, NULL, handles, 0, MESSAGE_HANDLES_MAX, NULL, &count));
    EXPECT_EQ(count, MESSAGE_HANDLES_MAX);
    EXPECT_OK(zx_handle_close_many(handles, count));
    CLOSE(event);
    close_pair(p);
}

/* ---- Entries that are refused -------------------------------------------------------------- */

TEST(ChannelWriteEtc, BadHandle)
{
    expect_refused(item(MOVE, closed_handle(), ANY, SAME), ZX_ERR_BAD_HANDLE);
    expect_refused(item(DUPLICATE, closed_handle(), ANY, SAME), ZX_ERR_BAD_HANDLE);
    expect_refused(item(MOVE, ZX_HANDLE_INVALID, ANY, SAME), ZX_ERR_BAD_HANDLE);
}

TEST(ChannelWriteEtc, BadOperation)
{
    zx_handle_t event = make_event();

    expect_refused(item(2, event, ANY, SAME), ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(is_valid(event)); /* only a move takes it away */
    CLOSE(event);
}

TEST(ChannelWriteEtc, MoveOfAnotherType)
{
    zx_handle_t event = make_event();

    expect_refused(item(MOVE, event, ZX_OBJ_TYPE_CHANNEL, SAME), ZX_ERR_WRONG_TYPE);
    EXPECT_TRUE(!is_valid(event));
}

TEST(ChannelWriteEtc, DuplicateOfAnotherType)
{
    zx_handle_t event = make_event();

    expect_refused(item(DUPLICATE, event, ZX_OBJ_TYPE_EVENTPAIR, SAME), ZX_ERR_WRONG_TYPE);
    EXPECT_TRUE(is_valid(event));
    CLOSE(event);
}

TEST(ChannelWriteEtc, MoveCannotAddRights)
{
    zx_handle_t event = make_event(), weak = without_rights(event, ZX_RIGHT_SIGNAL);

    expect_refused(item(MOVE, weak, ANY, ZX_RIGHT_WAIT | ZX_RIGHT_SIGNAL), ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(!is_valid(weak));
    CLOSE(event);
}

TEST(ChannelWriteEtc, DuplicateCannotAddRights)
{
    zx_handle_t event = make_event(), weak = without_rights(event, ZX_RIGHT_SIGNAL);

    expect_refused(item(DUPLICATE, weak, ANY, ZX_RIGHT_SIGNAL), ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(is_valid(weak));
    CLOSE(weak);
    CLOSE(event);
}

TEST(ChannelWriteEtc, MoveNeedsTransfer)
{
    zx_handle_t event = make_event(), weak = without_rights(event, ZX_RIGHT_TRANSFER);

    expect_refused(item(MOVE, weak, ANY, SAME), ZX_ERR_ACCESS_DENIED);
    EXPECT_TRUE(!is_valid(weak));
    CLOSE(event);
}

TEST(ChannelWriteEtc, DuplicateNeedsTransferAndDuplicate)
{
    zx_handle_t event = make_event(), weak = without_rights(event, ZX_RIGHT_TRANSFER);

    expect_refused(item(DUPLICATE, weak, ANY, SAME), ZX_ERR_ACCESS_DENIED);
    EXPECT_TRUE(is_valid(weak));
    CLOSE(weak);
    weak = without_rights(event, ZX_RIGHT_DUPLICATE);
    expect_refused(item(DUPLICATE, weak, ANY, SAME), ZX_ERR_ACCESS_DENIED);
    EXPECT_TRUE(is_valid(weak));
    CLOSE(weak);
    CLOSE(event);
}

TEST(ChannelWriteEtc, NotIntoItself)
{
    struct pair p = make_channel();
    zx_handle_disposition_t entry = item(MOVE, p.a, ANY, SAME);

    EXPECT_STATUS(write_one(p.a, &entry), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(entry.result, ZX_ERR_NOT_SUPPORTED);
    EXPECT_TRUE(!is_valid(p.a));
    EXPECT_EQ(signals_of(p.b), ZX_CHANNEL_PEER_CLOSED);
    CLOSE(p.b);
}

/* The second of two moves finds nothing left to move. */
TEST(ChannelWriteEtc, MoveTheSameTwice)
{
    struct pair p = make_channel();
    zx_handle_t event = make_event();
    zx_handle_disposition_t entries[] = {item(MOVE, event, ANY, SAME),
                                         item(MOVE, event, ANY, SAME)};

    EXPECT_STATUS(zx_channel_write_etc(p.a, 0, NULL, 0, entries, 2), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(entries[0].result, ZX_OK);
    EXPECT_STATUS(entries[1].result, ZX_ERR_BAD_HANDLE);
    EXPECT_TRUE(!is_valid(event));
    EXPECT_TRUE(is_empty(p.b));
    close_pair(p);
}

/* Each entry gets a result of its own; the call returns the first that is bad. */
TEST(ChannelWriteEtc, EveryResultIsReported)
{
    struct pair p = make_channel();
    zx_handle_t kept = make_event(), lost = make_event();
    zx_handle_disposition_t entries[] = {
        item(DUPLICATE, kept, ANY, SAME),
        item(MOVE, lost, ZX_OBJ_TYPE_CHANNEL, SAME),
        item(MOVE, make_event(), ANY, SAME),
        item(DUPLICATE, closed_handle(), ANY, SAME),
    };

    EXPECT_STATUS(zx_channel_write_etc(p.a, 0, NULL, 0, entries, 4), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(entries[0].result, ZX_OK);
    EXPECT_STATUS(entries[1].result, ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(entries[2].result, ZX_OK);
    EXPECT_STATUS(entries[3].result, ZX_ERR_BAD_HANDLE);
    EXPECT_TRUE(is_valid(kept));
    EXPECT_TRUE(!is_valid(lost));
    EXPECT_TRUE(!is_valid(entries[2].handle));
    EXPECT_TRUE(is_empty(p.b));
    CLOSE(kept);
    close_pair(p);
}

/* ---- Calls that fail as a whole ------------------------------------------------------------ */

/* A moved handle is gone, a duplicated one stays, whatever the reason of the failure. */
static void expect_consumed(zx_handle_t channel, uint32_t options, const void *bytes, uint32_t size,
                            zx_status_t status)
{
    zx_handle_disposition_t entries[] = {item(MOVE, make_event(), ANY, SAME),
                                         item(DUPLICATE, make_event(), ANY, SAME)};

    EXPECT_STATUS(zx_channel_write_etc(channel, options, bytes, size, entries, 2), status);
    EXPECT_TRUE(!is_valid(entries[0].handle));
    EXPECT_TRUE(is_valid(entries[1].handle));
    CLOSE(entries[1].handle);
}

TEST(ChannelWriteEtc, BadOptions)
{
    struct pair p = make_channel();

    expect_consumed(p.a, 1, NULL, 0, ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(is_empty(p.b));
    close_pair(p);
}

TEST(ChannelWriteEtc, BadChannel)
{
    zx_handle_t event = make_event();

    expect_consumed(closed_handle(), 0, NULL, 0, ZX_ERR_BAD_HANDLE);
    expect_consumed(event, 0, NULL, 0, ZX_ERR_WRONG_TYPE);
    CLOSE(event);
}

TEST(ChannelWriteEtc, NeedsWrite)
{
    struct pair p = make_channel();

    ASSERT_OK(zx_handle_replace(p.a, ZX_DEFAULT_CHANNEL_RIGHTS & ~ZX_RIGHT_WRITE, &p.a));
    expect_consumed(p.a, 0, NULL, 0, ZX_ERR_ACCESS_DENIED);
    EXPECT_TRUE(is_empty(p.b));
    close_pair(p);
}

TEST(ChannelWriteEtc, PeerClosed)
{
    struct pair p = make_channel();

    CLOSE(p.b);
    expect_consumed(p.a, 0, NULL, 0, ZX_ERR_PEER_CLOSED);
    CLOSE(p.a);
}

TEST(ChannelWriteEtc, BadBytes)
{
    struct pair p = make_channel();

    expect_consumed(p.a, 0, NULL, 1, ZX_ERR_INVALID_ARGS);
    expect_consumed(p.a, 0, UNMAPPED, 1, ZX_ERR_INVALID_ARGS);
    expect_consumed(p.a, 0, KERNEL_ADDRESS, 1, ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(is_empty(p.b));
    close_pair(p);
}

TEST(ChannelWriteEtc, TooManyBytes)
{
    struct pair p = make_channel();
    char *bytes = calloc(1, MESSAGE_BYTES_MAX + 1);

    ASSERT_TRUE(bytes != NULL);
    expect_consumed(p.a, 0, bytes, MESSAGE_BYTES_MAX + 1, ZX_ERR_OUT_OF_RANGE);
    EXPECT_TRUE(is_empty(p.b));
    free(bytes);
    close_pair(p);
}

TEST(ChannelWriteEtc, TooManyHandles)
{
    static zx_handle_disposition_t entries[MESSAGE_HANDLES_MAX + 1];
    struct pair p = make_channel();
    zx_handle_t kept = make_event(), moved = make_event();

    for (size_t i = 0; i < MESSAGE_HANDLES_MAX; i++)
        entries[i] = item(DUPLICATE, kept, ANY, SAME);
    entries[MESSAGE_HANDLES_MAX] = item(MOVE, moved, ANY, SAME);
    EXPECT_STATUS(zx_channel_write_etc(p.a, 0, NULL, 0, entries, MESSAGE_HANDLES_MAX + 1),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_TRUE(!is_valid(moved));
    EXPECT_TRUE(is_empty(p.b));
    CLOSE(kept);
    close_pair(p);
}

TEST(ChannelWriteEtc, BadHandleArray)
{
    struct pair p = make_channel();

    EXPECT_STATUS(zx_channel_write_etc(p.a, 0, NULL, 0, NULL, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_write_etc(p.a, 0, NULL, 0, UNMAPPED, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_channel_write_etc(p.a, 0, NULL, 0, KERNEL_ADDRESS, 1), ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(is_empty(p.b));
    close_pair(p);
}
