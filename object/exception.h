/*
 * exception.h - exceptions: a thread stops, and those who asked to hear of it decide how it goes
 * on.
 *
 * Whoever wants to hear of a task's exceptions binds an exception channel to the task: one for
 * handlers on each thread, process and job, and one more for a debugger on each process and job.
 * The kernel keeps one end of it and sends a message with an exception object for each exception.
 *
 * Delivery. exception_raise stops the thread and offers the exception to the process's debugger,
 * the thread, the process, the job and its parents, in that order; those without a channel are
 * passed over. The one who has it holds a handle to the exception object. When that handle closes,
 * the thread goes on if the object's state is HANDLED, else the next one is asked. If nobody is
 * left the process is killed. exception_announce asks one debugger only, and the thread goes on in
 * any case.
 *
 * Lifetime. The thread refers to its exception while it is stopped in it (thread->exception), the
 * exception refers to its thread as long as it lives. A kill ends the wait: the exception object
 * may outlive it, without effect. Closing a channel closes what was not read from it, which counts
 * as an answer; an exception that has been read stays with its reader.
 */
#ifndef ZVMM_OBJECT_EXCEPTION_H
#define ZVMM_OBJECT_EXCEPTION_H

#include <zircon/exception.h>

#include "object.h"

struct channel;
struct job;
struct thread;
struct wait_kind;

/* ---- Channels ------------------------------------------------------------------------------ */

/* The kernel's side of a binding; zero: none. */
struct exception_channel {
    struct channel *channel; /* the kernel's end; referenced */
    /* Of the handles that its reader may ask for; 0: none. */
    zx_rights_t thread_rights, process_rights;
};

/* Makes a channel, keeps one end and gives the other one, with a reference, to the caller.
 * ZX_ERR_ALREADY_BOUND: somebody has the other end of one already; ZX_ERR_NO_MEMORY. */
zx_status_t exception_channel_bind(struct exception_channel *binding, zx_rights_t thread_rights,
                                   zx_rights_t process_rights, struct channel **out);
/* Whether anybody still has the other end. */
bool exception_channel_is_live(const struct exception_channel *binding);
/* The task is dead: the reader sees PEER_CLOSED. */
void exception_channel_close(struct exception_channel *binding);

/* ---- Exceptions ---------------------------------------------------------------------------- */

/* What has happened. `why` is a constant phrase for the log, or NULL. */
struct exception_cause {
    uint32_t type; /* ZX_EXCP_* */
    zx_x86_64_exc_data_t arch;
    const char *why;
};

struct exception {
    struct object object;
    struct thread *thread; /* referenced */
    struct exception_cause cause;
    uint32_t channel_type; /* ZX_EXCEPTION_CHANNEL_TYPE_*: who has it now */
    struct job *job;       /* ... and of which job; an ancestor of the thread, not referenced */
    bool single;           /* announced: nobody else is asked */
    bool handled;          /* ZX_PROP_EXCEPTION_STATE */
    zx_rights_t thread_rights, process_rights; /* what the present holder may ask for */
};

extern const struct object_ops exception_ops;
extern const struct wait_kind wait_kind_exception;

/* Stops the current thread, or kills its process if nobody takes the exception. */
void exception_raise(struct thread *thread, const struct exception_cause *cause);
/* Tells the debugger that wants to know about the synthetic exception `type`, if there is one, and
 * stops the current thread for it. */
void exception_announce(struct thread *thread, uint32_t type);

/* What ZX_INFO_THREAD_EXCEPTION_REPORT says. ZX_ERR_BAD_STATE: not stopped in an exception. */
zx_status_t exception_report(const struct thread *thread, zx_exception_report_t *out);
/* ZX_EXCEPTION_CHANNEL_TYPE_*: whose answer the thread waits for. */
uint32_t exception_channel_type(const struct thread *thread);

#endif
