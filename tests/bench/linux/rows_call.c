/*
 * rows_call.c - Linux: getpid for the null call, dup and close for handles, eventfd for events, an
 * eventfd in an epoll set for ports, a pipe for FIFOs, a stream socket for sockets; creating:
 * memfd, eventfd, seqpacket sockets (eventpair, channel), epoll, timerfd, pipe, stream sockets.
 */
#include "linux.h"

#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void null_call(struct run *run, const struct row *row)
{
    (void)row;
    RUN_TURNS(run)
        syscall(SYS_getpid);
}

static void handle_duplicate(struct run *run, const struct row *row)
{
    int fd = eventfd(0, EFD_CLOEXEC);

    (void)row;
    RUN_TURNS(run) {
        int other = dup(fd);

        OK(run, close(other));
    }
    close(fd);
}

static void event_signal_wait(struct run *run, const struct row *row)
{
    uint64_t value = 1;
    int fd = eventfd(0, EFD_CLOEXEC);

    (void)row;
    RUN_TURNS(run) {
        OK(run, write(fd, &value, sizeof(value)));
        OK(run, read(fd, &value, sizeof(value)));
    }
    close(fd);
}

static void port_queue_wait(struct run *run, const struct row *row)
{
    struct epoll_event wanted = {.events = EPOLLIN}, got;
    uint64_t value = 1;
    int fd = eventfd(0, EFD_CLOEXEC), set = epoll_create1(EPOLL_CLOEXEC);

    (void)row;
    OK(run, epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted));
    RUN_TURNS(run) {
        OK(run, write(fd, &value, sizeof(value)));
        OK(run, epoll_wait(set, &got, 1, -1));
        OK(run, read(fd, &value, sizeof(value)));
    }
    close(set);
    close(fd);
}

static void futex_wake(struct run *run, const struct row *row)
{
    static int futex;

    (void)row;
    RUN_TURNS(run)
        OK(run, syscall(SYS_futex, &futex, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
}

static void fifo_write_read(struct run *run, const struct row *row)
{
    uint64_t element[2] = {1, 2};
    int ends[2];

    (void)row;
    OK(run, pipe(ends));
    RUN_TURNS(run) {
        OK(run, write(ends[1], element, sizeof(element)));
        OK(run, read(ends[0], element, sizeof(element)));
    }
    close(ends[0]);
    close(ends[1]);
}

static void socket_write_read(struct run *run, const struct row *row)
{
    char *buffer = buffer_map(run, 64 * KIB);
    int ends[2];

    socket_pair(run, SOCK_STREAM, ends);
    RUN_TURNS(run) {
        OK(run, write(ends[0], buffer, row->size));
        OK(run, read(ends[1], buffer, row->size));
    }
    close(ends[0]);
    close(ends[1]);
    buffer_unmap(buffer, 64 * KIB);
}

const struct row call_rows[] = {
    {"Syscall/Null", null_call, .batch = 64},
    {"Handle/DuplicateClose", handle_duplicate, .batch = 32},
    {"Event/SignalWait", event_signal_wait, .batch = 32},
    {"Port/QueueWait", port_queue_wait, .batch = 32},
    {"Futex/WakeNobody", futex_wake, .batch = 64},
    {"Fifo/WriteRead/16bytes", fifo_write_read, .batch = 32},
    {"Socket/WriteRead/64bytes", socket_write_read, .batch = 16, .size = 64},
    {"Socket/WriteRead/65536bytes", socket_write_read, .size = 65536},
    {0},
};
