/*
 * Streams.
 */
#include "memory.h"

#include <zircon/ipc.h>

#define MODE_READ_WRITE (ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE)

struct file {
    zx_handle_t vmo, stream;
};

/* A stream at the beginning of a VMO that holds `text`. */
static struct file open_file(const char *text, uint32_t vmo_options)
{
    uint64_t length = strlen(text);
    struct file f;

    ASSERT_OK(zx_vmo_create(length, vmo_options, &f.vmo));
    ASSERT_OK(zx_vmo_write(f.vmo, text, 0, length));
    ASSERT_OK(zx_stream_create(MODE_READ_WRITE, f.vmo, 0, &f.stream));
    return f;
}

static void close_file(struct file *f)
{
    CLOSE(f->stream);
    CLOSE(f->vmo);
}

static uint64_t content_size(zx_handle_t vmo)
{
    uint64_t size;

    ASSERT_OK(zx_object_get_property(vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)));
    return size;
}

static uint64_t position(zx_handle_t stream)
{
    uint64_t seek;

    ASSERT_OK(zx_stream_seek(stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, 0, &seek));
    return seek;
}

static zx_status_t write_text(zx_handle_t stream, uint32_t options, const char *text)
{
    zx_iovec_t vector = {.buffer = (void *)(uintptr_t)text, .capacity = strlen(text)};
    size_t actual = 0;
    zx_status_t status = zx_stream_writev(stream, options, &vector, 1, &actual);

    if (status == ZX_OK)
        EXPECT_EQ(actual, vector.capacity);
    return status;
}

/* Whether a read of up to 63 bytes at the position gives `text`. */
static bool reads(zx_handle_t stream, const char *text)
{
    char buffer[64] = {0};
    zx_iovec_t vector = {.buffer = buffer, .capacity = sizeof(buffer) - 1};
    size_t actual = 99;

    EXPECT_OK(zx_stream_readv(stream, 0, &vector, 1, &actual));
    return actual == strlen(text) && memcmp(buffer, text, actual) == 0;
}

