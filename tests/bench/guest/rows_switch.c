/*
 * rows_switch.c - two threads that take turns: in one process or in two, by channels,
 * zx_channel_call, futexes, events, and by giving way. A sample is there and back.
 */
#include "guest.h"

#include <stdatomic.h>
#include <string.h>
#include <zvmm/launch.h>

#define STACK (16 * KIB)
#define BYTES 64

enum { OTHER_PROCESS = 1, CALL = 2 };

/* ---- Channels ------------------------------------------------------------------------------ */

/* The other side: sends back what comes, until the channel is closed. */
static void echo(zx_handle_t channel)
{
    char bytes[BYTES];
    uint32_t size, handles;
    zx_signals_t seen;

    for (;;) {
        zx_object_wait_one(channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED, ZX_TIME_INFINITE,
                           &seen);
        if (zx_channel_read(channel, 0, bytes, NULL, sizeof(bytes), 0, &size, &handles) != ZX_OK)
            return;
        zx_channel_write(channel, 0, bytes, size, NULL, 0);
    }
}

static void echo_thread(uintptr_t channel)
{
    echo((zx_handle_t)channel);
    zx_handle_close((zx_handle_t)channel);
    zx_thread_exit();
}

int child_main(const char *word)
{
    if (strcmp(word, "echo") == 0)
        echo(zx_take_startup_handle(PA_HND(PA_USER0, 0)));
    return 0;
}

static zx_handle_t launch_echo(struct run *run, zx_handle_t channel)
{
    static const char *const argv[] = {"zbench", "--child", "echo", NULL};
    struct launch_handle handle = {channel, PA_HND(PA_USER0, 0)};
    struct launch_args args = {
        .program = "zbench", .argv = argv, .handles = &handle, .handle_count = 1};
    zx_handle_t process = ZX_HANDLE_INVALID;

    OK(run, zx_launch(&args, &process));
    return process;
}

static void write_wait_read(struct run *run, zx_handle_t channel)
{
    char bytes[BYTES] = {0};
    uint32_t size, handles;

    RUN_TURNS(run) {
        OK(run, zx_channel_write(channel, 0, bytes, sizeof(bytes), NULL, 0));
        OK(run, zx_object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL));
        OK(run, zx_channel_read(channel, 0, bytes, NULL, sizeof(bytes), 0, &size, &handles));
    }
}

static void call(struct run *run, zx_handle_t channel)
{
    char sent[BYTES] = {0}, got[BYTES];
    zx_channel_call_args_t args = {
        .wr_bytes = sent, .wr_num_bytes = BYTES, .rd_bytes = got, .rd_num_bytes = BYTES};
    uint32_t size, handles;

    RUN_TURNS(run)
        OK(run, zx_channel_call(channel, 0, ZX_TIME_INFINITE, &args, &size, &handles));
}

static void channel_round_trip(struct run *run, const struct row *row)
{
    char *stack = buffer_map(run, STACK);
    zx_handle_t ends[2], other;

    OK(run, zx_channel_create(0, &ends[0], &ends[1]));
    if (row->flags & OTHER_PROCESS)
        other = launch_echo(run, ends[1]);
    else
        other = thread_on(run, echo_thread, ends[1], stack + STACK);
    if (row->flags & CALL)
        call(run, ends[0]);
    else
        write_wait_read(run, ends[0]);
    zx_handle_close(ends[0]);
    thread_wait(run, other);
    buffer_unmap(stack, STACK);
}

/* ---- Futexes, events, giving way ----------------------------------------------------------- */

static struct {
    _Atomic(int32_t) ping, pong;
    _Atomic(bool) end;
    zx_handle_t here, there;
} table;

static void futex_set(_Atomic(int32_t) *futex, int32_t value)
{
    atomic_store(futex, value);
    zx_futex_wake((const zx_futex_t *)futex, 1);
}

static void futex_await(_Atomic(int32_t) *futex, int32_t old)
{
    while (atomic_load(futex) == old)
        zx_futex_wait((const zx_futex_t *)futex, old, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
}

static void futex_thread(uintptr_t argument)
{
    (void)argument;
    for (int32_t turn = 0; !atomic_load(&table.end); turn++) {
        futex_await(&table.ping, turn);
        futex_set(&table.pong, turn + 1);
    }
    zx_thread_exit();
}

static void futex_ping_pong(struct run *run, const struct row *row)
{
    char *stack = buffer_map(run, STACK);
    zx_handle_t thread;
    int32_t turn = 0;

    (void)row;
    table.ping = table.pong = 0;
    table.end = false;
    thread = thread_on(run, futex_thread, 0, stack + STACK);
    RUN_TURNS(run) {
        futex_set(&table.ping, turn + 1);
        futex_await(&table.pong, turn++);
    }
    table.end = true;
    futex_set(&table.ping, turn + 1);
    thread_wait(run, thread);
    buffer_unmap(stack, STACK);
}

static void event_thread(uintptr_t argument)
{
    (void)argument;
    while (!atomic_load(&table.end)) {
        zx_object_wait_one(table.there, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL);
        zx_object_signal(table.there, ZX_EVENT_SIGNALED, 0);
        zx_object_signal(table.here, 0, ZX_EVENT_SIGNALED);
    }
    zx_thread_exit();
}

static void event_ping_pong(struct run *run, const struct row *row)
{
    char *stack = buffer_map(run, STACK);
    zx_handle_t thread;

    (void)row;
    table.end = false;
    OK(run, zx_event_create(0, &table.here));
    OK(run, zx_event_create(0, &table.there));
    thread = thread_on(run, event_thread, 0, stack + STACK);
    RUN_TURNS(run) {
        OK(run, zx_object_signal(table.there, 0, ZX_EVENT_SIGNALED));
        OK(run, zx_object_wait_one(table.here, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL));
        OK(run, zx_object_signal(table.here, ZX_EVENT_SIGNALED, 0));
    }
    table.end = true;
    zx_object_signal(table.there, 0, ZX_EVENT_SIGNALED);
    thread_wait(run, thread);
    zx_handle_close(table.here);
    zx_handle_close(table.there);
    buffer_unmap(stack, STACK);
}

static void yield_thread(uintptr_t argument)
{
    (void)argument;
    while (!atomic_load(&table.end))
        zx_nanosleep(0);
    zx_thread_exit();
}

static void yield(struct run *run, const struct row *row)
{
    char *stack = buffer_map(run, STACK);
    zx_handle_t thread = ZX_HANDLE_INVALID;

    table.end = false;
    if (row->count > 0)
        thread = thread_on(run, yield_thread, 0, stack + STACK);
    RUN_TURNS(run)
        zx_nanosleep(0);
    table.end = true;
    if (row->count > 0)
        thread_wait(run, thread);
    buffer_unmap(stack, STACK);
}

const struct row switch_rows[] = {
    {"Channel/RoundTrip/Threads", channel_round_trip},
    {"Channel/RoundTrip/Processes", channel_round_trip, .flags = OTHER_PROCESS},
    {"Channel/Call/Threads", channel_round_trip, .flags = CALL},
    {"Channel/Call/Processes", channel_round_trip, .flags = CALL | OTHER_PROCESS},
    {"Futex/PingPong", futex_ping_pong},
    {"Event/PingPong", event_ping_pong},
    {"Thread/YieldAlone", yield, .batch = 16},
    {"Thread/Yield", yield, .batch = 16, .count = 1},
    {0},
};
