/* console.h - what timer.c and the ends of the machine need of the console. */
#ifndef HAL_PARAVIRT_CONSOLE_H
#define HAL_PARAVIRT_CONSOLE_H

#include <stdint.h>

/* A deadline of timer_set_console() has passed. */
void console_expire(uint64_t now);

/* The ring is empty, or will be before anybody could notice; no flush is due. */
void console_flushed(void);

/* zvmm has said that input (or its end) can be read. */
void console_note_input(void);

#endif
