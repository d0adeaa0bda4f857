/*
 * teardown.c - large ends in small steps.
 */
#include "teardown.h"

static void look_soon(void)
{
    struct cpu *cpu = this_cpu();

    if (cpu->current)
        executor_reschedule(cpu);
}

void teardown_messages(struct channel_queue *queue)
{
    STAILQ_CONCAT(&kernel()->dead_messages, queue);
    look_soon();
}

void teardown_process(struct process *process)
{
    object_ref(&process->object);
    TAILQ_INSERT_TAIL(&kernel()->dying, process, dying_link);
    look_soon();
}

/* A closed channel's messages may have been put aside: all of it has to be gone. */
bool teardown_handles(struct process *process)
{
    return handle_table_close(&process->handles, &process->closed_slots, TEARDOWN_STEP) &&
           STAILQ_EMPTY(&kernel()->dead_messages);
}

static void process_step(struct kernel *kernel)
{
    struct process *process = TAILQ_FIRST(&kernel->dying);

    if (!teardown_handles(process))
        return;
    TAILQ_REMOVE(&kernel->dying, process, dying_link);
    process_gone(process);
    object_release(&process->object);
}

static void messages_step(struct kernel *kernel)
{
    struct channel_message *message;

    for (uint32_t closed = 0;
         closed < TEARDOWN_STEP && (message = STAILQ_FIRST(&kernel->dead_messages));) {
        STAILQ_REMOVE_HEAD(&kernel->dead_messages, link);
        closed += 1 + message->num_handles;
        channel_message_free(message);
    }
}

/* Messages first: that they are gone is what the end of a process promises. */
void teardown_step(struct kernel *kernel)
{
    if (!STAILQ_EMPTY(&kernel->dead_messages))
        messages_step(kernel);
    else
        process_step(kernel);
}
