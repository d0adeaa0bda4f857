/* trap.h - signals: faults and interrupts of user code, failures of the kernel, the wish to stop. */
#ifndef HAL_LIBOS_TRAP_H
#define HAL_LIBOS_TRAP_H

#include <signal.h>
#include <stdbool.h>

/* Interrupts user code or an idle kernel: the timer's, and the console's input thread's. */
#define KICK_SIGNAL SIGUSR1

/* Installs all handlers for the calling thread, which becomes the processor. */
void trap_init(void);

/* Sends the processor KICK_SIGNAL; from any thread. */
void trap_kick(void);

/* The user wants zlibos to end; from any thread. */
void trap_quit(void);

/* The signals that trap_init() takes and that idling must not miss. */
void trap_async_signals(sigset_t *out);

/* Takes notice of what set cpu.pending: true if the timer has gone off. Does not return if the
 * process was asked to end. */
bool trap_take_pending(void);

#endif
