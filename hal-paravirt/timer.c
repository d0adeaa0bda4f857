/* timer.c - deadlines, idling and events. */
#include "timer.h"

#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "hostcall.h"
#include "machine.h"
#include "trap.h"
#include "virtual.h"
#include "x86.h"

static struct {
    zx_time_t kernel_ns;  /* argument of the last hal_timer_arm, until it has passed */
    uint64_t kernel_tsc;  /* the same in ticks */
    uint64_t console_tsc; /* the console's deadline */
    uint64_t lapic_armed; /* what the local APIC waits for; without one the shared page says */
} timer;

void timer_init(void)
{
    timer.kernel_ns = ZX_TIME_INFINITE;
    timer.kernel_tsc = timer.console_tsc = timer.lapic_armed = TIMER_NEVER;
    machine.shared->deadline_tsc = TIMER_NEVER;
}

uint64_t timer_deadline(void)
{
    return timer.kernel_tsc < timer.console_tsc ? timer.kernel_tsc : timer.console_tsc;
}

/* In deterministic mode nothing is ever armed: there is work when the deadline has come. */
static uint64_t armed(const struct cpu *cpu)
{
    if (cpu->lapic)
        return timer.lapic_armed;
    return machine.deterministic ? machine.shared->virtual_tsc + 1 : machine.shared->armed_tsc;
}

/* After a change of either side: publishes the deadline and notes whether there is work. */
static void refresh(void)
{
    struct cpu *cpu = cpu_this();
    uint64_t deadline = timer_deadline();

    if (!cpu->lapic)
        machine.shared->deadline_tsc = deadline;
    if (deadline < armed(cpu))
        cpu->work |= WORK_TIMER;
    else
        cpu->work &= ~WORK_TIMER;
}

void hal_timer_arm(zx_time_t deadline)
{
    if (deadline == timer.kernel_ns)
        return;
    timer.kernel_ns = deadline;
    timer.kernel_tsc = clock_ticks(deadline);
    refresh();
}

void timer_set_console(uint64_t tsc)
{
    timer.console_tsc = tsc;
    refresh();
}

void timer_clock_moved(void)
{
    refresh();
}

bool timer_program(void)
{
    struct cpu *cpu = cpu_this();
    uint64_t deadline = timer_deadline();

    cpu->work &= ~WORK_TIMER;
    if (machine.deterministic)
        return true;
    if (cpu->lapic) {
        timer.lapic_armed = deadline;
        x86_wrmsr(MSR_TSC_DEADLINE, deadline ? deadline : 1); /* 0 would disarm it */
    } else {
        cpu->call.u.timer.deadline_tsc = deadline;
        hostcall(ZV_CALL_TIMER_ARM);
    }
    return false;
}

/* Drops the deadlines that have passed. */
static void expire(void)
{
    uint64_t now = clock_now();

    if (timer.kernel_tsc <= now) {
        timer.kernel_tsc = TIMER_NEVER;
        timer.kernel_ns = ZX_TIME_INFINITE;
    }
    if (timer.console_tsc <= now)
        console_expire(now);
    refresh();
}

void timer_interrupt(void)
{
    timer.lapic_armed = TIMER_NEVER;
    expire();
}

/*
 * Between the look at the events and HLT an event cannot be lost: zvmm raises an interrupt with
 * it, which stays pending until trap_halt() takes it.
 */
void hal_idle(void)
{
    struct cpu *cpu = cpu_this();

    if (cpu->lapic || machine.deterministic)
        hal_console_flush();
    else
        console_flushed(); /* HLT is an exit, and each exit empties the ring */
    if (machine.shared->events & ~ZV_EVENT_TIMER)
        return;
    if (cpu->lapic && cpu->work & WORK_TIMER)
        timer_program();
    if (machine.deterministic)
        virtual_idle(timer_deadline());
    else
        trap_halt();
    /* It may have been the local APIC's timer, and KVM may let that go off shortly before its
     * deadline: to arm it once too often is cheap, to believe it armed is to sleep for ever. */
    timer.lapic_armed = TIMER_NEVER;
    expire();
}

uint32_t hal_events(void)
{
    uint32_t events;

    if (!machine.shared->events)
        return 0;
    events = __atomic_exchange_n(&machine.shared->events, 0, __ATOMIC_SEQ_CST);
    if (events & ZV_EVENT_CONSOLE_INPUT)
        console_note_input();
    return (events & ZV_EVENT_CONSOLE_INPUT ? HAL_EVENT_CONSOLE : 0) |
           (events & ZV_EVENT_STOP ? HAL_EVENT_STOP : 0);
}
