/*
 * process.h - processes: an address space, a handle table and threads.
 *
 * States: INITIAL -> (process_start) RUNNING -> DYING -> DEAD. DYING begins with an exit, a kill or
 * the last thread's death; DEAD when no thread is left: then, in this order, the exception channels
 * are closed, the handle table is emptied, the address space destroyed, TERMINATED set, the job
 * told and, if the process was critical to a job, that job killed. A RUNNING process holds a
 * reference to itself through its threads.
 */
#ifndef ZVMM_OBJECT_PROCESS_H
#define ZVMM_OBJECT_PROCESS_H

#include "exception.h"
#include "handle.h"
#include "object.h"

struct aspace;
struct job;
struct thread;
struct futex_table;

enum process_state { PROCESS_INITIAL, PROCESS_RUNNING, PROCESS_DYING, PROCESS_DEAD };

TAILQ_HEAD(process_threads, thread);

struct process {
    struct object object;
    struct job *job; /* referenced until dead */
    TAILQ_ENTRY(process) job_link;
    enum process_state state;
    int64_t return_code;
    struct handle_table handles;
    struct aspace *aspace;          /* NULL once dead */
    struct process_threads threads; /* each referenced */
    struct futex_table *futexes;    /* object/futex.c; NULL until the first wait */
    uint32_t suspend_count;         /* while not 0 every thread's own count includes one for it */
    struct exception_channel exception_channel, debugger_channel;
    uint64_t debug_addr;    /* ZX_PROP_PROCESS_DEBUG_ADDR */
    uint64_t break_on_load; /* ZX_PROP_PROCESS_BREAK_ON_LOAD */
    struct job
        *critical_to;      /* job that dies with this process; not referenced: it is an ancestor */
    bool critical_nonzero; /* ... only if the return code is not 0 */
    uint32_t closed_slots;             /* object/teardown.h: of the handle table, while DYING */
    TAILQ_ENTRY(process) dying_link;
    char name[ZX_MAX_NAME_LEN];
};

extern const struct object_ops process_ops;

/* An INITIAL process in `job` with an empty address space. One reference.
 * ZX_ERR_BAD_STATE (job is dead), ZX_ERR_NO_MEMORY. */
zx_status_t process_create(struct job *job, const char *name, struct process **out);

/* INITIAL -> RUNNING: starts `thread` with arg1 as a handle value of this process. Consumes `arg`
 * in every case. */
zx_status_t process_start(struct process *process, struct thread *thread, zx_vaddr_t pc,
                          zx_vaddr_t sp, struct handle_ref arg, uint64_t arg2);

/* Its first thread is about to execute its first instruction, the one at `first`. */
void process_begins(const struct process *process, zx_vaddr_t first);

/* DYING -> DEAD, when its threads and, if there were many, its handles are gone: the rest. The
 * caller holds a reference. */
void process_gone(struct process *process);

/* Ends the process with `code`, unless one is set already; kills its threads. Asynchronous. */
void process_kill(struct process *process, int64_t code);

/* Suspends (counted) and resumes every thread, also those to come. */
void process_suspend(struct process *process);
void process_resume(struct process *process);

/* Called by the thread code when a thread of it is dead. */
void process_thread_dead(struct process *process, struct thread *thread);

#endif
