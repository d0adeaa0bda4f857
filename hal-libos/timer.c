/* timer.c - deadlines, idling and events. */
#include "timer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "cpu.h"
#include "machine.h"
#include "trap.h"
#include "x86.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static struct {
    zx_time_t kernel_ns; /* argument of the last hal_timer_arm */
    uint64_t kernel_tsc; /* the same in ticks, until it has passed */
    uint64_t flush_tsc;  /* the console's deadline */
    uint64_t armed_tsc;  /* what the host's timer waits for */
    timer_t host;
    uint32_t events;
} timer;

void timer_init(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KICK_SIGNAL};

    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer.host) != 0)
        machine_fail("cannot make a timer: %s", strerror(errno));
    timer.kernel_ns = ZX_TIME_INFINITE;
    timer.kernel_tsc = timer.flush_tsc = timer.armed_tsc = TIMER_NEVER;
    prctl(PR_SET_TIMERSLACK, 1); /* sleep as precisely as the host can */
}

static uint64_t effective(void)
{
    return timer.kernel_tsc < timer.flush_tsc ? timer.kernel_tsc : timer.flush_tsc;
}

/* After a change of a deadline: notes whether the host's timer must be set. */
static void refresh(void)
{
    if (effective() < timer.armed_tsc)
        cpu.work |= WORK_TIMER;
    else
        cpu.work &= (uint8_t)~WORK_TIMER;
}

void hal_timer_arm(zx_time_t deadline)
{
    if (deadline == timer.kernel_ns)
        return;
    timer.kernel_ns = deadline;
    timer.kernel_tsc = clock_ticks(deadline);
    refresh();
}

void timer_set_flush(uint64_t tsc)
{
    timer.flush_tsc = tsc;
    refresh();
}

void timer_program(void)
{
    uint64_t deadline = effective(), ns = clock_ns_until(deadline);
    struct itimerspec setting = {.it_value = {.tv_sec = (time_t)(ns / 1000000000u),
                                              .tv_nsec = (long)(ns % 1000000000u)}};

    if (ns == 0)
        setting.it_value.tv_nsec = 1; /* 0 would disarm it */
    timer_settime(timer.host, 0, &setting, NULL);
    timer.armed_tsc = deadline;
    cpu.work &= (uint8_t)~WORK_TIMER;
}

/* Drops the deadlines that have passed. */
static void expire(void)
{
    uint64_t now = x86_rdtsc();

    if (timer.kernel_tsc <= now) {
        timer.kernel_tsc = TIMER_NEVER;
        timer.kernel_ns = ZX_TIME_INFINITE;
    }
    if (timer.flush_tsc <= now)
        hal_console_flush();
    refresh();
}

void timer_interrupt(void)
{
    if (trap_take_pending())
        timer.armed_tsc = TIMER_NEVER;
    expire();
}

void timer_raise(uint32_t events)
{
    __atomic_fetch_or(&timer.events, events, __ATOMIC_SEQ_CST);
}

uint32_t hal_events(void)
{
    if (!__atomic_load_n(&timer.events, __ATOMIC_RELAXED))
        return 0;
    return __atomic_exchange_n(&timer.events, 0, __ATOMIC_SEQ_CST);
}

/* Signals are let in only while the host waits, so none is lost between the look and the wait. */
void hal_idle(void)
{
    uint64_t deadline;
    sigset_t block, before;

    hal_console_flush();
    trap_async_signals(&block);
    sigprocmask(SIG_BLOCK, &block, &before);
    deadline = effective();
    if (!cpu.pending && !__atomic_load_n(&timer.events, __ATOMIC_SEQ_CST)) {
        uint64_t ns = deadline == TIMER_NEVER ? 0 : clock_ns_until(deadline);
        struct timespec wait = {.tv_sec = (time_t)(ns / 1000000000u),
                                .tv_nsec = (long)(ns % 1000000000u)};

        ppoll(NULL, 0, deadline == TIMER_NEVER ? NULL : &wait, &before);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    timer_interrupt();
}
