/*
 * virtual.h - deterministic mode (ZV_FEATURE_DETERMINISTIC): a run is a function of its inputs.
 *
 * Time is a number that moves at entries from user mode and while idle; what a processor may do in
 * more than one way is made equal; every entry is an event of the log. docs/determinism.md has the
 * rules. Nothing here runs in an ordinary machine: callers look at machine.deterministic.
 */
#ifndef HAL_PARAVIRT_VIRTUAL_H
#define HAL_PARAVIRT_VIRTUAL_H

#include <hal.h>
#include <hypercall.h>

/* The bits of MXCSR that every x86-64 processor has. */
#define VIRTUAL_MXCSR_MASK 0xffffu

/* What is called for a system call instead of `handler`; NULL for NULL. */
hal_syscall_handler *virtual_handler(hal_syscall_handler *handler);

/* An entry by a trap: counts it and returns the vector that is to be reported; corrects *error_code. */
uint64_t virtual_trap(uint64_t vector, uint64_t *error_code);

/* Nothing is ready: moves the clock to `deadline` (ticks), or does not return if that is never. */
void virtual_idle(uint64_t deadline);

/* Console input has been asked for with this result. */
void virtual_input(int64_t result);

/* An event that is no entry. `number` and `id` are cut to the log's fields. */
void virtual_event(enum zv_event_kind kind, uint32_t number, uint64_t id);

/* Takes out of a stored FXSAVE area what depends on the processor's make. */
void virtual_normalise_fpu(void *area);

#endif
