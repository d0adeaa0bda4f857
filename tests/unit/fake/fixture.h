/*
 * fixture.h - a kernel for unit tests: root job, one running process, its threads, and a stand-in
 * for the thread loop that lets a test decide who runs.
 *
 * fixture_teardown kills what is left and fails the test if an object, a heap block or a frame has
 * not come back.
 */
#ifndef ZVMM_TESTS_FIXTURE_H
#define ZVMM_TESTS_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include "executor.h"
#include "fake-hal.h"
#include "job.h"
#include "process.h"
#include "thread.h"
#include "usercopy.h"

struct fixture {
    struct kernel kernel;
    struct cpu cpu;
    struct process *process; /* RUNNING */
    struct thread *thread;   /* current after setup */
    zx_vaddr_t user;         /* USER_BYTES of user memory, readable and writable, in `process` */
    size_t heap_before, frames_before;
};

#define USER_BYTES 0x40000u

extern struct fixture fix;

/* For cmocka_unit_test_setup_teardown. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Another thread of fix.process, runnable, taken out of the run queue. One reference, which
 * fixture_teardown does not drop. */
struct thread *fixture_thread(void);

/* Makes `thread` the current one, as the loop would; returns what thread_settle says. */
bool fixture_run(struct thread *thread);

/* Runs every ready thread through thread_settle until none is ready; the result of a system call is
 * then in context.regs.rax. */
void fixture_settle_all(void);

/* The status in the thread's rax. */
zx_status_t fixture_result(const struct thread *thread);

/* Moves time and fires what is due. */
void fixture_advance(zx_duration_t by);

/* User memory: address of byte `offset`, and plain copies in and out. */
struct user_ptr fixture_user(size_t offset);
void fixture_poke(size_t offset, const void *from, size_t length);
void fixture_peek(size_t offset, void *to, size_t length);
zx_handle_t fixture_handle_at(size_t offset);

/* A handle for `object` with `rights` in fix.process; takes over the caller's reference. */
zx_handle_t fixture_give(struct object *object, zx_rights_t rights);

#endif
