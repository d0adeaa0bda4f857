/*
 * Sockets: streams of bytes and datagrams.
 */
#include "test.h"

#include <stdlib.h>
#include <threads.h>

#define BUFFER_MAX 257024u

struct pair {
    zx_handle_t a, b;
};

static struct pair make_socket(uint32_t options)
{
    struct pair p;

    ASSERT_OK(zx_socket_create(options, &p.a, &p.b));
    return p;
}

static void close_pair(struct pair p)
{
    CLOSE(p.a);
    CLOSE(p.b);
}

TEST(Socket, Create)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    zx_handle_t a, b;

    EXPECT_EQ(basic_info(p.a).type, ZX_OBJ_TYPE_SOCKET);
    EXPECT_EQ(basic_info(p.a).rights, ZX_DEFAULT_SOCKET_RIGHTS);
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITABLE);
    EXPECT_STATUS(zx_socket_create(0x80, &a, &b), ZX_ERR_INVALID_ARGS);
    close_pair(p);
}

TEST(Socket, StreamForgetsBoundaries)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    char buffer[16] = "";
    size_t actual = 0;

    ASSERT_OK(zx_socket_write(p.a, 0, "abc", 3, &actual));
    EXPECT_EQ(actual, 3);
    ASSERT_OK(zx_socket_write(p.a, 0, "def", 4, &actual));
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE);
    ASSERT_OK(zx_socket_read(p.b, ZX_SOCKET_PEEK, buffer, 2, &actual));
    EXPECT_EQ(actual, 2);
    ASSERT_OK(zx_socket_read(p.b, 0, buffer, sizeof(buffer), &actual));
    EXPECT_EQ(actual, 7);
    EXPECT_EQ(strcmp(buffer, "abcdef"), 0);
    EXPECT_STATUS(zx_socket_read(p.b, 0, buffer, sizeof(buffer), &actual), ZX_ERR_SHOULD_WAIT);
    close_pair(p);
}

TEST(Socket, DatagramsKeepTheirs)
{
    struct pair p = make_socket(ZX_SOCKET_DATAGRAM);
    char buffer[16] = "";
    size_t actual = 0;

    ASSERT_OK(zx_socket_write(p.a, 0, "abc", 3, &actual));
    ASSERT_OK(zx_socket_write(p.a, 0, "defg", 4, &actual));
    ASSERT_OK(zx_socket_read(p.b, 0, buffer, sizeof(buffer), &actual));
    EXPECT_EQ(actual, 3);
    ASSERT_OK(zx_socket_read(p.b, 0, buffer, 2, &actual)); /* the rest of it is lost */
    EXPECT_EQ(actual, 2);
    EXPECT_STATUS(zx_socket_read(p.b, 0, buffer, 2, &actual), ZX_ERR_SHOULD_WAIT);
    close_pair(p);
}

TEST(Socket, Full)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    char *bytes = malloc(BUFFER_MAX + 100), *in = malloc(BUFFER_MAX);
    size_t actual = 0, total = 0;

    ASSERT_TRUE(bytes && in);
    for (size_t i = 0; i < BUFFER_MAX; i++)
        bytes[i] = (char)(i * 31 + i / 1000);
    ASSERT_OK(zx_socket_write(p.a, 0, bytes, BUFFER_MAX + 100, &actual));
    EXPECT_EQ(actual, BUFFER_MAX);
    EXPECT_EQ(signals_of(p.a), 0);
    EXPECT_STATUS(zx_socket_write(p.a, 0, bytes, 1, &actual), ZX_ERR_SHOULD_WAIT);
    while (total < BUFFER_MAX) {
        ASSERT_OK(zx_socket_read(p.b, 0, in + total, 50001, &actual));
        total += actual;
        EXPECT_TRUE(actual > 0);
        if (BUFFER_MAX - total < 50001) {
            ASSERT_OK(zx_socket_read(p.b, 0, in + total, BUFFER_MAX - total, &actual));
            total += actual;
        }
    }
    EXPECT_EQ(memcmp(bytes, in, BUFFER_MAX), 0);
    free(bytes);
    free(in);
    close_pair(p);
}