TEST(Stream, Create)
{
    zx_handle_t vmo = new_vmo(1), weak, stream;
    zx_info_stream_t info;

    EXPECT_STATUS(zx_stream_create(4, vmo, 0, &stream), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_create(MODE_READ_WRITE, zx_process_self(), 0, &stream),
                  ZX_ERR_WRONG_TYPE);
    EXPECT_STATUS(zx_stream_create(MODE_READ_WRITE, closed_handle(), 0, &stream),
                  ZX_ERR_BAD_HANDLE);
    EXPECT_STATUS(zx_stream_create(MODE_READ_WRITE, vmo, 0, UNMAPPED), ZX_ERR_INVALID_ARGS);
    weak = without_rights(vmo, ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_stream_create(ZX_STREAM_MODE_WRITE, weak, 0, &stream), ZX_ERR_ACCESS_DENIED);
    ASSERT_OK(zx_stream_create(ZX_STREAM_MODE_READ, weak, 9, &stream));
    EXPECT_EQ(basic_info(stream).type, ZX_OBJ_TYPE_STREAM);
    EXPECT_EQ(basic_info(stream).rights, ZX_DEFAULT_STREAM_RIGHTS | ZX_RIGHT_READ);
    ASSERT_OK(zx_object_get_info(stream, ZX_INFO_STREAM, &info, sizeof(info), NULL, NULL));
    EXPECT_EQ(info.options, ZX_STREAM_MODE_READ);
    EXPECT_EQ(info.seek, 9);
    EXPECT_EQ(info.content_size, PAGE);
    CLOSE(stream);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(Stream, Rights)
{
    struct file f = open_file("text", 0);
    zx_handle_t weak = without_rights(f.stream, ZX_RIGHT_READ);
    char buffer[8];
    zx_iovec_t vector = {.buffer = buffer, .capacity = sizeof(buffer)};
    uint64_t seek;

    EXPECT_STATUS(zx_stream_readv(weak, 0, &vector, 1, NULL), ZX_ERR_ACCESS_DENIED);
    EXPECT_OK(zx_stream_seek(weak, ZX_STREAM_SEEK_ORIGIN_START, 0, &seek)); /* WRITE will do */
    CLOSE(weak);
    weak = without_rights(f.stream, ZX_RIGHT_WRITE);
    EXPECT_STATUS(write_text(weak, 0, "x"), ZX_ERR_ACCESS_DENIED);
    EXPECT_STATUS(zx_stream_writev_at(weak, 0, 0, &vector, 1, NULL), ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    weak = without_rights(f.stream, ZX_RIGHT_READ | ZX_RIGHT_WRITE);
    EXPECT_STATUS(zx_stream_seek(weak, ZX_STREAM_SEEK_ORIGIN_START, 0, &seek),
                  ZX_ERR_ACCESS_DENIED);
    CLOSE(weak);
    close_file(&f);
}

TEST(Stream, Read)
{
    struct file f = open_file("a few words", 0);
    char one[4] = {0}, two[32] = {0};
    zx_iovec_t vector[2] = {{.buffer = one, .capacity = 3}, {.buffer = two, .capacity = 31}};
    size_t actual;

    EXPECT_OK(zx_stream_readv(f.stream, 0, vector, 2, &actual));
    EXPECT_EQ(actual, 11);
    EXPECT_EQ(strcmp(one, "a f"), 0);
    EXPECT_EQ(strcmp(two, "ew words"), 0); /* up to the content's end, not the page's */
    EXPECT_EQ(position(f.stream), 11);
    EXPECT_TRUE(reads(f.stream, "")); /* the end is no error */
    close_file(&f);
}

TEST(Stream, ReadAt)
{
    struct file f = open_file("0123456789", 0);
    char buffer[8] = {0};
    zx_iovec_t vector = {.buffer = buffer, .capacity = 4};
    size_t actual;

    EXPECT_OK(zx_stream_readv_at(f.stream, 0, 5, &vector, 1, &actual));
    EXPECT_EQ(actual, 4);
    EXPECT_EQ(strcmp(buffer, "5678"), 0);
    EXPECT_EQ(position(f.stream), 0);
    EXPECT_OK(zx_stream_readv_at(f.stream, 0, 10, &vector, 1, &actual));
    EXPECT_EQ(actual, 0);
    EXPECT_OK(zx_stream_readv_at(f.stream, 0, UINT64_MAX, &vector, 1, &actual));
    EXPECT_EQ(actual, 0);
    close_file(&f);
}

TEST(Stream, Write)
{
    struct file f = open_file("0123456789", 0);
    zx_iovec_t vector[3] = {{.buffer = "ab", .capacity = 2},
                            {.buffer = NULL, .capacity = 0},
                            {.buffer = "cd", .capacity = 2}};
    size_t actual;

    EXPECT_OK(zx_stream_writev(f.stream, 0, vector, 3, &actual));
    EXPECT_EQ(actual, 4);
    EXPECT_EQ(position(f.stream), 4);
    EXPECT_OK(zx_stream_writev_at(f.stream, 0, 8, vector, 1, &actual));
    EXPECT_EQ(position(f.stream), 4);
    EXPECT_OK(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_START, 0, NULL));
    EXPECT_TRUE(reads(f.stream, "abcd4567ab"));
    EXPECT_EQ(content_size(f.vmo), 10);
    close_file(&f);
}

/* Within the VMO the content can grow; behind its end only if that can grow, too. */
TEST(Stream, WriteGrows)
{
    struct file f = open_file("0123", 0), g = open_file("0123", ZX_VMO_RESIZABLE);
    char page[5000];
    zx_iovec_t vector = {.buffer = page, .capacity = sizeof(page)};
    size_t actual;

    memset(page, 'x', sizeof(page));
    EXPECT_OK(zx_stream_writev_at(f.stream, 0, 4, &vector, 1, &actual));
    EXPECT_EQ(actual, PAGE - 4); /* clipped */
    EXPECT_EQ(content_size(f.vmo), PAGE);
    EXPECT_STATUS(zx_stream_writev_at(f.stream, 0, PAGE, &vector, 1, &actual), ZX_ERR_NO_SPACE);
    EXPECT_OK(zx_stream_writev_at(g.stream, 0, 4, &vector, 1, &actual));
    EXPECT_EQ(actual, sizeof(page));
    EXPECT_EQ(content_size(g.vmo), 5004);
    EXPECT_EQ(pages_of(g.vmo), 2);
    close_file(&g);
    close_file(&f);
}

/* What lies between the old end and the write is zero, whatever was there. */
TEST(Stream, GapIsZero)
{
    struct file f = open_file("0123456789", 0);
    uint64_t size = 4;
    char bytes[10];

    ASSERT_OK(zx_object_set_property(f.vmo, ZX_PROP_VMO_CONTENT_SIZE, &size, sizeof(size)));
    EXPECT_TRUE(reads(f.stream, "0123"));
    EXPECT_OK(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_START, 8, NULL));
    EXPECT_OK(write_text(f.stream, 0, "z"));
    EXPECT_EQ(content_size(f.vmo), 9);
    ASSERT_OK(zx_vmo_read(f.vmo, bytes, 0, sizeof(bytes)));
    EXPECT_EQ(memcmp(bytes, "0123\0\0\0\0z9", 10), 0);
    close_file(&f);
}

