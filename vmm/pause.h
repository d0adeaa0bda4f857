/*
 * pause.h - work on a machine that stands still, wished for by another thread or by an exit.
 *
 * A vCPU can only be looked at and saved when it is settled: when KVM_RUN has ended with EINTR, no
 * exit is half finished. run.c brings that about when a pause is wanted and then does the work, in
 * the vCPU's thread.
 */
#ifndef ZVMM_PAUSE_H
#define ZVMM_PAUSE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct zvmm;

/* One piece of work; it lives on the stack of the thread that wants it. */
struct pause_job {
    void (*run)(struct zvmm *vm, void *argument);
    void *argument;
    bool done;
    struct pause_job *next;
};

struct pauses {
    atomic_bool wanted;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t finished;
    struct pause_job *first;
    bool closed; /* no run is under way */
};

void pauses_init(struct pauses *pauses);

/* From another thread: have the job done while the machine stands still, and wait for that. False
 * if the machine has ended or does not run yet. */
bool pause_do(struct zvmm *vm, struct pause_job *job);

/* From the vCPU's thread: settle at the next opportunity and call pause_serve(). */
void pause_want(struct zvmm *vm);

/* The vCPU is settled: do what has been asked for. */
void pause_serve(struct zvmm *vm);

/* A run begins; a run has ended, whoever waits is told. */
void pause_open(struct zvmm *vm);
void pause_close(struct zvmm *vm);

#endif