TEST(Socket, PeerClosed)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t actual;
    char byte;

    ASSERT_OK(zx_socket_write(p.a, 0, "x", 1, &actual));
    CLOSE(p.a);
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_READABLE | ZX_SOCKET_PEER_CLOSED);
    EXPECT_STATUS(zx_socket_write(p.b, 0, "x", 1, &actual), ZX_ERR_PEER_CLOSED);
    EXPECT_OK(zx_socket_read(p.b, 0, &byte, 1, &actual));
    EXPECT_STATUS(zx_socket_read(p.b, 0, &byte, 1, &actual), ZX_ERR_PEER_CLOSED);
    CLOSE(p.b);
}

TEST(Socket, ShutdownWrite)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t actual;
    char byte;

    ASSERT_OK(zx_socket_write(p.a, 0, "x", 1, &actual));
    ASSERT_OK(zx_socket_shutdown(p.a, ZX_SOCKET_SHUTDOWN_WRITE));
    EXPECT_EQ(signals_of(p.a) & (ZX_SOCKET_WRITABLE | ZX_SOCKET_WRITE_DISABLED),
              ZX_SOCKET_WRITE_DISABLED);
    EXPECT_EQ(signals_of(p.b) & ZX_SOCKET_PEER_WRITE_DISABLED, ZX_SOCKET_PEER_WRITE_DISABLED);
    EXPECT_STATUS(zx_socket_write(p.a, 0, "x", 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_socket_read(p.b, 0, &byte, 1, &actual));
    EXPECT_STATUS(zx_socket_read(p.b, 0, &byte, 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_socket_write(p.b, 0, "y", 1, &actual)); /* the other way is open */
    EXPECT_STATUS(zx_socket_shutdown(p.a, 0x40), ZX_ERR_INVALID_ARGS);
    close_pair(p);
}

TEST(Socket, Thresholds)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t threshold = 10, actual;

    ASSERT_OK(
        zx_object_set_property(p.b, ZX_PROP_SOCKET_RX_THRESHOLD, &threshold, sizeof(threshold)));
    ASSERT_OK(zx_socket_write(p.a, 0, "123456789", 9, &actual));
    EXPECT_EQ(signals_of(p.b) & ZX_SOCKET_READ_THRESHOLD, 0);
    ASSERT_OK(zx_socket_write(p.a, 0, "0", 1, &actual));
    EXPECT_EQ(signals_of(p.b) & ZX_SOCKET_READ_THRESHOLD, ZX_SOCKET_READ_THRESHOLD);
    threshold = BUFFER_MAX + 1;
    EXPECT_STATUS(
        zx_object_set_property(p.b, ZX_PROP_SOCKET_RX_THRESHOLD, &threshold, sizeof(threshold)),
        ZX_ERR_INVALID_ARGS);
    close_pair(p);
}

/* ---- Creating ------------------------------------------------------------------------------ */

TEST(Socket, CreateBadPointers)
{
    zx_handle_t a;

    EXPECT_STATUS(zx_socket_create(0, UNMAPPED, &a), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_create(0, &a, KERNEL_ADDRESS), ZX_ERR_INVALID_ARGS);
}

TEST(Socket, KnowsItsPeer)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);

    EXPECT_EQ(basic_info(p.a).related_koid, basic_info(p.b).koid);
    EXPECT_EQ(basic_info(p.b).related_koid, basic_info(p.a).koid);
    EXPECT_OK(zx_object_signal_peer(p.a, 0, ZX_USER_SIGNAL_3));
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_WRITABLE | ZX_USER_SIGNAL_3);
    EXPECT_STATUS(zx_object_signal_peer(p.a, 0, ZX_SOCKET_READABLE), ZX_ERR_INVALID_ARGS);
    close_pair(p);
}

TEST(Socket, Rights)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    zx_handle_t weak = without_rights(p.a, ZX_RIGHT_WRITE);
    size_t actual;
    char byte;

    EXPECT_STATUS(zx_socket_write(weak, 0, "x", 1, &actual), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_socket_shutdown(weak, ZX_SOCKET_SHUTDOWN_WRITE), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_socket_read(weak, 0, &byte, 1, &actual), ZX_ERR_SHOULD_WAIT);
    CLOSE(weak);
    weak = without_rights(p.a, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_socket_read(weak, 0, &byte, 1, &actual), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_socket_write(weak, 0, "x", 1, &actual));
    CLOSE(weak);
    close_pair(p);
}

/* ---- Arguments ----------------------------------------------------------------------------- */

