/*
 * test_socket.c - sockets.
 */
#include "helpers.h"

#include <zircon/ipc.h>
#include <zircon/limits.h>

#include "socket.h"

enum { OUT0 = 0, OUT1 = 8, ACTUAL = 16, VALUE = 24, DATA = 0x100, DATA_OUT = 0x100 };
#define MAX ZX_SOCKET_BUFFER_MAX

static void make(uint32_t options, zx_handle_t *a, zx_handle_t *b)
{
    assert_status(sys_socket_create(SELF, options, U(OUT0), U(OUT1)), ZX_OK);
    *a = fixture_handle_at(OUT0);
    *b = fixture_handle_at(OUT1);
}

static int64_t put(zx_handle_t socket, size_t size)
{
    return sys_socket_write(SELF, socket, 0, U(DATA), size, U(ACTUAL));
}

static int64_t get(zx_handle_t socket, size_t size)
{
    return sys_socket_read(SELF, socket, 0, U(DATA_OUT), size, U(ACTUAL));
}

static zx_info_socket_t info_of(zx_handle_t handle)
{
    zx_info_socket_t info = {0};

    object_of(handle)->ops->get_info(object_of(handle), &info);
    return info;
}

static void test_errors(void **state)
{
    zx_handle_t a, b;

    (void)state;
    assert_status(sys_socket_create(SELF, 2, U(OUT0), U(OUT1)), ZX_ERR_INVALID_ARGS);
    make(0, &a, &b);
    assert_int_equal(signals_of(a), ZX_SOCKET_WRITABLE);
    assert_status(sys_socket_write(SELF, a, 0, NONE, 1, NONE), ZX_ERR_INVALID_ARGS);
    assert_status(sys_socket_write(SELF, a, 1, U(DATA), 1, NONE), ZX_ERR_INVALID_ARGS);
    assert_status(sys_socket_write(SELF, a, 0, NONE, 0, U(ACTUAL)), ZX_OK);
    assert_int_equal(u64_at(ACTUAL), 0);
    assert_status(put(a, 1ull << 32), ZX_ERR_INVALID_ARGS);
    assert_status(sys_socket_write(SELF, a, 0, BAD, 5000, NONE), ZX_ERR_INVALID_ARGS);
    assert_int_equal(info_of(b).rx_buf_size, 0);
    assert_status(get(b, 1), ZX_ERR_SHOULD_WAIT);
    assert_status(sys_socket_read(SELF, b, 4, U(DATA), 1, NONE), ZX_ERR_INVALID_ARGS);
    assert_status(sys_socket_read(SELF, b, 0, NONE, 1, NONE), ZX_ERR_INVALID_ARGS);
    assert_status(put(a, 10), ZX_OK);
    assert_status(sys_socket_read(SELF, b, 0, BAD, 10, NONE), ZX_ERR_INVALID_ARGS);
    assert_int_equal(info_of(b).rx_buf_size, 10);
    assert_status(sys_socket_read(SELF, b, 0, NONE, 0, U(ACTUAL)), ZX_OK);
    assert_status(sys_socket_shutdown(SELF, a, 4), ZX_ERR_INVALID_ARGS);
    close_handle(a);
    assert_int_equal(signals_of(b), ZX_SOCKET_READABLE | ZX_SOCKET_PEER_CLOSED);
    assert_status(put(b, 1), ZX_ERR_PEER_CLOSED);
    assert_status(get(b, 100), ZX_OK);
    assert_int_equal(u64_at(ACTUAL), 10);
    assert_status(get(b, 1), ZX_ERR_PEER_CLOSED);
    assert_int_equal(info_of(b).tx_buf_max, 0);
    assert_status(sys_socket_shutdown(SELF, b, 3), ZX_OK);
    b = with_rights(b, 0);
    assert_status(get(b, 1), ZX_ERR_ACCESS_DENIED);
    assert_status(put(b, 1), ZX_ERR_ACCESS_DENIED);
    assert_status(sys_socket_shutdown(SELF, b, 3), ZX_ERR_ACCESS_DENIED);
}

