/*
 * rows_switch.c - Linux: two threads or processes on one processor that take turns, by seqpacket
 * sockets (for channels and channel calls), futexes, eventfds, and sched_yield.
 */
#include "linux.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES 64

enum { OTHER_PROCESS = 1 };

static void *echo(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char bytes[BYTES];
    ssize_t size;

    while ((size = read(fd, bytes, sizeof(bytes))) > 0)
        if (write(fd, bytes, (size_t)size) != size)
            break;
    close(fd);
    return NULL;
}

static void round_trips(struct run *run, int fd)
{
    char bytes[BYTES] = {0};

    RUN_TURNS(run) {
        OK(run, write(fd, bytes, sizeof(bytes)));
        OK(run, read(fd, bytes, sizeof(bytes)));
    }
    close(fd);
}

static void socket_round_trip(struct run *run, const struct row *row)
{
    pthread_t thread;
    pid_t child = -1;
    int ends[2];

    socket_pair(run, SOCK_SEQPACKET, ends);
    if (row->flags & OTHER_PROCESS)
        child = fork();
    else
        pthread_create(&thread, NULL, echo, (void *)(intptr_t)ends[1]);
    if (child == 0) {
        close(ends[0]);
        echo((void *)(intptr_t)ends[1]);
        _exit(0);
    }
    if (child > 0)
        close(ends[1]);
    round_trips(run, ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    else
        pthread_join(thread, NULL);
}

static struct {
    _Atomic(int) ping, pong;
    _Atomic(bool) end;
    int here, there;
} table;

static void futex_set(_Atomic(int) *futex, int value)
{
    atomic_store(futex, value);
    syscall(SYS_futex, futex, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void futex_await(_Atomic(int) *futex, int old)
{
    while (atomic_load(futex) == old)
        syscall(SYS_futex, futex, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
}

static void *futex_thread(void *argument)
{
    for (int turn = 0; !atomic_load(&table.end); turn++) {
        futex_await(&table.ping, turn);
        futex_set(&table.pong, turn + 1);
    }
    return argument;
}

static void futex_ping_pong(struct run *run, const struct row *row)
{
    pthread_t thread;
    int turn = 0;

    (void)row;
    table.ping = table.pong = 0;
    table.end = false;
    pthread_create(&thread, NULL, futex_thread, NULL);
    RUN_TURNS(run) {
        futex_set(&table.ping, turn + 1);
        futex_await(&table.pong, turn++);
    }
    table.end = true;
    futex_set(&table.ping, turn + 1);
    pthread_join(thread, NULL);
}

static void *event_thread(void *argument)
{
    uint64_t value = 1;

    while (!atomic_load(&table.end))
        if (read(table.there, &value, sizeof(value)) < 0 ||
            write(table.here, &value, sizeof(value)) < 0)
            break;
    return argument;
}

static void event_ping_pong(struct run *run, const struct row *row)
{
    uint64_t value = 1;
    pthread_t thread;

    (void)row;
    table.end = false;
    table.here = eventfd(0, EFD_CLOEXEC);
    table.there = eventfd(0, EFD_CLOEXEC);
    pthread_create(&thread, NULL, event_thread, NULL);
    RUN_TURNS(run) {
        OK(run, write(table.there, &value, sizeof(value)));
        OK(run, read(table.here, &value, sizeof(value)));
    }
    table.end = true;
    OK(run, write(table.there, &value, sizeof(value)));
    pthread_join(thread, NULL);
    close(table.here);
    close(table.there);
}

static void *yield_thread(void *argument)
{
    table.ping = 1;
    while (!atomic_load(&table.end))
        sched_yield();
    return argument;
}

static void yield(struct run *run, const struct row *row)
{
    pthread_t thread;

    table.end = false;
    table.ping = row->count == 0;
    if (row->count > 0)
        pthread_create(&thread, NULL, yield_thread, NULL);
    while (!atomic_load(&table.ping))
        sched_yield(); /* a new thread starts with a handicap */
    RUN_TURNS(run)
        sched_yield();
    table.end = true;
    if (row->count > 0)
        pthread_join(thread, NULL);
}

const struct row switch_rows[] = {
    {"Channel/RoundTrip/Threads", socket_round_trip},
    {"Channel/RoundTrip/Processes", socket_round_trip, .flags = OTHER_PROCESS},
    {"Channel/Call/Threads", socket_round_trip},
    {"Channel/Call/Processes", socket_round_trip, .flags = OTHER_PROCESS},
    {"Futex/PingPong", futex_ping_pong},
    {"Event/PingPong", event_ping_pong},
    {"Thread/YieldAlone", yield, .batch = 16},
    {"Thread/Yield", yield, .batch = 16, .count = 1},
    {0},
};
