/*
 * fault-in.h - user memory that a pager has yet to supply, and calls that must not meet it
 * half-way.
 *
 * A call that comes upon such memory parks and is executed again from its start. Most calls may be:
 * what they have done by then is undone or the same the second time. Those that may not are listed
 * in fault-in.c with the memory they use, which is brought in before they begin.
 */
#ifndef ZVMM_SYSCALL_FAULT_IN_H
#define ZVMM_SYSCALL_FAULT_IN_H

#include <stdint.h>

#include <zircon/types.h>

struct thread;

/* For call `number` with the arguments in the thread's registers. Results as user_fault_in's. */
zx_status_t fault_in_arguments(struct thread *thread, uint32_t number);

#endif
