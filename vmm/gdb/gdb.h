/*
 * gdb.h - the remote debugger's place in a machine: gdb's protocol over TCP or a Unix socket.
 *
 * Everything happens in the vCPU's thread: the run loop calls the functions below around KVM_RUN,
 * and while the machine is stopped gdb_attend() answers gdb's packets. Bytes that arrive while the
 * guest runs make the socket send the kick signal. Without --gdb (vm->gdb is NULL) the functions
 * do nothing.
 */
#ifndef ZVMM_GDB_H
#define ZVMM_GDB_H

#include <stdbool.h>

#include "error.h"

struct gdb;
struct zvmm;

/*
 * Listen where `where` says: "" (TCP port 1234 of this host), "PORT" (0: any free one) or
 * "unix:PATH". The machine will wait for gdb before it runs. Sets vm->gdb.
 */
int gdb_open(struct zvmm *vm, const char *where, struct zvmm_error *error);

/* Before each KVM_RUN: serve gdb for as long as the machine is stopped, and prepare what it is to
 * do next. May end the run. */
void gdb_attend(struct zvmm *vm);

/* After a KVM_RUN that has returned 0: whether its exit was the debugger's and is dealt with. */
bool gdb_take_exit(struct zvmm *vm);

/* Whether gdb has sent something: a halted vCPU must come back to gdb_attend(). */
bool gdb_wanted(struct zvmm *vm);

/*
 * Take the breakpoints out of guest memory, for somebody who is about to look at it (the vCPU is
 * settled). gdb_attend() puts them back.
 */
void gdb_hide(struct zvmm *vm);

/* After the end of the run: let gdb look at a guest that failed, tell it how the run has ended. */
void gdb_close(struct zvmm *vm);

#endif
