/*
 * threads: what tests/cli/determinism.t repeats. Four threads sleep until timers at random times, and
 * send what they see, clock and time stamp counter included, through channels to a port. The
 * order and the numbers depend on everything that a deterministic run must fix.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <zircon/zircon.h>

enum { THREADS = 4, MESSAGES = 8 };

struct message {
    uint32_t thread, number;
    uint64_t random, time, tsc;
};

static zx_handle_t ends[THREADS][2];
static mtx_t lock;
static unsigned shared_count;

static void check(zx_status_t status, const char *what)
{
    if (status == ZX_OK)
        return;
    fprintf(stderr, "threads: %s: %s\n", what, zx_status_get_string(status));
    exit(1);
}

static int send_messages(void *argument)
{
    struct message message = {.thread = (uint32_t)(uintptr_t)argument};
    zx_handle_t timer;

    check(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer), "timer_create");
    for (; message.number < MESSAGES; message.number++) {
        zx_cprng_draw(&message.random, sizeof(message.random));
        check(zx_timer_set(timer, zx_deadline_after((int64_t)(message.random % 3000000)), 0),
              "timer_set");
        check(zx_object_wait_one(timer, ZX_TIMER_SIGNALED, ZX_TIME_INFINITE, NULL), "wait_one");
        mtx_lock(&lock);
        shared_count++;
        mtx_unlock(&lock);
        message.time = (uint64_t)zx_clock_get_monotonic();
        message.tsc = __builtin_ia32_rdtsc();
        check(zx_channel_write(ends[message.thread][0], 0, &message, sizeof(message), NULL, 0),
              "channel_write");
    }
    return 0;
}

static void receive(zx_handle_t port)
{
    zx_port_packet_t packet;
    struct message message;

    check(zx_port_wait(port, ZX_TIME_INFINITE, &packet), "port_wait");
    check(zx_channel_read(ends[packet.key][1], 0, &message, NULL, sizeof(message), 0, NULL, NULL),
          "channel_read");
    check(zx_object_wait_async(ends[packet.key][1], port, packet.key, ZX_CHANNEL_READABLE, 0),
          "wait_async");
    printf("%u.%u %llx %llu %llu\n", message.thread, message.number,
           (unsigned long long)message.random, (unsigned long long)message.time,
           (unsigned long long)message.tsc);
}

int main(void)
{
    thrd_t threads[THREADS];
    zx_handle_t port;

    mtx_init(&lock, mtx_plain);
    check(zx_port_create(0, &port), "port_create");
    for (uintptr_t i = 0; i < THREADS; i++) {
        check(zx_channel_create(0, &ends[i][0], &ends[i][1]), "channel_create");
        check(zx_object_wait_async(ends[i][1], port, i, ZX_CHANNEL_READABLE, 0), "wait_async");
        if (thrd_create(&threads[i], send_messages, (void *)i) != thrd_success)
            return 1;
    }
    for (int i = 0; i < THREADS * MESSAGES; i++)
        receive(port);
    for (int i = 0; i < THREADS; i++)
        thrd_join(threads[i], NULL);
    return shared_count == THREADS * MESSAGES ? 0 : 1;
}
