/*
 * timer.h - one deadline for the machine: the earlier of the kernel's (hal_timer_arm) and the
 * console's (output must not stay in the ring).
 *
 * The hardware is told as late and as seldom as possible: not before user code runs or the CPU
 * idles, and only when the deadline is earlier than what it waits for already. An interrupt that
 * comes too early does no harm.
 */
#ifndef HAL_PARAVIRT_TIMER_H
#define HAL_PARAVIRT_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

void timer_init(void);

/* The console's deadline, in ticks. */
void timer_set_console(uint64_t tsc);

/* Deterministic mode: the clock has been moved. */
void timer_clock_moved(void);

/* The earliest deadline, in ticks. */
uint64_t timer_deadline(void);

/*
 * Tells the hardware; called when cpu.work has WORK_TIMER. True: the deadline has come already, and
 * user code shall see ZV_VECTOR_TIMER before its next instruction (deterministic mode only).
 */
bool timer_program(void);

/* The hardware's deadline has passed; called with the interrupt acknowledged. */
void timer_interrupt(void);

#endif
