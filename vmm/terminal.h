/* terminal.h - the user's terminal: raw while the guest reads it, restored on every way out. */
#ifndef ZVMM_TERMINAL_H
#define ZVMM_TERMINAL_H

#include <stdbool.h>

/*
 * Put the terminal `fd` into raw input mode (output processing stays on) and arrange that exit(),
 * deadly signals and stopping (SIGTSTP) restore it. False if `fd` is no terminal or another one
 * is already raw: nothing is changed then. A process has one such terminal at a time.
 */
bool terminal_raw(int fd);

/* Restore it; async-signal-safe, does nothing if it is not raw. */
void terminal_restore(void);

#endif