/* Random sizes against a position counter: byte n of the stream is n * 7. */
static void test_stream_data(void **state)
{
    static uint8_t bytes[70000];
    zx_handle_t a, b;
    size_t in = 0, out = 0;

    (void)state;
    make(0, &a, &b);
    srand(2);
    for (int i = 0; i < 600; i++) {
        size_t n = (size_t)rand() % (rand() & 3 ? 3000 : 60000) + 1, used = in - out;

        if (rand() % 5 < 3) {
            for (size_t k = 0; k < n; k++)
                bytes[k] = (uint8_t)((in + k) * 7);
            fixture_poke(DATA, bytes, n);
            assert_status(put(a, n), used == MAX ? ZX_ERR_SHOULD_WAIT : ZX_OK);
            n = used == MAX ? 0 : n < MAX - used ? n : MAX - used;
            in += n;
        } else {
            bool peek = rand() & 1;

            assert_status(
                sys_socket_read(SELF, b, peek ? ZX_SOCKET_PEEK : 0, U(DATA_OUT), n, U(ACTUAL)),
                used == 0 ? ZX_ERR_SHOULD_WAIT : ZX_OK);
            n = n < used ? n : used;
            if (used) {
                assert_int_equal(u64_at(ACTUAL), n);
                fixture_peek(DATA_OUT, bytes, n);
            }
            for (size_t k = 0; k < n; k++)
                assert_int_equal(bytes[k], (uint8_t)((out + k) * 7));
            out += peek ? 0 : n;
        }
        assert_int_equal(info_of(b).rx_buf_size, in - out);
        assert_int_equal(!!(signals_of(b) & ZX_SOCKET_READABLE), in > out);
        assert_int_equal(!!(signals_of(a) & ZX_SOCKET_WRITABLE), in - out < MAX);
    }
}

static void test_stream_full(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(0, &a, &b);
    assert_status(put(a, USER_BYTES - DATA), ZX_OK);
    assert_int_equal(u64_at(ACTUAL), MAX);
    assert_int_equal(signals_of(a), 0);
    assert_status(put(a, 1), ZX_ERR_SHOULD_WAIT);
    assert_status(put(a, 0), ZX_OK);
    assert_status(get(b, 1), ZX_OK);
    assert_int_equal(signals_of(a), ZX_SOCKET_WRITABLE);
    assert_int_equal(info_of(a).tx_buf_size, MAX - 1);
}

static void test_datagrams(void **state)
{
    zx_handle_t a, b;
    static const size_t sizes[] = {1, 5000, 64, 1984, 1985, 1};
    size_t total = 0;

    (void)state;
    make(ZX_SOCKET_DATAGRAM, &a, &b);
    assert_status(put(a, MAX + 1), ZX_ERR_OUT_OF_RANGE);
    for (size_t i = 0; i < 6; i++) {
        assert_status(put(a, sizes[i]), ZX_OK);
        total += sizes[i];
    }
    assert_status(put(a, MAX - total + 1), ZX_ERR_SHOULD_WAIT);
    assert_int_equal(info_of(b).rx_buf_available, 1);
    assert_int_equal(info_of(b).rx_buf_size, total);
    assert_int_equal(info_of(b).options, ZX_SOCKET_DATAGRAM);
    for (size_t i = 0; i < 6; i++) {
        size_t ask = i == 1 ? 100 : 6000, expect = sizes[i] < ask ? sizes[i] : ask;

        assert_status(sys_socket_read(SELF, b, ZX_SOCKET_PEEK, U(DATA_OUT), ask, U(ACTUAL)), ZX_OK);
        assert_int_equal(u64_at(ACTUAL), expect);
        assert_status(get(b, ask), ZX_OK); /* what does not fit is lost */
        assert_int_equal(u64_at(ACTUAL), expect);
        total -= sizes[i];
        assert_int_equal(info_of(b).rx_buf_size, total);
    }
    assert_status(get(b, 1), ZX_ERR_SHOULD_WAIT);
    assert_status(put(a, MAX), ZX_OK);
    assert_int_equal(signals_of(a), 0);
}

static void test_shutdown(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(0, &a, &b);
    assert_status(put(a, 5), ZX_OK);
    assert_status(sys_socket_shutdown(SELF, a, ZX_SOCKET_SHUTDOWN_WRITE), ZX_OK);
    assert_int_equal(signals_of(a), ZX_SOCKET_WRITE_DISABLED);
    assert_int_equal(signals_of(b),
                     ZX_SOCKET_READABLE | ZX_SOCKET_WRITABLE | ZX_SOCKET_PEER_WRITE_DISABLED);
    assert_status(put(a, 1), ZX_ERR_BAD_STATE);
    assert_status(get(b, 5), ZX_OK); /* what was there stays */
    assert_int_equal(signals_of(a), ZX_SOCKET_WRITE_DISABLED);
    assert_status(get(b, 1), ZX_ERR_BAD_STATE);
    assert_status(put(b, 1), ZX_OK); /* the other way works */
    assert_status(sys_socket_shutdown(SELF, a, ZX_SOCKET_SHUTDOWN_WRITE), ZX_OK);
    assert_status(sys_socket_shutdown(SELF, a, ZX_SOCKET_SHUTDOWN_READ), ZX_OK);
    assert_status(put(b, 1), ZX_ERR_BAD_STATE);
    assert_status(get(a, 1), ZX_OK);
    assert_status(get(a, 1), ZX_ERR_BAD_STATE);
}

