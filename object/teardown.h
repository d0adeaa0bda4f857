/*
 * teardown.h - large ends in small steps.
 *
 * Kernel code runs to its end, so what a process or a channel leaves behind must not be closed in
 * one go if it is much. Then it is put aside here, and the thread loop takes a step between the
 * turns of threads. Everything else is closed at once, by the work list of object.h. A process is
 * not dead (ZX_PROCESS_TERMINATED) before its last handle is closed.
 */
#ifndef ZVMM_OBJECT_TEARDOWN_H
#define ZVMM_OBJECT_TEARDOWN_H

#include "channel.h"
#include "executor.h"
#include "process.h"

/* Handles that a step closes, about; also what is little enough to be closed at once. */
#define TEARDOWN_STEP 1024u

static inline bool teardown_pending(const struct kernel *kernel)
{
    return !TAILQ_EMPTY(&kernel->dying) || !STAILQ_EMPTY(&kernel->dead_messages);
}

/* Whether that many handles have to be put aside. Never while there is no thread loop. */
static inline bool teardown_is_large(const struct kernel *kernel, uint64_t handles)
{
    return kernel->in_steps && handles > TEARDOWN_STEP;
}

/* Takes all messages of a queue; nobody holds them any more. */
void teardown_messages(struct channel_queue *queue);
/* One step of closing a process's handles; true: all are, with everything that was behind them. */
bool teardown_handles(struct process *process);
/* Does the rest of them later, then calls process_gone. */
void teardown_process(struct process *process);

/* Precondition: something is pending. */
void teardown_step(struct kernel *kernel);

#endif
