/*
 * rows_call.c - calls that neither block nor touch much memory: the null call, handles, events,
 * ports, futexes, FIFOs, sockets, and creating and closing an object of each common kind.
 */
#include "guest.h"

static void null_call(struct run *run, const struct row *row)
{
    (void)row;
    RUN_TURNS(run)
        zx_syscall_test_0();
}

static void eight_arguments(struct run *run, const struct row *row)
{
    (void)row;
    RUN_TURNS(run)
        zx_syscall_test_8(1, 2, 3, 4, 5, 6, 7, 8);
}

/* A call that leaves the virtual machine. */
static void marker_call(struct run *run, const struct row *row)
{
    zx_handle_t root = zx_get_startup_handle(PA_HND(PA_RESOURCE, 0));

    (void)row;
    RUN_TURNS(run)
        OK(run, zx_debug_send_command(root, "marker 4096", 11));
}

static void handle_duplicate(struct run *run, const struct row *row)
{
    zx_handle_t event, other;

    (void)row;
    OK(run, zx_event_create(0, &event));
    RUN_TURNS(run) {
        OK(run, zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &other));
        OK(run, zx_handle_close(other));
    }
    zx_handle_close(event);
}

static void handle_replace(struct run *run, const struct row *row)
{
    zx_handle_t event;

    (void)row;
    OK(run, zx_event_create(0, &event));
    RUN_TURNS(run)
        OK(run, zx_handle_replace(event, ZX_RIGHT_SAME_RIGHTS, &event));
    zx_handle_close(event);
}

/* Each signal changes something: two signals take turns. */
static void event_signal_wait(struct run *run, const struct row *row)
{
    zx_handle_t event;
    zx_signals_t set = ZX_EVENT_SIGNALED, clear = ZX_USER_SIGNAL_0, seen;

    (void)row;
    OK(run, zx_event_create(0, &event));
    RUN_TURNS(run) {
        OK(run, zx_object_signal(event, clear, set));
        OK(run, zx_object_wait_one(event, set, ZX_TIME_INFINITE, &seen));
        seen = set;
        set = clear;
        clear = seen;
    }
    zx_handle_close(event);
}

static void port_queue_wait(struct run *run, const struct row *row)
{
    zx_port_packet_t packet = {.key = 1, .type = ZX_PKT_TYPE_USER}, got;
    zx_handle_t port;

    (void)row;
    OK(run, zx_port_create(0, &port));
    RUN_TURNS(run) {
        OK(run, zx_port_queue(port, &packet));
        OK(run, zx_port_wait(port, ZX_TIME_INFINITE, &got));
    }
    zx_handle_close(port);
}

static void futex_wake(struct run *run, const struct row *row)
{
    static zx_futex_t futex;

    (void)row;
    RUN_TURNS(run)
        OK(run, zx_futex_wake(&futex, 1));
}

static void fifo_write_read(struct run *run, const struct row *row)
{
    uint64_t element[2] = {1, 2};
    zx_handle_t ends[2];

    (void)row;
    OK(run, zx_fifo_create(64, sizeof(element), 0, &ends[0], &ends[1]));
    RUN_TURNS(run) {
        OK(run, zx_fifo_write(ends[0], sizeof(element), element, 1, NULL));
        OK(run, zx_fifo_read(ends[1], sizeof(element), element, 1, NULL));
    }
    zx_handle_close_many(ends, 2);
}

static void socket_write_read(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, 64 * KIB);
    zx_handle_t ends[2];

    OK(run, zx_socket_create(ZX_SOCKET_STREAM, &ends[0], &ends[1]));
    RUN_TURNS(run) {
        OK(run, zx_socket_write(ends[0], 0, buffer, row->size, NULL));
        OK(run, zx_socket_read(ends[1], 0, buffer, row->size, NULL));
    }
    zx_handle_close_many(ends, 2);
    buffer_unmap(buffer, 64 * KIB);
}

const struct row call_rows[] = {
    {"Syscall/Null", null_call, .batch = 64},
    {"Syscall/EightArguments", eight_arguments, .batch = 64},
    {"Syscall/Marker", marker_call, .batch = 8},
    {"Handle/DuplicateClose", handle_duplicate, .batch = 32},
    {"Handle/Replace", handle_replace, .batch = 32},
    {"Event/SignalWait", event_signal_wait, .batch = 32},
    {"Port/QueueWait", port_queue_wait, .batch = 32},
    {"Futex/WakeNobody", futex_wake, .batch = 64},
    {"Fifo/WriteRead/16bytes", fifo_write_read, .batch = 32},
    {"Socket/WriteRead/64bytes", socket_write_read, .batch = 16, .size = 64},
    {"Socket/WriteRead/65536bytes", socket_write_read, .size = 65536},
    {0},
};
