/*
 * Child processes for tests. A child runs one function of this program that is marked CHILD: it is
 * copied into the child, so it uses nothing but its arguments and the calls in struct child_calls:
 * no globals, no constants in memory, no library, no thread pointer.
 */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include "test.h"

#define CHILD __attribute__((section("child_code"), noinline, used))

/* vDSO functions at their places in the child. */
struct child_calls {
    __typeof__(zx_channel_read) *channel_read;
    __typeof__(zx_channel_write) *channel_write;
    __typeof__(zx_handle_close) *handle_close;
    __typeof__(zx_nanosleep) *nanosleep;
    __typeof__(zx_object_wait_one) *object_wait_one;
    __typeof__(zx_process_exit) *process_exit;
    __typeof__(zx_thread_exit) *thread_exit;
    __typeof__(zx_vmo_create) *vmo_create;
    __typeof__(zx_channel_create) *channel_create;
    __typeof__(zx_event_create) *event_create;
    __typeof__(zx_eventpair_create) *eventpair_create;
    __typeof__(zx_port_create) *port_create;
    __typeof__(zx_socket_create) *socket_create;
    __typeof__(zx_fifo_create) *fifo_create;
    __typeof__(zx_timer_create) *timer_create;
    __typeof__(zx_task_kill) *task_kill;
    uint64_t argument; /* for the function; what it means is its own affair */
};

/* channel is the other end of struct child's; a child function must not return. */
typedef void (*child_function_t)(zx_handle_t channel, const struct child_calls *calls);

struct child {
    zx_handle_t process;
    zx_handle_t root_vmar;
    zx_handle_t thread;
    zx_handle_t channel;
};

/* Makes a process in job (ZX_HANDLE_INVALID: the default one) and lets it run a function. */
struct child child_start(zx_handle_t job, child_function_t function, uint64_t argument);

/* The same in two steps: everything but zx_process_start. The argument may be set in between, when
 * it depends on the new process. */
struct prepared_child {
    struct child child;
    zx_handle_t its_channel;
    zx_handle_t stack; /* its VMO */
    zx_vaddr_t entry, stack_pointer, calls;
};
struct prepared_child child_prepare(zx_handle_t job, child_function_t function, uint64_t argument);
void child_set_argument(const struct prepared_child *prepared, uint64_t argument);
void child_run(struct prepared_child *prepared);

/* Waits for its end and returns its return code. */
int64_t child_wait(const struct child *child);

/* Closes the handles; a child that still runs is killed first. */
void child_close(struct child *child);

/* Functions for any test. */
CHILD void child_exits(zx_handle_t channel, const struct child_calls *calls);  /* with argument */
CHILD void child_sleeps(zx_handle_t channel, const struct child_calls *calls); /* for ever */
CHILD void child_spins(zx_handle_t channel, const struct child_calls *calls);

#endif
