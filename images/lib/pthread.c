/*
 * Threads: the part of pthreads that makes, ends and joins them. Their memory is thread_stack.c's.
 */
#define _GNU_SOURCE
#include "musl.h"
#include "thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/errors.h>
#include <zircon/object.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

/* Which words of a pthread_attr_t musl's pthread_attr_ functions use. */
#define ATTR_STACK_SIZE(attr) ((attr)->__u.__s[0])
#define ATTR_GUARD_SIZE(attr) ((attr)->__u.__s[1])
#define ATTR_STACK_END(attr)  ((attr)->__u.__s[2])
#define ATTR_DETACHED(attr)   ((attr)->__u.__i[6])

static _Atomic int last_tid = 1;
static _Atomic int live_threads = 1;

/* musl's list of open streams, returned locked. */
struct musl_file **__ofl_lock(void);
void __ofl_unlock(void);

void __do_cleanup_push(struct __ptcb *handler);
void __do_cleanup_pop(struct __ptcb *handler);

int pthread_attr_init(pthread_attr_t *attr)
{
    memset(attr, 0, sizeof(*attr));
    ATTR_STACK_SIZE(attr) = THREAD_STACK_SIZE;
    ATTR_GUARD_SIZE(attr) = THREAD_GUARD_SIZE;
    return 0;
}

static void allow_lock(struct musl_file *f)
{
    if (f && f->lock < 0)
        f->lock = 0;
}

/* Before there is a second thread: locks, which cost nothing so far, begin to work. */
static void become_multithreaded(void)
{
    if (__libc.threaded)
        return;
    for (struct musl_file *f = *__ofl_lock(); f; f = f->next)
        allow_lock(f);
    __ofl_unlock();
    allow_lock(&__stdin_used ? __stdin_used : NULL);
    allow_lock(&__stdout_used ? __stdout_used : NULL);
    allow_lock(&__stderr_used ? __stderr_used : NULL);
    __libc.need_locks = 1;
    __libc.threaded = 1;
}

static void __attribute__((noreturn)) end_thread(struct thread *block)
{
    int expected = THREAD_RUNNING;

    if (atomic_fetch_sub(&live_threads, 1) == 1)
        exit(0);
    if (atomic_compare_exchange_strong(&block->state, &expected, THREAD_EXITING))
        zx_futex_wake_handle_close_thread_exit((zx_futex_t *)&block->state, UINT32_MAX,
                                               THREAD_EXITED, ZX_HANDLE_INVALID);
    if (!block->map_start) /* the first thread's memory is not ours to free */
        zx_thread_exit();
    zx_vmar_unmap_handle_close_thread_exit(zx_vmar_root_self(), block->map_start, block->map_size,
                                           block->handle);
    __builtin_trap(); /* the mapping was ours: it can be unmapped */
}

void pthread_exit(void *result)
{
    struct thread *block = thread_self();

    block->result = result;
    while (block->cleanup) {
        struct __ptcb *handler = block->cleanup;
        block->cleanup = handler->__next;
        handler->__f(handler->__x);
    }
    thread_run_key_destructors();
    end_thread(block);
}

/* musl's pthread_cleanup_push and _pop end up here. */
void __do_cleanup_push(struct __ptcb *handler)
{
    handler->__next = thread_self()->cleanup;
    thread_self()->cleanup = handler;
}

void __do_cleanup_pop(struct __ptcb *handler)
{
    thread_self()->cleanup = handler->__next;
}

static void __attribute__((noreturn)) thread_entry(struct thread *block)
{
    uintptr_t address = (uintptr_t)block;

    if (zx_object_set_property(block->handle, ZX_PROP_REGISTER_FS, &address, sizeof(address)) !=
        ZX_OK)
        __builtin_trap(); /* our own thread, our own memory */
    pthread_exit(block->start(block->argument));
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                   void *argument)
{
    static const char name[] = "thread";
    size_t stack_size = attr ? ATTR_STACK_SIZE(attr) : THREAD_STACK_SIZE;
    size_t guard_size = attr ? ATTR_GUARD_SIZE(attr) : THREAD_GUARD_SIZE;

    if (attr && ATTR_STACK_END(attr) != 0)
        return ENOTSUP; /* a stack of the caller's */
    struct thread *block = thread_stack_get(stack_size, guard_size);
    if (!block)
        return EAGAIN;
    become_multithreaded();
    thread_block_init(block, atomic_fetch_add(&last_tid, 1) + 1);
    block->start = start;
    block->argument = argument;
    block->state = attr && ATTR_DETACHED(attr) ? THREAD_DETACHED : THREAD_RUNNING;
    zx_status_t status =
        zx_thread_create(zx_process_self(), name, sizeof(name) - 1, 0, &block->handle);
    if (status == ZX_OK) {
        zx_handle_t handle = block->handle; /* the thread may be gone when the call returns */
        *thread = (pthread_t)block;
        atomic_fetch_add(&live_threads, 1);
        status = zx_thread_start(handle, (uintptr_t)thread_entry, thread_stack_pointer(block),
                                 (uintptr_t)block, 0);
        if (status == ZX_OK)
            return 0;
        atomic_fetch_sub(&live_threads, 1);
        zx_handle_close(handle);
    }
    thread_stack_put(block);
    return EAGAIN;
}

int pthread_join(pthread_t thread, void **result)
{
    struct thread *block = (struct thread *)thread;
    int state;

    if (block == thread_self())
        return EDEADLK;
    while ((state = atomic_load(&block->state)) != THREAD_EXITED) {
        if (state == THREAD_DETACHED)
            return EINVAL;
        zx_futex_wait((zx_futex_t *)&block->state, state, ZX_HANDLE_INVALID, ZX_TIME_INFINITE);
    }
    if (result)
        *result = block->result;
    if (block->map_start) { /* not the first thread, which the library did not make */
        zx_handle_close(block->handle);
        thread_stack_put(block);
    }
    return 0;
}

int pthread_detach(pthread_t thread)
{
    struct thread *block = (struct thread *)thread;
    int expected = THREAD_RUNNING;

    if (atomic_compare_exchange_strong(&block->state, &expected, THREAD_DETACHED))
        return 0;
    return expected == THREAD_DETACHED ? EINVAL : pthread_join(thread, NULL);
}

int pthread_setname_np(pthread_t thread, const char *name)
{
    size_t length = strlen(name);

    if (length >= ZX_MAX_NAME_LEN)
        return ERANGE;
    return zx_object_set_property(((struct thread *)thread)->handle, ZX_PROP_NAME, name, length) ==
                   ZX_OK
               ? 0
               : EINVAL;
}

int sched_yield(void)
{
    zx_nanosleep(0);
    return 0;
}
