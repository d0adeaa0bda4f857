/*
 * timer.c - the guest's deadline without LAPIC: a host timer that kicks the vCPU.
 *
 * The guest keeps its next deadline in the shared page. zvmm reads it at every exit, so most
 * changes need no hypercall, and a halted vCPU needs no timer at all: ppoll() has a timeout. Only
 * while the guest runs does a POSIX timer send the kick signal to the vCPU's thread.
 */
#include "timer.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#include "gdb/gdb.h"
#include "interrupt.h"
#include "signals.h"
#include "vm.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define NONE UINT64_MAX

void timer_init(struct timer *timer)
{
    *timer = (struct timer){.armed = NONE, .fired = NONE};
}

static uint64_t guest_deadline(struct zvmm *vm)
{
    return atomic_load((_Atomic uint64_t *)&vm->shared->deadline_tsc);
}

static void set_armed(struct zvmm *vm, uint64_t deadline)
{
    vm->timer.armed = deadline;
    atomic_store((_Atomic uint64_t *)&vm->shared->armed_tsc, deadline);
}

static struct timespec to_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                             .tv_nsec = (long)(ns % 1000000000)};
}

static bool create_host_timer(const struct zvmm *vm, timer_t *id)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};
    event.sigev_notify_thread_id = vm->thread;
    return timer_create(CLOCK_MONOTONIC, &event, id) == 0;
}

static bool create(struct zvmm *vm)
{
    if (!vm->timer.created)
        vm->timer.created = create_host_timer(vm, &vm->timer.id);
    return vm->timer.created;
}

static void set_host_timer(struct zvmm *vm, uint64_t deadline)
{
    struct itimerspec when = {0};
    if (!create(vm)) {
        error_set(&vm->error, "timer: the host has no timer left; raise the limit of pending "
                              "signals (ulimit -i)");
        vm->failed = true;
        return;
    }
    if (deadline != NONE) {
        uint64_t ns = clock_ns_until(&vm->clock, deadline);
        when.it_value = to_timespec(ns != 0 ? ns : 1);
    }
    timer_settime(vm->timer.id, 0, &when, NULL);
}

static void fire(struct zvmm *vm, uint64_t deadline)
{
    vm->timer.fired = deadline;
    set_armed(vm, NONE);
    interrupt_raise(vm, INTERRUPT_TIMER, ZV_EVENT_TIMER);
}

void timer_update(struct zvmm *vm)
{
    uint64_t deadline = guest_deadline(vm);
    if (signals_take_timer())
        set_armed(vm, NONE);
    if (deadline == NONE || deadline == vm->timer.fired)
        return;
    if (deadline <= clock_guest_tsc(&vm->clock)) {
        fire(vm, deadline);
    } else if (deadline < vm->timer.armed) {
        set_host_timer(vm, deadline);
        set_armed(vm, deadline);
    }
}

void timer_arm(struct zvmm *vm, uint64_t deadline)
{
    vm->timer.fired = NONE;
    if (deadline == NONE && vm->timer.armed == NONE)
        return;
    set_host_timer(vm, deadline);
    set_armed(vm, deadline);
}

/* Halted, a deadline that is past is always answered, or the guest would never wake. */
static bool fire_if_past(struct zvmm *vm)
{
    uint64_t deadline = guest_deadline(vm);
    if (deadline == NONE || deadline > clock_guest_tsc(&vm->clock))
        return false;
    fire(vm, deadline);
    return true;
}

void timer_halt(struct zvmm *vm)
{
    sigset_t before;
    signals_block(&before);
    plan_see_exit(vm);
    while (atomic_load(&vm->pending) == 0 && signals_stop() == 0 && !atomic_load(&vm->quit) &&
           !gdb_wanted(vm) && !atomic_load(&vm->pauses.wanted) && !fire_if_past(vm)) {
        uint64_t deadline = guest_deadline(vm);
        struct timespec timeout = to_timespec(clock_ns_until(&vm->clock, deadline));
        if (deadline != NONE)
            prctl(PR_SET_TIMERSLACK, 1);
        ppoll(NULL, 0, deadline != NONE ? &timeout : NULL, &before);
        plan_see_exit(vm);
    }
    signals_unblock(&before);
}

int timer_alarm(struct zvmm *vm, uint64_t ns)
{
    struct itimerspec when = {.it_value = to_timespec(ns != 0 ? ns : 1)};
    if (!vm->timer.has_alarm)
        vm->timer.has_alarm = create_host_timer(vm, &vm->timer.alarm);
    return vm->timer.has_alarm ? timer_settime(vm->timer.alarm, 0, &when, NULL) : -1;
}

void timer_destroy(struct timer *timer)
{
    if (timer->created)
        timer_delete(timer->id);
    if (timer->has_alarm)
        timer_delete(timer->alarm);
    timer_init(timer);
}
