/*
 * FIFOs.
 */
#include "test.h"

struct pair {
    zx_handle_t a, b;
};

static struct pair make_fifo(size_t count, size_t size)
{
    struct pair p;

    ASSERT_OK(zx_fifo_create(count, size, 0, &p.a, &p.b));
    return p;
}

static void close_pair(struct pair p)
{
    CLOSE(p.a);
    CLOSE(p.b);
}

TEST(Fifo, Create)
{
    struct pair p = make_fifo(8, 16);

    EXPECT_EQ(basic_info(p.a).type, ZX_OBJ_TYPE_FIFO);
    EXPECT_EQ(basic_info(p.a).rights, ZX_DEFAULT_FIFO_RIGHTS);
    EXPECT_EQ(basic_info(p.a).related_koid, basic_info(p.b).koid);
    EXPECT_EQ(signals_of(p.a), ZX_FIFO_WRITABLE);
    close_pair(p);
}

TEST(Fifo, CreateBadSizes)
{
    zx_handle_t a, b;

    EXPECT_STATUS(zx_fifo_create(0, 16, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create(8, 0, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create(3, 16, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create(512, 16, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_create(1ull << 63, 2, 0, &a, &b), ZX_ERR_OUT_OF_RANGE);
    ASSERT_OK(zx_fifo_create(256, 16, 0, &a, &b));
    close_pair((struct pair){a, b});
}

TEST(Fifo, WriteAndRead)
{
    struct pair p = make_fifo(8, sizeof(uint64_t));
    uint64_t out[] = {1, 2, 3, 4, 5}, in[8] = {0};
    size_t actual = 0;

    ASSERT_OK(zx_fifo_write(p.a, sizeof(uint64_t), out, 5, &actual));
    EXPECT_EQ(actual, 5);
    EXPECT_EQ(signals_of(p.b), ZX_FIFO_READABLE | ZX_FIFO_WRITABLE);
    ASSERT_OK(zx_fifo_read(p.b, sizeof(uint64_t), in, 2, &actual));
    EXPECT_EQ(actual, 2);
    EXPECT_EQ(in[1], 2);
    ASSERT_OK(zx_fifo_read(p.b, sizeof(uint64_t), in, 8, &actual));
    EXPECT_EQ(actual, 3);
    EXPECT_EQ(in[0], 3);
    EXPECT_EQ(in[2], 5);
    EXPECT_STATUS(zx_fifo_read(p.b, sizeof(uint64_t), in, 8, &actual), ZX_ERR_SHOULD_WAIT);
    EXPECT_EQ(signals_of(p.b), ZX_FIFO_WRITABLE);
    close_pair(p);
}

TEST(Fifo, Full)
{
    struct pair p = make_fifo(4, 4);
    uint32_t words[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    size_t actual = 0;

    ASSERT_OK(zx_fifo_write(p.a, 4, words, 3, &actual));
    ASSERT_OK(zx_fifo_write(p.a, 4, words + 3, 5, &actual));
    EXPECT_EQ(actual, 1); /* as many as there is room for */
    EXPECT_EQ(signals_of(p.a), 0);
    EXPECT_STATUS(zx_fifo_write(p.a, 4, words, 1, &actual), ZX_ERR_SHOULD_WAIT);
    for (uint32_t i = 1; i <= 20; i++) { /* around the end of the buffer, several times */
        uint32_t word, next = i + 4;
        ASSERT_OK(zx_fifo_read(p.b, 4, &word, 1, NULL));
        EXPECT_EQ(word, i);
        ASSERT_OK(zx_fifo_write(p.a, 4, &next, 1, NULL));
    }
    close_pair(p);
}

TEST(Fifo, PeerClosed)
{
    struct pair p = make_fifo(4, 4);
    uint32_t word = 7;

    ASSERT_OK(zx_fifo_write(p.a, 4, &word, 1, NULL));
    CLOSE(p.a);
    EXPECT_EQ(signals_of(p.b), ZX_FIFO_READABLE | ZX_FIFO_PEER_CLOSED);
    EXPECT_STATUS(zx_fifo_write(p.b, 4, &word, 1, NULL), ZX_ERR_PEER_CLOSED);
    EXPECT_OK(zx_fifo_read(p.b, 4, &word, 1, NULL));
    EXPECT_STATUS(zx_fifo_read(p.b, 4, &word, 1, NULL), ZX_ERR_PEER_CLOSED);
    CLOSE(p.b);
}

TEST(Fifo, BadArguments)
{
    struct pair p = make_fifo(4, 4);
    uint32_t word = 7;

    EXPECT_STATUS(zx_fifo_write(p.a, 8, &word, 1, NULL), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_write(p.a, 4, &word, 0, NULL), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_read(p.a, 8, &word, 1, NULL), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_write(p.a, 4, UNMAPPED, 1, NULL), ZX_ERR_INVALID_ARGS);
    ASSERT_OK(zx_fifo_write(p.a, 4, &word, 1, NULL));
    EXPECT_STATUS(zx_fifo_read(p.b, 4, UNMAPPED, 1, NULL), ZX_ERR_INVALID_ARGS);
    EXPECT_OK(zx_fifo_read(p.b, 4, &word, 1, NULL)); /* nothing was lost */
    close_pair(p);
}

TEST(Fifo, CreateBadPointers)
{
    zx_handle_t a;

    EXPECT_STATUS(zx_fifo_create(8, 8, 0, UNMAPPED, &a), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_fifo_create(8, 8, 0, &a, UNMAPPED), ZX_ERR_INVALID_ARGS);
}

TEST(Fifo, Rights)
{
    struct pair p = make_fifo(4, 4);
    zx_handle_t weak = without_rights(p.a, ZX_RIGHT_WRITE);
    uint32_t word = 7;

    EXPECT_STATUS(zx_fifo_write(weak, 4, &word, 1, NULL), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_fifo_read(weak, 4, &word, 1, NULL), ZX_ERR_SHOULD_WAIT);
    CLOSE(weak);
    weak = without_rights(p.a, ZX_RIGHT_READ);
    EXPECT_STATUS(zx_fifo_read(weak, 4, &word, 1, NULL), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_fifo_write(weak, 4, &word, 1, NULL));
    CLOSE(weak);
    close_pair(p);
}

TEST(Fifo, WrongHandles)
{
    uint32_t word = 7;

    EXPECT_STATUS(zx_fifo_write(closed_handle(), 4, &word, 1, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_fifo_read(closed_handle(), 4, &word, 1, NULL), ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_fifo_write(zx_process_self(), 4, &word, 1, NULL), ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_fifo_read(zx_process_self(), 4, &word, 1, NULL), ZX_ERR_WRONG_TYPE);
}

/* The size of the elements is looked at before an empty queue, but after a lost peer. */
TEST(Fifo, OrderOfErrors)
{
    struct pair p = make_fifo(4, 4);
    uint32_t word = 7;

    EXPECT_STATUS(zx_fifo_read(p.a, 8, &word, 1, NULL), ZX_ERR_OUT_OF_RANGE);
    CLOSE(p.b);
    EXPECT_STATUS(zx_fifo_read(p.a, 8, &word, 1, NULL), ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_fifo_write(p.a, 8, &word, 1, NULL), ZX_ERR_PEER_CLOSED);
    CLOSE(p.a);
}

/* Elements of a whole page, and pages of single bytes. */
TEST(Fifo, ExtremeShapes)
{
    static char out[4096], in[4096];
    struct pair p = make_fifo(1, 4096);
    size_t actual = 0;

    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (char)(i * 13 + i / 256);
    ASSERT_OK(zx_fifo_write(p.a, 4096, out, 1, &actual));
    EXPECT_EQ(signals_of(p.a), 0);
    ASSERT_OK(zx_fifo_read(p.b, 4096, in, 1, &actual));
    EXPECT_EQ(memcmp(in, out, sizeof(in)), 0);
    close_pair(p);
    p = make_fifo(4096, 1);
    memset(in, 0, sizeof(in));
    ASSERT_OK(zx_fifo_write(p.a, 1, out, 4096, &actual));
    EXPECT_EQ(actual, 4096);
    EXPECT_STATUS(zx_fifo_write(p.a, 1, out, 1, &actual), ZX_ERR_SHOULD_WAIT);
    ASSERT_OK(zx_fifo_read(p.b, 1, in, 4096, &actual));
    EXPECT_EQ(actual, 4096);
    EXPECT_EQ(memcmp(in, out, sizeof(in)), 0);
    close_pair(p);
}

TEST(Fifo, BothDirections)
{
    struct pair p = make_fifo(2, 8);
    uint64_t one = 1, two = 2, in = 0;

    ASSERT_OK(zx_fifo_write(p.a, 8, &one, 1, NULL));
    ASSERT_OK(zx_fifo_write(p.b, 8, &two, 1, NULL));
    ASSERT_OK(zx_fifo_read(p.a, 8, &in, 1, NULL));
    EXPECT_EQ(in, 2);
    ASSERT_OK(zx_fifo_read(p.b, 8, &in, 1, NULL));
    EXPECT_EQ(in, 1);
    close_pair(p);
}