TEST(Stream, Append)
{
    struct file f = open_file("one", ZX_VMO_RESIZABLE);

    EXPECT_OK(write_text(f.stream, ZX_STREAM_APPEND, ", two"));
    EXPECT_EQ(position(f.stream), 8);
    EXPECT_OK(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_START, 1, NULL));
    EXPECT_OK(write_text(f.stream, ZX_STREAM_APPEND, ", three"));
    EXPECT_EQ(position(f.stream), 15);
    EXPECT_OK(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_START, 0, NULL));
    EXPECT_TRUE(reads(f.stream, "one, two, three"));
    EXPECT_STATUS(write_text(f.stream, 2, "x"), ZX_ERR_INVALID_ARGS);
    close_file(&f);
}

TEST(Stream, Seek)
{
    struct file f = open_file("0123456789", 0);
    uint64_t seek;

    EXPECT_OK(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_START, 7, &seek));
    EXPECT_EQ(seek, 7);
    EXPECT_OK(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, -3, &seek));
    EXPECT_EQ(seek, 4);
    EXPECT_OK(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_END, -1, &seek));
    EXPECT_EQ(seek, 9);
    EXPECT_TRUE(reads(f.stream, "9"));
    EXPECT_OK(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_END, 90, &seek)); /* past the end */
    EXPECT_EQ(seek, 100);
    EXPECT_STATUS(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_START, -1, &seek),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_seek(f.stream, ZX_STREAM_SEEK_ORIGIN_CURRENT, -101, &seek),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_seek(f.stream, 3, 0, &seek), ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(position(f.stream), 100); /* failures move nothing */
    close_file(&f);
}

/* Streams of one VMO share the end, not the position. */
TEST(Stream, TwoOfOneVmo)
{
    struct file f = open_file("one", ZX_VMO_RESIZABLE);
    zx_handle_t other;

    ASSERT_OK(zx_stream_create(MODE_READ_WRITE, f.vmo, 2, &other));
    EXPECT_OK(write_text(f.stream, ZX_STREAM_APPEND, "two"));
    EXPECT_TRUE(reads(other, "etwo"));
    EXPECT_EQ(position(f.stream), 6);
    EXPECT_EQ(position(other), 6);
    CLOSE(f.vmo);
    EXPECT_OK(write_text(other, 0, "!")); /* they keep the VMO */
    EXPECT_TRUE(reads(f.stream, "!"));
    CLOSE(other);
    CLOSE(f.stream);
}

TEST(Stream, BadBuffers)
{
    struct file f = open_file("text", 0);
    zx_iovec_t unmapped = {.buffer = UNMAPPED, .capacity = 4};
    zx_iovec_t overflow[2] = {{.buffer = "x", .capacity = UINT64_MAX},
                              {.buffer = "y", .capacity = 1}};
    zx_iovec_t huge = {.buffer = "x", .capacity = 16};
    size_t actual;

    EXPECT_STATUS(zx_stream_readv(f.stream, 0, NULL, 0, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_writev(f.stream, 0, NULL, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_readv(f.stream, 0, UNMAPPED, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_readv(f.stream, 1, &huge, 1, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_TRUE(zx_stream_readv(f.stream, 0, &unmapped, 1, &actual) != ZX_OK);
    EXPECT_TRUE(zx_stream_writev(f.stream, 0, &unmapped, 1, &actual) != ZX_OK);
    EXPECT_STATUS(zx_stream_writev(f.stream, 0, overflow, 2, &actual), ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_stream_writev_at(f.stream, 0, UINT64_MAX - 4, &huge, 1, &actual),
                  ZX_ERR_FILE_BIG);
    EXPECT_EQ(position(f.stream), 0);
    EXPECT_EQ(content_size(f.vmo), 4);
    close_file(&f);
}
