/*
 * thread.h - threads, and the loop that runs them.
 *
 * States: NEW -> (process_start, thread_start) RUNNABLE <-> BLOCKED ... -> DYING -> DEAD.
 * RUNNABLE covers running and waiting for the CPU; BLOCKED means wait.kind is set. What else shall
 * happen to a thread before it next runs user code is a set of flags (kill, suspend), looked at in
 * one place (thread_settle). A handle or a reference keeps the struct; the process's list holds a
 * reference until the thread is dead.
 */
#ifndef ZVMM_OBJECT_THREAD_H
#define ZVMM_OBJECT_THREAD_H

#include <hal.h>

#include "object.h"
#include "wait.h"

struct process;
struct exception;

enum thread_state {
    THREAD_NEW,
    THREAD_RUNNABLE, /* in a run queue, or current */
    THREAD_BLOCKED,  /* wait.kind is set and not ended */
    THREAD_DYING,
    THREAD_DEAD,
};

#define THREAD_KILLED    (1u << 0) /* shall not run user code again */
#define THREAD_SUSPENDED (1u << 1) /* SUSPENDED signal is up: stopped at the user boundary */

struct thread {
    struct object object;
    struct process *process; /* referenced */
    TAILQ_ENTRY(thread) process_link;
    TAILQ_ENTRY(thread) run_link;
    enum thread_state state;
    uint32_t flags; /* THREAD_* */
    uint32_t suspend_count;
    uint8_t priority; /* 0 lowest to 31 */
    bool queued;      /* in a run queue */
    struct hal_context context;
    struct wait wait;
    zx_duration_t runtime;     /* ns of user and kernel time, up to the last switch */
    zx_time_t running_since;   /* valid while current */
    struct exception *exception; /* while one is being handled */
    struct futex *owned_futexes; /* futexes this thread owns (object/futex.c) */
    char name[ZX_MAX_NAME_LEN];
};

extern const struct object_ops thread_ops;

/* A NEW thread in `process`; ZX_ERR_BAD_STATE if that is dying, ZX_ERR_NO_MEMORY. One reference. */
zx_status_t thread_create(struct process *process, const char *name, struct thread **out);

/* NEW -> RUNNABLE with the given registers. ZX_ERR_BAD_STATE if not NEW. */
zx_status_t thread_start(struct thread *thread, zx_vaddr_t pc, zx_vaddr_t sp, uint64_t arg1,
                         uint64_t arg2);

/* Marks the thread killed and ends its wait; it dies when it is next scheduled (at once if NEW). */
void thread_kill(struct thread *thread);

/* Ends the calling thread; it must not run again. */
void thread_exit(struct thread *thread);

/* Suspends (counted) and resumes; see rules 130. */
void thread_suspend(struct thread *thread);
void thread_resume(struct thread *thread);

/*
 * Everything that stands between a scheduled thread and its user code: dies if killed, finishes a
 * wait that has ended, stops if suspended. Returns whether it may run user code now; if not, it is
 * blocked or dead. Precondition: current, its address space active.
 */
bool thread_settle(struct thread *thread);

/* CPU time used so far, ns, up to now for the running thread. */
zx_duration_t thread_runtime(const struct thread *thread);

/* For zx_object_get_info(ZX_INFO_THREAD). */
uint32_t thread_info_state(const struct thread *thread);

/* How a trap from user mode that is no syscall or interrupt is handled (object/fault.c). */
void thread_fault(struct thread *thread, const struct hal_trap *trap);

/* Raises a synthetic exception (ZX_EXCP_POLICY_ERROR) for `reason`. */
void thread_policy_exception(struct thread *thread, const char *reason);

#endif
