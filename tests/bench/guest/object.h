/* object.h - an object of each common kind. */
#ifndef BENCH_OBJECT_H
#define BENCH_OBJECT_H

#include "guest.h"

typedef zx_handle_t object_t;

/* The number of handles. */
static inline size_t object_create(struct run *run, enum object_kind kind, zx_handle_t handles[2])
{
    switch (kind) {
    case A_VMO:
        OK(run, zx_vmo_create(ZX_PAGE_SIZE, 0, handles));
        return 1;
    case AN_EVENT:
        OK(run, zx_event_create(0, handles));
        return 1;
    case AN_EVENTPAIR:
        OK(run, zx_eventpair_create(0, handles, handles + 1));
        return 2;
    case A_CHANNEL:
        OK(run, zx_channel_create(0, handles, handles + 1));
        return 2;
    case A_PORT:
        OK(run, zx_port_create(0, handles));
        return 1;
    case A_TIMER:
        OK(run, zx_timer_create(ZX_TIMER_SLACK_CENTER, ZX_CLOCK_MONOTONIC, handles));
        return 1;
    case A_FIFO:
        OK(run, zx_fifo_create(2, 16, 0, handles, handles + 1));
        return 2;
    case A_SOCKET:
        OK(run, zx_socket_create(ZX_SOCKET_STREAM, handles, handles + 1));
        return 2;
    }
    return 0;
}

static inline void object_close(struct run *run, object_t object)
{
    OK(run, zx_handle_close(object));
}

#endif
