/* object.h - an object of each common kind, or what stands for it. */
#ifndef BENCH_OBJECT_H
#define BENCH_OBJECT_H

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"

typedef int object_t; /* a descriptor */

/* The number of descriptors. */
static inline size_t object_create(struct run *run, enum object_kind kind, int fds[2])
{
    switch (kind) {
    case A_VMO:
        fds[0] = memfd_create("bench", MFD_CLOEXEC);
        OK(run, ftruncate(fds[0], 4096));
        return 1;
    case AN_EVENT:
        fds[0] = eventfd(0, EFD_CLOEXEC);
        return 1;
    case AN_EVENTPAIR:
    case A_CHANNEL:
        OK(run, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
        return 2;
    case A_PORT:
        fds[0] = epoll_create1(EPOLL_CLOEXEC);
        return 1;
    case A_TIMER:
        fds[0] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
        return 1;
    case A_FIFO:
        OK(run, pipe(fds));
        return 2;
    case A_SOCKET:
        OK(run, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
        return 2;
    }
    return 0;
}

static inline void object_close(struct run *run, object_t object)
{
    OK(run, close(object));
}

#endif