TEST(Socket, WriteBadArguments)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t actual = 99;

    EXPECT_STATUS(zx_socket_write(p.a, 1, "x", 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_write(p.a, 0, NULL, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_write(p.a, 0, UNMAPPED, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_write(p.a, 0, KERNEL_ADDRESS, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_write(p.a, 0, &p, 1ull << 32, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_write(closed_handle(), 0, "x", 1, &actual), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_socket_write(zx_process_self(), 0, "x", 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_WRITABLE); /* nothing arrived */
    close_pair(p);
}

TEST(Socket, ReadBadArguments)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t actual = 99;
    char byte = 0;

    ASSERT_OK(zx_socket_write(p.b, 0, "xy", 2, NULL));
    EXPECT_STATUS(zx_socket_read(p.a, 1, &byte, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_read(p.a, 0, UNMAPPED, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_read(p.a, 0, KERNEL_ADDRESS, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_socket_read(closed_handle(), 0, &byte, 1, &actual), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_socket_read(zx_process_self(), 0, &byte, 1, &actual), ZX_ERR_WRONG_TYPE);
    EXPECT_OK(zx_socket_read(p.a, 0, &byte, 1, &actual)); /* nothing was lost */
    EXPECT_EQ(byte, 'x');
    close_pair(p);
}

TEST(Socket, ActualIsOptional)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    char byte = 0;

    EXPECT_OK(zx_socket_write(p.a, 0, "x", 1, NULL));
    EXPECT_OK(zx_socket_read(p.b, 0, &byte, 1, NULL));
    EXPECT_EQ(byte, 'x');
    close_pair(p);
}

TEST(Socket, EmptyWrite)
{
    struct pair p = make_socket(ZX_SOCKET_DATAGRAM);
    size_t actual = 99;

    EXPECT_OK(zx_socket_write(p.a, 0, NULL, 0, &actual));
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_WRITABLE); /* not even an empty datagram */
    CLOSE(p.b);
    EXPECT_STATUS(zx_socket_write(p.a, 0, NULL, 0, &actual), ZX_ERR_PEER_CLOSED);
    CLOSE(p.a);
}

/* Without a buffer a reader learns nothing and takes nothing. */
TEST(Socket, EmptyRead)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t actual = 99;

    EXPECT_STATUS(zx_socket_read(p.b, 0, NULL, 0, &actual), ZX_ERR_SHOULD_WAIT);
    ASSERT_OK(zx_socket_write(p.a, 0, "abc", 3, NULL));
    EXPECT_OK(zx_socket_read(p.b, 0, NULL, 0, &actual));
    EXPECT_EQ(actual, 0);
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE);
    close_pair(p);
}

/* ---- Datagrams ----------------------------------------------------------------------------- */

TEST(Socket, DatagramPeek)
{
    struct pair p = make_socket(ZX_SOCKET_DATAGRAM);
    char buffer[8];
    size_t actual = 0;

    ASSERT_OK(zx_socket_write(p.a, 0, "abcd", 4, NULL));
    ASSERT_OK(zx_socket_write(p.a, 0, "ef", 2, NULL));
    EXPECT_OK(zx_socket_read(p.b, ZX_SOCKET_PEEK, buffer, 2, &actual));
    EXPECT_EQ(actual, 2);
    EXPECT_OK(zx_socket_read(p.b, 0, buffer, sizeof(buffer), &actual)); /* it is still whole */
    EXPECT_EQ(actual, 4);
    EXPECT_OK(zx_socket_read(p.b, ZX_SOCKET_PEEK, buffer, sizeof(buffer), &actual));
    EXPECT_EQ(actual, 2);
    EXPECT_EQ(buffer[0], 'e');
    close_pair(p);
}

TEST(Socket, DatagramTooLarge)
{
    struct pair p = make_socket(ZX_SOCKET_DATAGRAM);
    char *bytes = calloc(1, BUFFER_MAX + 1);
    size_t actual = 0;

    ASSERT_TRUE(bytes != NULL);
    EXPECT_STATUS(zx_socket_write(p.a, 0, bytes, BUFFER_MAX + 1, &actual), ZX_ERR_OUT_OF_RANGE);
    EXPECT_OK(zx_socket_write(p.a, 0, bytes, BUFFER_MAX, &actual));
    EXPECT_EQ(actual, BUFFER_MAX);
    free(bytes);
    close_pair(p);
}

/* What does not fit as a whole has to wait, though there is some room. */
TEST(Socket, DatagramsAreNotSplit)
{
    struct pair p = make_socket(ZX_SOCKET_DATAGRAM);
    char *bytes = calloc(1, BUFFER_MAX);
    size_t actual = 0;

    ASSERT_TRUE(bytes != NULL);
    ASSERT_OK(zx_socket_write(p.a, 0, bytes, BUFFER_MAX - 10, &actual));
    EXPECT_STATUS(zx_socket_write(p.a, 0, bytes, 11, &actual), ZX_ERR_SHOULD_WAIT);
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITABLE);
    EXPECT_OK(zx_socket_write(p.a, 0, bytes, 10, &actual));
    EXPECT_EQ(signals_of(p.a), 0);
    EXPECT_OK(zx_socket_read(p.b, 0, bytes, 1, &actual)); /* frees all of the first one */
    EXPECT_OK(zx_socket_write(p.a, 0, bytes, BUFFER_MAX - 10, &actual));
    free(bytes);
    close_pair(p);
}

TEST(Socket, DatagramsInBothDirections)
{
    struct pair p = make_socket(ZX_SOCKET_DATAGRAM);
    char buffer[8];
    size_t actual = 0;

    for (int i = 1; i <= 5; i++) {
        ASSERT_OK(zx_socket_write(p.a, 0, "aaaaa", (size_t)i, NULL));
        ASSERT_OK(zx_socket_write(p.b, 0, "bbbbbbb", (size_t)i + 2, NULL));
    }
    for (int i = 1; i <= 5; i++) {
        EXPECT_OK(zx_socket_read(p.b, 0, buffer, sizeof(buffer), &actual));
        EXPECT_EQ(actual, i);
        EXPECT_OK(zx_socket_read(p.a, 0, buffer, sizeof(buffer), &actual));
        EXPECT_EQ(actual, i + 2);
    }
    close_pair(p);
}

/* ---- Closing and shutting down ------------------------------------------------------------- */

TEST(Socket, ShutdownRead)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t actual;
    char byte;

    ASSERT_OK(zx_socket_write(p.b, 0, "x", 1, NULL));
    EXPECT_OK(zx_socket_shutdown(p.a, ZX_SOCKET_SHUTDOWN_READ));
    EXPECT_EQ(signals_of(p.a),
              ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE | ZX_SOCKET_PEER_WRITE_DISABLED);
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_WRITE_DISABLED);
    EXPECT_STATUS(zx_socket_write(p.b, 0, "y", 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_socket_read(p.a, 0, &byte, 1, &actual)); /* what had arrived is not lost */
    EXPECT_STATUS(zx_socket_read(p.a, 0, &byte, 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_socket_write(p.a, 0, "z", 1, &actual));
    close_pair(p);
}

TEST(Socket, ShutdownBoth)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    uint32_t both = ZX_SOCKET_SHUTDOWN_READ | ZX_SOCKET_SHUTDOWN_WRITE;
    size_t actual;
    char byte;

    EXPECT_OK(zx_socket_shutdown(p.a, both));
    EXPECT_OK(zx_socket_shutdown(p.a, both)); /* again */
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITE_DISABLED | ZX_SOCKET_PEER_WRITE_DISABLED);
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_WRITE_DISABLED | ZX_SOCKET_PEER_WRITE_DISABLED);
    EXPECT_STATUS(zx_socket_write(p.a, 0, "x", 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_socket_write(p.b, 0, "x", 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_socket_read(p.a, 0, &byte, 1, &actual), ZX_ERR_BAD_STATE);
    EXPECT_STATUS(zx_socket_read(p.b, 0, &byte, 1, &actual), ZX_ERR_BAD_STATE);
    close_pair(p);
}

TEST(Socket, ShutdownOfTheLastOne)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t actual;
    char byte;

    ASSERT_OK(zx_socket_write(p.b, 0, "x", 1, NULL));
    CLOSE(p.b);
    EXPECT_OK(zx_socket_shutdown(p.a, ZX_SOCKET_SHUTDOWN_WRITE));
    EXPECT_STATUS(zx_socket_write(p.a, 0, "x", 1, &actual), ZX_ERR_PEER_CLOSED);
    EXPECT_OK(zx_socket_read(p.a, 0, &byte, 1, &actual));
    EXPECT_STATUS(zx_socket_read(p.a, 0, &byte, 1, &actual), ZX_ERR_PEER_CLOSED);
    CLOSE(p.a);
}

