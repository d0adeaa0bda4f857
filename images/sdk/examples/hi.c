/*
 * hi: a first program of one's own.
 *
 *     ./zcc -o demo/hi images/sdk/examples/hi.c && ./zvmm guest.elf --bootfs demo -- hi
 *
 * It prints, reads the clock, sends itself a message through a channel, and starts a thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/zircon.h>

static void check(zx_status_t status, const char *what)
{
    if (status == ZX_OK)
        return;
    fprintf(stderr, "hi: %s: %s\n", what, zx_status_get_string(status));
    exit(1);
}

static void send_myself_a_message(void)
{
    static const char message[] = "a message to myself";
    char buffer[64];
    zx_handle_t mine, other;
    uint32_t size;

    check(zx_channel_create(0, &mine, &other), "channel_create");
    check(zx_channel_write(mine, 0, message, sizeof(message), NULL, 0), "channel_write");
    check(zx_object_wait_one(other, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL),
          "object_wait_one");
    check(zx_channel_read(other, 0, buffer, NULL, sizeof(buffer), 0, &size, NULL), "channel_read");
    printf("received %u bytes: %s\n", size, buffer);
    zx_handle_close(mine);
    zx_handle_close(other);
}

static int sum(void *argument)
{
    int n = *(int *)argument, result = 0;

    for (int i = 1; i <= n; i++)
        result += i;
    return result;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 100, result;
    thrd_t thread;

    printf("hi from %s\n", argv[0]);
    printf("the machine has been up for %.3f ms\n", (double)zx_clock_get_monotonic() / 1e6);
    send_myself_a_message();
    if (thrd_create(&thread, sum, &n) != thrd_success ||
        thrd_join(thread, &result) != thrd_success) {
        fprintf(stderr, "hi: no thread\n");
        return 1;
    }
    printf("a thread added the numbers from 1 to %d: %d\n", n, result);
    return 0;
}
