/*
 * Sockets: streams of bytes and datagrams.
 */
#include "test.h"

#include <stdlib.h>

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