/* A shut-down writer does not become writable because its reader has read. */
TEST(Socket, ReadingDoesNotUndoAShutdown)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    char *bytes = calloc(1, BUFFER_MAX);

    ASSERT_TRUE(bytes != NULL);
    ASSERT_OK(zx_socket_write(p.a, 0, bytes, BUFFER_MAX, NULL));
    ASSERT_OK(zx_socket_shutdown(p.a, ZX_SOCKET_SHUTDOWN_WRITE));
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITE_DISABLED);
    ASSERT_OK(zx_socket_read(p.b, 0, bytes, BUFFER_MAX, NULL));
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITE_DISABLED);
    free(bytes);
    close_pair(p);
}

static zx_handle_t waiting_thread;

static int closes_it(void *socket)
{
    EXPECT_TRUE(wait_until_blocked(waiting_thread, ZX_THREAD_STATE_BLOCKED_WAIT_ONE));
    CLOSE(*(zx_handle_t *)socket);
    return 0;
}

TEST(Socket, WaiterSeesThePeerGo)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    zx_signals_t observed = 0;
    thrd_t thread;

    waiting_thread = zx_thread_self();
    ASSERT_EQ(thrd_create(&thread, closes_it, &p.b), thrd_success);
    EXPECT_OK(
        zx_object_wait_one(p.a, ZX_SOCKET_READABLE | ZX_SOCKET_PEER_CLOSED, soon(), &observed));
    EXPECT_EQ(observed, ZX_SOCKET_PEER_CLOSED);
    thrd_join(thread, NULL);
    CLOSE(p.a);
}

