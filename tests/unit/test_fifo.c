/*
 * test_fifo.c - FIFOs.
 */
#include "helpers.h"

#include <zircon/limits.h>

#include "fifo.h"

enum { OUT0 = 0, OUT1 = 8, ACTUAL = 16, DATA = 0x1000, DATA_OUT = 0x4000 };

static void make(size_t count, size_t size, zx_handle_t *a, zx_handle_t *b)
{
    assert_status(sys_fifo_create(SELF, count, size, 0, U(OUT0), U(OUT1)), ZX_OK);
    *a = fixture_handle_at(OUT0);
    *b = fixture_handle_at(OUT1);
}

static int64_t put(zx_handle_t fifo, size_t size, size_t count)
{
    return sys_fifo_write(SELF, fifo, size, U(DATA), count, U(ACTUAL));
}

static int64_t get(zx_handle_t fifo, size_t size, size_t count)
{
    return sys_fifo_read(SELF, fifo, size, U(DATA_OUT), count, U(ACTUAL));
}

static void test_create(void **state)
{
    static const size_t bad[][2] = {
        {0, 1}, {1, 0}, {3, 1}, {4096, 2}, {8192, 1}, {1, 4097}, {1ull << 63, 2}, {2, SIZE_MAX},
    };
    zx_handle_t a, b;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_status(sys_fifo_create(SELF, bad[i][0], bad[i][1], 0, U(OUT0), U(OUT1)),
                      ZX_ERR_OUT_OF_RANGE);
    make(4096, 1, &a, &b);
    make(1, 4096, &a, &b);
    assert_int_equal(signals_of(a), ZX_FIFO_WRITABLE);
    for (uint64_t n = 1; n <= 4; n++) {
        size_t before = heap_used();

        heap_fail_nth(n);
        assert_status(sys_fifo_create(SELF, 2, 8, 0, U(OUT0), U(OUT1)), ZX_ERR_NO_MEMORY);
        assert_int_equal(heap_used(), before);
    }
}

static void test_errors(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(4, 8, &a, &b);
    assert_status(get(b, 7, 1), ZX_ERR_OUT_OF_RANGE); /* before it is found empty */
    assert_status(get(b, 8, 0), ZX_ERR_OUT_OF_RANGE);
    assert_status(get(b, 8, 1), ZX_ERR_SHOULD_WAIT);
    assert_status(put(a, 7, 1), ZX_ERR_OUT_OF_RANGE);
    assert_status(put(a, 8, 0), ZX_ERR_OUT_OF_RANGE);
    assert_status(sys_fifo_write(SELF, a, 8, BAD, 1, NONE), ZX_ERR_INVALID_ARGS);
    assert_int_equal(signals_of(b), ZX_FIFO_WRITABLE);
    assert_status(put(a, 8, 2), ZX_OK);
    assert_status(sys_fifo_read(SELF, b, 8, BAD, 1, NONE), ZX_ERR_INVALID_ARGS);
    close_handle(a);
    assert_int_equal(signals_of(b), ZX_FIFO_READABLE | ZX_FIFO_PEER_CLOSED);
    assert_status(put(b, 7, 0), ZX_ERR_PEER_CLOSED); /* before anything else */
    assert_status(get(b, 8, 9), ZX_OK);
    assert_int_equal(u64_at(ACTUAL), 2);
    assert_status(get(b, 8, 1), ZX_ERR_PEER_CLOSED);
    assert_int_equal(signals_of(b), ZX_FIFO_PEER_CLOSED);
    b = with_rights(b, 0);
    assert_status(get(b, 8, 1), ZX_ERR_ACCESS_DENIED);
    assert_status(put(b, 8, 1), ZX_ERR_ACCESS_DENIED);
}

static void test_signals(void **state)
{
    zx_handle_t a, b;

    (void)state;
    make(4, 8, &a, &b);
    assert_status(put(a, 8, SIZE_MAX), ZX_OK);
    assert_int_equal(u64_at(ACTUAL), 4);
    assert_int_equal(signals_of(a), 0);
    assert_int_equal(signals_of(b), ZX_FIFO_READABLE | ZX_FIFO_WRITABLE);
    assert_status(put(a, 8, 1), ZX_ERR_SHOULD_WAIT);
    assert_status(get(b, 8, 1), ZX_OK);
    assert_int_equal(signals_of(a), ZX_FIFO_WRITABLE);
    assert_status(get(b, 8, SIZE_MAX), ZX_OK);
    assert_int_equal(u64_at(ACTUAL), 3);
    assert_int_equal(signals_of(b), ZX_FIFO_WRITABLE);
}

/* Random puts and gets against counters, with the ring wrapping all the time. */
static void test_data(void **state)
{
    zx_handle_t a, b;
    uint32_t next_in = 0, next_out = 0;

    (void)state;
    make(16, 12, &a, &b);
    srand(1);
    for (int i = 0; i < 5000; i++) {
        uint32_t n = (uint32_t)rand() % 20 + 1, element[20 * 3], used = next_in - next_out;

        if (rand() & 1) {
            for (uint32_t k = 0; k < n * 3; k++)
                element[k] = (next_in + k / 3) * 3 + k % 3;
            fixture_poke(DATA, element, n * 12);
            assert_status(put(a, 12, n), used == 16 ? ZX_ERR_SHOULD_WAIT : ZX_OK);
            if (used < 16) {
                n = n < 16 - used ? n : 16 - used;
                assert_int_equal(u64_at(ACTUAL), n);
                next_in += n;
            }
        } else {
            assert_status(get(b, 12, n), used == 0 ? ZX_ERR_SHOULD_WAIT : ZX_OK);
            if (used) {
                n = n < used ? n : used;
                assert_int_equal(u64_at(ACTUAL), n);
                fixture_peek(DATA_OUT, element, n * 12);
                for (uint32_t k = 0; k < n * 3; k++)
                    assert_int_equal(element[k], (next_out + k / 3) * 3 + k % 3);
                next_out += n;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create),
        TEST(test_errors),
        TEST(test_signals),
        TEST(test_data),
    };

    return cmocka_run_group_tests_name("fifo", tests, NULL, NULL);
}
