/* sandbox.h - the system calls that zvmm keeps once the machine is made. */
#ifndef ZVMM_SANDBOX_H
#define ZVMM_SANDBOX_H

#include "zvmm.h"

/*
 * From here on the process, all its threads included, has only the system calls that running `vm`
 * takes: it opens no file, makes no process and maps nothing executable. A call that is not
 * foreseen ends zvmm with one line and ZVMM_EXIT_HOST. There is no way back.
 *
 * Fails, with nothing changed, if the configuration asks for something that needs more.
 */
int sandbox_enter(struct zvmm *vm, struct zvmm_error *error);

#endif
