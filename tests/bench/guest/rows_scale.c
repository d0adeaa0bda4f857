/* rows_scale.c - many timers, many sources of a port, many threads asleep on events. */
#include "guest.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cold.h"

static zx_handle_t *handles_of(struct run *run, uint64_t count)
{
    zx_handle_t *handles = calloc(count, sizeof(*handles));

    if (!handles)
        run_fail(run, "calloc", "no memory");
    return handles;
}

static void handles_free(zx_handle_t *handles, uint64_t count)
{
    if (handles)
        zx_handle_close_many(handles, count);
    free(handles);
}

/* ---- Timers -------------------------------------------------------------------------------- */

static zx_handle_t timer(struct run *run, zx_time_t deadline)
{
    zx_handle_t timer = ZX_HANDLE_INVALID;

    OK(run, zx_timer_create(ZX_TIMER_SLACK_CENTER, ZX_CLOCK_MONOTONIC, &timer));
    if (deadline > 0)
        OK(run, zx_timer_set(timer, deadline, 0));
    return timer;
}

/* Deadlines are an hour away and mixed; the one under test falls among them. */
void timer_set_cancel(struct run *run, const struct row *row)
{
    uint64_t others = row->count - 1;
    zx_time_t base = zx_clock_get_monotonic() + ZX_SEC(3600);
    zx_handle_t *handles = handles_of(run, others), one = timer(run, 0);
    uint64_t turn = 0;

    for (uint64_t i = 0; i < others && run_preparing(run); i++)
        handles[i] = timer(run, base + ZX_USEC((zx_time_t)(i * 7919 % others)));
    RUN_TURNS(run) {
        zx_time_t deadline = base + ZX_USEC((zx_time_t)(turn++ * 104729 % row->count)) + 1;

        run_restart(run);
        OK(run, zx_timer_set(one, deadline, 0));
        run_step(run);
        OK(run, zx_timer_cancel(one));
    }
    zx_handle_close(one);
    handles_free(handles, others);
}

/* ---- Ports --------------------------------------------------------------------------------- */

/* All sources are armed; one fires and is armed again. */
void port_fan_in(struct run *run, const struct row *row)
{
    zx_handle_t *events = handles_of(run, row->count), port = ZX_HANDLE_INVALID;
    zx_port_packet_t packet;
    uint64_t turn = 0;

    OK(run, zx_port_create(0, &port));
    for (uint64_t i = 0; i < row->count && run_preparing(run); i++) {
        OK(run, zx_event_create(0, &events[i]));
        OK(run, zx_object_wait_async(events[i], port, i, ZX_EVENT_SIGNALED, 0));
    }
    RUN_TURNS(run) {
        uint64_t i = turn++ * 7919 % row->count;

        run_restart(run);
        OK(run, zx_object_signal(events[i], 0, ZX_EVENT_SIGNALED));
        run_step(run);
        OK(run, zx_port_wait(port, ZX_TIME_INFINITE, &packet));
        run_step(run);
        OK(run, zx_object_signal(events[i], ZX_EVENT_SIGNALED, 0));
        OK(run, zx_object_wait_async(events[i], port, i, ZX_EVENT_SIGNALED, 0));
    }
    zx_handle_close(port);
    handles_free(events, row->count);
}

/* ---- Sleepers ------------------------------------------------------------------------------ */

#define STACK 1024

static struct {
    zx_handle_t *events, done;
    _Atomic(bool) end;
} dormitory;

/* Sleeps on an event of its own; when woken, says so and sleeps again. */
static void sleeper(uintptr_t i)
{
    for (;;) {
        zx_object_wait_one(dormitory.events[i], ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL);
        if (atomic_load(&dormitory.end))
            zx_thread_exit();
        zx_object_signal(dormitory.events[i], ZX_EVENT_SIGNALED, 0);
        zx_object_signal(dormitory.done, 0, ZX_EVENT_SIGNALED);
    }
}

static void wake_one(struct run *run, uint64_t i)
{
    OK(run, zx_object_signal(dormitory.events[i], 0, ZX_EVENT_SIGNALED));
    OK(run, zx_object_wait_one(dormitory.done, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL));
    OK(run, zx_object_signal(dormitory.done, ZX_EVENT_SIGNALED, 0));
}

static void wake_all_and_join(struct run *run, zx_handle_t *threads, uint64_t count)
{
    dormitory.end = true;
    for (uint64_t i = 0; i < count && threads[i]; i++)
        zx_object_signal(dormitory.events[i], 0, ZX_EVENT_SIGNALED);
    for (uint64_t i = 0; i < count && threads[i]; i++) {
        thread_wait(run, threads[i]);
        zx_handle_close(dormitory.events[i]);
    }
}

void wake_sleeper(struct run *run, const struct row *row)
{
    zx_handle_t *threads = handles_of(run, row->count);
    char *stacks = buffer_map(run, row->count * STACK);
    struct cold cold = {0};
    uint64_t turn = 0;

    dormitory.events = handles_of(run, row->count);
    dormitory.end = false;
    OK(run, zx_event_create(0, &dormitory.done));
    for (uint64_t i = 0; i < row->count && run_preparing(run); i++) {
        OK(run, zx_event_create(0, &dormitory.events[i]));
        threads[i] = thread_on(run, sleeper, i, stacks + (i + 1) * STACK);
    }
    if (row->flags & COLD)
        cold = cold_prepare(run);
    RUN_TURNS(run) {
        if (turn % row->count == 0)
            cold_make(run, &cold);
        wake_one(run, turn++ * 7919 % row->count);
    }
    cold_free(&cold);
    wake_all_and_join(run, threads, row->count);
    zx_handle_close(dormitory.done);
    free(threads);
    free(dormitory.events);
    buffer_unmap(stacks, row->count * STACK);
}