static void set_threshold(zx_handle_t handle, uint32_t property, uint64_t value,
                          zx_status_t expected)
{
    fixture_poke(VALUE, &value, sizeof value);
    assert_status(sys_object_set_property(SELF, handle, property, U(VALUE), 8), expected);
}

static void test_thresholds(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(0, &a, &b);
    set_threshold(b, ZX_PROP_SOCKET_RX_THRESHOLD, MAX + 1, ZX_ERR_INVALID_ARGS);
    set_threshold(b, ZX_PROP_SOCKET_RX_THRESHOLD, 100, ZX_OK);
    assert_status(sys_object_get_property(SELF, b, ZX_PROP_SOCKET_RX_THRESHOLD, U(VALUE), 8),
                  ZX_OK);
    assert_int_equal(u64_at(VALUE), 100);
    assert_status(put(a, 99), ZX_OK);
    assert_false(signals_of(b) & ZX_SOCKET_READ_THRESHOLD);
    assert_status(put(a, 1), ZX_OK);
    assert_true(signals_of(b) & ZX_SOCKET_READ_THRESHOLD);
    assert_status(get(b, 1), ZX_OK);
    assert_false(signals_of(b) & ZX_SOCKET_READ_THRESHOLD);
    set_threshold(b, ZX_PROP_SOCKET_RX_THRESHOLD, 99, ZX_OK);
    assert_true(signals_of(b) & ZX_SOCKET_READ_THRESHOLD);
    set_threshold(b, ZX_PROP_SOCKET_RX_THRESHOLD, 0, ZX_OK);
    assert_false(signals_of(b) & ZX_SOCKET_READ_THRESHOLD);
    set_threshold(a, ZX_PROP_SOCKET_TX_THRESHOLD, MAX, ZX_OK);
    assert_false(signals_of(a) & ZX_SOCKET_WRITE_THRESHOLD);
    set_threshold(a, ZX_PROP_SOCKET_TX_THRESHOLD, MAX - 99, ZX_OK);
    assert_true(signals_of(a) & ZX_SOCKET_WRITE_THRESHOLD);
    assert_status(put(a, 1), ZX_OK);
    assert_false(signals_of(a) & ZX_SOCKET_WRITE_THRESHOLD);
    assert_status(get(b, 1), ZX_OK);
    assert_true(signals_of(a) & ZX_SOCKET_WRITE_THRESHOLD);
    set_threshold(a, ZX_PROP_VMO_CONTENT_SIZE, 1, ZX_ERR_WRONG_TYPE);
    close_handle(b);
    set_threshold(a, ZX_PROP_SOCKET_TX_THRESHOLD, 1, ZX_ERR_PEER_CLOSED);
    set_threshold(a, ZX_PROP_SOCKET_RX_THRESHOLD, 1, ZX_OK);
}

static void test_no_memory(void **state)
{
    zx_handle_t a, b;
    static const char zeros[20000];

    (void)state;
    fixture_poke(DATA, zeros, sizeof zeros);
    for (uint64_t n = 1; n <= 2; n++) {
        heap_fail_nth(n);
        assert_status(sys_socket_create(SELF, 0, U(OUT0), U(OUT1)), ZX_ERR_NO_MEMORY);
    }
    for (uint32_t datagram = 0; datagram < 2; datagram++) {
        size_t before;

        make(datagram, &a, &b);
        assert_status(put(a, 10), ZX_OK);
        before = heap_used();
        for (uint64_t n = 1; n <= 10; n++) {
            heap_fail_nth(n);
            assert_status(put(a, 20000), ZX_ERR_NO_MEMORY);
            assert_int_equal(heap_used(), before);
        }
        heap_fail_nth(0);
        assert_status(get(b, 20), ZX_OK);
        assert_int_equal(u64_at(ACTUAL), 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_errors),   TEST(test_stream_data), TEST(test_stream_full), TEST(test_datagrams),
        TEST(test_shutdown), TEST(test_thresholds),  TEST(test_no_memory),
    };

    return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
