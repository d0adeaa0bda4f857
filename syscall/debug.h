/*
 * debug.h - what the rest of the kernel tells the debug calls.
 */
#ifndef ZVMM_SYSCALL_DEBUG_H
#define ZVMM_SYSCALL_DEBUG_H

/* Console input can be read, or has ended (HAL_EVENT_CONSOLE): wakes the threads in debug_read. */
void console_input_ready(void);

#endif
