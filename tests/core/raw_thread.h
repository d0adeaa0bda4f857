/*
 * Threads of this process without a library: a mapped stack and a function that ends with
 * zx_thread_exit.
 */
#ifndef CORE_RAW_THREAD_H
#define CORE_RAW_THREAD_H

#include "test.h"

struct raw_thread {
    zx_handle_t handle;
    zx_vaddr_t stack;
};

#define RAW_STACK_SIZE 0x4000u

typedef void (*raw_function_t)(uintptr_t argument1, uintptr_t argument2);

struct raw_thread raw_make(void);
zx_status_t raw_start(const struct raw_thread *t, raw_function_t function, uintptr_t argument1,
                      uintptr_t argument2);
/* Both. */
struct raw_thread raw_run(raw_function_t function, uintptr_t argument1, uintptr_t argument2);

/* Waits for its end, then closes and unmaps. */
void raw_join(struct raw_thread *t);

uint32_t raw_state(const struct raw_thread *t);

/* Suspends a thread and waits until it has stopped; the token. */
zx_handle_t raw_suspend(const struct raw_thread *t);
/* Closes the token and waits until it runs again, or has already come to its end. */
void raw_resume(const struct raw_thread *t, zx_handle_t token);

#endif
