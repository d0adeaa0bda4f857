/* panic.h - the report on stderr when the kernel has failed. */
#ifndef HAL_LIBOS_PANIC_H
#define HAL_LIBOS_PANIC_H

#include <signal.h>
#include <ucontext.h>

/* A fault of the kernel's own code. Called in the signal's handler. */
_Noreturn void panic_signal(int number, const siginfo_t *info, const ucontext_t *uc);

#endif