/* ---- Information and thresholds ------------------------------------------------------------ */

static zx_info_socket_t socket_info(zx_handle_t socket)
{
    zx_info_socket_t info;

    ASSERT_OK(zx_object_get_info(socket, ZX_INFO_SOCKET, &info, sizeof(info), NULL, NULL));
    return info;
}

TEST(Socket, Info)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    zx_info_socket_t info = socket_info(p.a);

    EXPECT_EQ(info.options, ZX_SOCKET_STREAM);
    EXPECT_EQ(info.rx_buf_max, BUFFER_MAX);
    EXPECT_EQ(info.tx_buf_max, BUFFER_MAX);
    EXPECT_EQ(info.rx_buf_size + info.rx_buf_available + info.tx_buf_size, 0);
    ASSERT_OK(zx_socket_write(p.a, 0, "12345", 5, NULL));
    ASSERT_OK(zx_socket_write(p.b, 0, "123", 3, NULL));
    info = socket_info(p.a);
    EXPECT_EQ(info.rx_buf_size, 3);
    EXPECT_EQ(info.rx_buf_available, 3);
    EXPECT_EQ(info.tx_buf_size, 5);
    CLOSE(p.b);
    info = socket_info(p.a);
    EXPECT_EQ(info.rx_buf_size, 3);
    EXPECT_EQ(info.tx_buf_max, 0); /* nowhere to write to */
    EXPECT_EQ(info.tx_buf_size, 0);
    CLOSE(p.a);
}

TEST(Socket, InfoOfDatagrams)
{
    struct pair p = make_socket(ZX_SOCKET_DATAGRAM);

    ASSERT_OK(zx_socket_write(p.a, 0, "123", 3, NULL));
    ASSERT_OK(zx_socket_write(p.a, 0, "45678", 5, NULL));
    zx_info_socket_t info = socket_info(p.b);
    EXPECT_EQ(info.options, ZX_SOCKET_DATAGRAM);
    EXPECT_EQ(info.rx_buf_size, 8);
    EXPECT_EQ(info.rx_buf_available, 3); /* by one read */
    close_pair(p);
}

static zx_status_t set_threshold(zx_handle_t socket, uint32_t property, size_t value)
{
    return zx_object_set_property(socket, property, &value, sizeof(value));
}

