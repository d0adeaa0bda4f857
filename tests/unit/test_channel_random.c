/*
 * test_channel_random.c - channels that carry channels, at random. Whatever circles of queues come
 * about, closing every handle must free every object: the fixture compares the heap.
 */
#include "helpers.h"

#include <zircon/ipc.h>

#include "channel.h"

enum { OUT0 = 0, OUT1 = 8, HANDLES = 0x100, HANDLES_OUT = 0x400, ACTUAL = 0x800 };
enum { MANY = 64 };

static zx_handle_t held[MANY];
static int num_held;

static zx_handle_t take_random(void)
{
    int i = rand() % num_held;
    zx_handle_t handle = held[i];

    held[i] = held[--num_held];
    return handle;
}

static void create(void)
{
    if (num_held > MANY - 2)
        return;
    assert_status(sys_channel_create(SELF, 0, U(OUT0), U(OUT1)), ZX_OK);
    held[num_held++] = fixture_handle_at(OUT0);
    held[num_held++] = fixture_handle_at(OUT1);
}

/* Up to three handles go into a message; also when the other end is closed. */
static void write_random(void)
{
    zx_handle_t through = held[rand() % num_held], sent[3];
    uint32_t n = 0, want = (uint32_t)rand() % 3 + 1;

    while (n < want && num_held > 1) {
        zx_handle_t handle = take_random();

        if (handle == through)
            held[num_held++] = handle;
        else
            sent[n++] = handle;
    }
    fixture_poke(HANDLES, sent, n * sizeof sent[0]);
    sys_channel_write(SELF, through, 0, NONE, 0, U(HANDLES), n);
}

static void read_random(void)
{
    zx_handle_t through = held[rand() % num_held];
    uint32_t n;

    if (num_held > MANY - 3 ||
        sys_channel_read(SELF, through, 0, NONE, U(HANDLES_OUT), 0, 3, NONE, U(ACTUAL)) != ZX_OK)
        return;
    n = u32_at(ACTUAL);
    for (uint32_t i = 0; i < n; i++)
        held[num_held++] = fixture_handle_at(HANDLES_OUT + i * sizeof(zx_handle_t));
}

static void test_random(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 300; seed++) {
        zx_koid_t first;

        srand(seed);
        first = fix.kernel.next_koid;
        for (int step = 0; step < 400; step++) {
            int what = rand() % 10;

            if (num_held < 2 || what < 3)
                create();
            else if (what < 7)
                write_random();
            else if (what < 9)
                read_random();
            else
                close_handle(take_random());
        }
        assert_true(fix.kernel.next_koid > first);
        while (num_held)
            close_handle(take_random());
        assert_int_equal(fix.process->handles.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_random)};

    return cmocka_run_group_tests_name("channel_random", tests, NULL, NULL);
}
