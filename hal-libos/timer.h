/*
 * timer.h - one deadline for the machine: the earlier of the kernel's (hal_timer_arm) and the
 * console's (output must not wait long). The host's timer is set as late and as seldom as possible:
 * when user code is about to run, and only to an earlier time than it is set to.
 */
#ifndef HAL_LIBOS_TIMER_H
#define HAL_LIBOS_TIMER_H

#include <stdint.h>

#include <hal.h>

#define TIMER_NEVER UINT64_MAX

void timer_init(void);

/* The console's deadline, in ticks. */
void timer_set_flush(uint64_t tsc);

/* Sets the host's timer; called when cpu.work has WORK_TIMER. */
void timer_program(void);

/* User mode was left, or not entered, because cpu.pending was set. */
void timer_interrupt(void);

/* Events for hal_events(); from any thread. */
void timer_raise(uint32_t events);

#endif