TEST(Socket, WriteThreshold)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    char *bytes = calloc(1, BUFFER_MAX);

    ASSERT_TRUE(bytes != NULL);
    ASSERT_OK(set_threshold(p.a, ZX_PROP_SOCKET_TX_THRESHOLD, 1000));
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITABLE | ZX_SOCKET_WRITE_THRESHOLD);
    ASSERT_OK(zx_socket_write(p.a, 0, bytes, BUFFER_MAX - 1000, NULL));
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITABLE | ZX_SOCKET_WRITE_THRESHOLD);
    ASSERT_OK(zx_socket_write(p.a, 0, bytes, 1, NULL));
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITABLE);
    ASSERT_OK(zx_socket_read(p.b, 0, bytes, 1, NULL));
    EXPECT_EQ(signals_of(p.a), ZX_SOCKET_WRITABLE | ZX_SOCKET_WRITE_THRESHOLD);
    free(bytes);
    close_pair(p);
}

TEST(Socket, ThresholdsCanBeReadAndSwitchedOff)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    size_t value = 99;

    ASSERT_OK(zx_socket_write(p.a, 0, "123", 3, NULL));
    ASSERT_OK(set_threshold(p.b, ZX_PROP_SOCKET_RX_THRESHOLD, 3));
    EXPECT_TRUE(signals_of(p.b) & ZX_SOCKET_READ_THRESHOLD);
    ASSERT_OK(zx_object_get_property(p.b, ZX_PROP_SOCKET_RX_THRESHOLD, &value, sizeof(value)));
    EXPECT_EQ(value, 3);
    ASSERT_OK(set_threshold(p.b, ZX_PROP_SOCKET_RX_THRESHOLD, 0));
    EXPECT_EQ(signals_of(p.b) & ZX_SOCKET_READ_THRESHOLD, 0);
    ASSERT_OK(zx_object_get_property(p.b, ZX_PROP_SOCKET_TX_THRESHOLD, &value, sizeof(value)));
    EXPECT_EQ(value, 0);
    close_pair(p);
}

TEST(Socket, ThresholdsBadArguments)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    uint32_t small = 1;

    EXPECT_STATUS(set_threshold(p.a, ZX_PROP_SOCKET_TX_THRESHOLD, BUFFER_MAX + 1),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_OK(set_threshold(p.a, ZX_PROP_SOCKET_TX_THRESHOLD, BUFFER_MAX));
    EXPECT_STATUS(zx_object_set_property(p.a, ZX_PROP_SOCKET_RX_THRESHOLD, &small, sizeof(small)),
                  ZX_ERR_BUFFER_TOO_SMALL);
    EXPECT_STATUS(set_threshold(zx_process_self(), ZX_PROP_SOCKET_RX_THRESHOLD, 1),
                  ZX_ERR_WRONG_TYPE);
    CLOSE(p.b);
    EXPECT_STATUS(set_threshold(p.a, ZX_PROP_SOCKET_TX_THRESHOLD, 1), ZX_ERR_PEER_CLOSED);
    EXPECT_OK(set_threshold(p.a, ZX_PROP_SOCKET_RX_THRESHOLD, 1));
    CLOSE(p.a);
}

/* Many sizes, so that every boundary between the kernel's blocks is met. */
TEST(Socket, StreamOfManySizes)
{
    struct pair p = make_socket(ZX_SOCKET_STREAM);
    static unsigned char out[9000], in[9000];
    unsigned char next_out = 0, next_in = 0;
    size_t written = 0, read = 0, actual;

    for (size_t size = 1; size < sizeof(out); size = size * 5 / 3 + 1) {
        for (size_t i = 0; i < size; i++)
            out[i] = next_out++;
        ASSERT_OK(zx_socket_write(p.a, 0, out, size, &actual));
        EXPECT_EQ(actual, size);
        written += size;
        ASSERT_OK(zx_socket_read(p.b, 0, in, size / 2 + 1, &actual));
        read += actual;
        for (size_t i = 0; i < actual; i++)
            EXPECT_EQ(in[i], next_in++);
    }
    while (read < written) {
        ASSERT_OK(zx_socket_read(p.b, 0, in, 777, &actual));
        read += actual;
        for (size_t i = 0; i < actual; i++)
            EXPECT_EQ(in[i], next_in++);
    }
    EXPECT_EQ(signals_of(p.b), ZX_SOCKET_WRITABLE);
    close_pair(p);
}
