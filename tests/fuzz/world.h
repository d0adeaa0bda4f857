/*
 * world.h - the kernel that one fuzzer input runs in: two processes with two threads each, what
 * they begin with, and a stand-in for the thread loop (guest/loop.c) that runs one turn at a time.
 *
 * Process 0 has handles to everything that cannot be made by a system call: the root job and
 * resource, both processes, their threads and address regions, the vDSO. Each process has one end
 * of a channel. All else comes from calls.
 */
#ifndef ZVMM_TESTS_FUZZ_WORLD_H
#define ZVMM_TESTS_FUZZ_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "executor.h"
#include "fake-hal.h"
#include "process.h"
#include "thread.h"

#define WORLD_PROCESSES 2
#define AREA_BYTES      0x8000u /* of user memory for each of a call's eight arguments */
#define USER_BYTES      (8 * AREA_BYTES)

struct world {
    struct kernel kernel;
    struct cpu cpu;
    struct process *process[WORLD_PROCESSES]; /* referenced */
    zx_vaddr_t user[WORLD_PROCESSES];         /* USER_BYTES each, readable and writable */
    struct vmo *vdso;                         /* referenced */
    unsigned spare_threads;                   /* that world_rescue may still make */
    bool exited;                              /* hal_exit has been called: nothing runs any more */
    size_t heap_before, frames_before;
};

extern struct world world;

/* Ends the run with a message: the kernel has broken a rule. */
_Noreturn void fuzz_fail(const char *file, int line, const char *what);
#define fuzz_check(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

void world_setup(void);
/* Kills everything and checks that nothing is left. */
void world_teardown(void);

/* The user memory of `process`; of one that a call has made, whatever is mapped first. */
zx_vaddr_t world_user(struct process *process);

/* The n-th ready thread (modulo their number); NULL: none is ready. */
struct thread *world_ready_thread(unsigned n);

/*
 * One turn of `thread`, which is ready: it settles and, if it gets to user mode, does `action`
 * there (may be NULL) and settles again.
 */
typedef void user_action(struct thread *thread, void *arg);
void world_turn(struct thread *thread, user_action *action, void *arg);
/* Turns until no thread is ready. */
void world_run_all(void);

/* Time passes; deadlines fire. */
void world_advance(zx_duration_t by);
/* ... to the next deadline. False: there is none. */
bool world_idle(void);
/* Nobody can run and no deadline will come: process 0 gets another thread. False: it cannot. */
bool world_rescue(void);

/* A system call in the thread's registers; the thread is current. */
void world_syscall(struct thread *thread, uint32_t number, const uint64_t args[8]);

/* Calls `visit` for every process in the job tree. */
void world_visit_processes(void (*visit)(struct process *process, void *arg), void *arg);

#endif
