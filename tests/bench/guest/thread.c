/*
 * thread.c - threads that are nothing but a function and a piece of stack, so that there can be
 * many of them.
 */
#include "guest.h"

zx_handle_t thread_on(struct run *run, void (*function)(uintptr_t), uintptr_t argument,
                      char *stack_end)
{
    zx_handle_t thread = ZX_HANDLE_INVALID;

    OK(run, zx_thread_create(zx_process_self(), "bench", 5, 0, &thread));
    /* As after a call: 8 bytes below a multiple of 16. */
    OK(run, zx_thread_start(thread, (zx_vaddr_t)function, (zx_vaddr_t)stack_end - 8, argument, 0));
    return thread;
}

void thread_wait(struct run *run, zx_handle_t thread)
{
    OK(run, zx_object_wait_one(thread, ZX_THREAD_TERMINATED, ZX_TIME_INFINITE, NULL));
    zx_handle_close(thread);
}
