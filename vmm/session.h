/* session.h - zvmm(1)'s run of a machine, from the first KVM_RUN to the exit status. */
#ifndef ZVMM_SESSION_H
#define ZVMM_SESSION_H

#include "zvmm.h"

/* Run `vm`, report its end and its counters (`stats`). The process's exit status; may end the
 * process itself. */
int session_run(struct zvmm *vm, bool stats);

#endif
