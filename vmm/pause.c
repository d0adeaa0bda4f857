/* pause.c - work on a machine that stands still, wished for by another thread or by an exit. */
#include "pause.h"

#include "gdb/gdb.h"
#include "interrupt.h"
#include "snapshot/plan.h"
#include "vm.h"

void pauses_init(struct pauses *pauses)
{
    atomic_init(&pauses->wanted, false);
    pthread_mutex_init(&pauses->lock, NULL);
    pthread_cond_init(&pauses->finished, NULL);
    pauses->first = NULL;
    pauses->closed = true;
}

bool pause_do(struct zvmm *vm, struct pause_job *job)
{
    struct pauses *pauses = &vm->pauses;
    job->done = false;
    pthread_mutex_lock(&pauses->lock);
    if (!pauses->closed) {
        job->next = pauses->first;
        pauses->first = job;
        atomic_store(&pauses->wanted, true);
        interrupt_kick(vm);
    }
    while (!job->done && !pauses->closed)
        pthread_cond_wait(&pauses->finished, &pauses->lock);
    pthread_mutex_unlock(&pauses->lock);
    return job->done;
}

void pause_want(struct zvmm *vm)
{
    atomic_store(&vm->pauses.wanted, true);
}

void pause_serve(struct zvmm *vm)
{
    struct pauses *pauses = &vm->pauses;
    atomic_store(&pauses->wanted, false);
    gdb_hide(vm);
    plan_serve(vm);
    pthread_mutex_lock(&pauses->lock);
    while (pauses->first != NULL) {
        struct pause_job *job = pauses->first;
        pauses->first = job->next;
        job->run(vm, job->argument);
        job->done = true;
        pthread_cond_broadcast(&pauses->finished);
    }
    pthread_mutex_unlock(&pauses->lock);
}

void pause_open(struct zvmm *vm)
{
    pthread_mutex_lock(&vm->pauses.lock);
    vm->pauses.closed = false;
    pthread_mutex_unlock(&vm->pauses.lock);
}

void pause_close(struct zvmm *vm)
{
    pthread_mutex_lock(&vm->pauses.lock);
    vm->pauses.closed = true;
    vm->pauses.first = NULL;
    pthread_cond_broadcast(&vm->pauses.finished);
    pthread_mutex_unlock(&vm->pauses.lock);
}
