/* terminal.h - the user's terminal: raw while the kernel reads it, restored on every way out. */
#ifndef HAL_LIBOS_TERMINAL_H
#define HAL_LIBOS_TERMINAL_H

#include <stdbool.h>

/* Puts the terminal `fd` into raw input mode (output processing stays on). False: no terminal. */
bool terminal_raw(int fd);

/* Restores it; async-signal-safe. Whether it was raw. */
bool terminal_restore(void);

/* Raw again, after the process was stopped; async-signal-safe. */
void terminal_resume(void);

#endif
