/* signals.h - the kick that gets a vCPU thread out of KVM_RUN, and the user's wish to stop. */
#ifndef ZVMM_SIGNALS_H
#define ZVMM_SIGNALS_H

#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>

#define KICK_SIGNAL SIGUSR1

/*
 * Prepare the calling thread to run the vCPU behind `run`. With own_process also take SIGINT,
 * SIGTERM, SIGHUP and SIGQUIT, which then end the run, SIGUSR1 from other processes, which asks for
 * a snapshot, and ignore SIGPIPE.
 */
void signals_begin(struct kvm_run *run, bool own_process);

/* The calling thread runs no vCPU any more. */
void signals_end(void);

/* The number of the signal that asked the process to stop, or 0. */
int signals_stop(void);

/* Whether the user has asked for a snapshot (SIGUSR1) since the last call. */
bool signals_take_snapshot(void);

/* Whether the thread's timer has gone off since the last call. */
bool signals_take_timer(void);

/* Block the kick and the stop signals in this thread; *before is for signals_unblock() and for
 * ppoll(), so that checking and sleeping is one step. */
void signals_block(sigset_t *before);
void signals_unblock(const sigset_t *before);

#endif
