/*
 * The block at the thread pointer (FS base) of every thread. Its first part is musl's struct
 * pthread, as far as the members of musl's libc.a that we link look at it; musl-subset.sh checks
 * these offsets against the archive. Our own fields follow. The thread's TLS data lies directly
 * below the block.
 */
#ifndef ZX_LIB_THREAD_H
#define ZX_LIB_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

struct thread {
    struct thread *self;
    void *unused1[4];
    uintptr_t canary; /* gcc's stack protector reads it here */
    int tid;          /* unique in the process, used as owner of locks */
    int errno_value;
    char unused2[0xa8 - 0x38];
    void *locale;
    char unused3[0xc8 - 0xb0];
    /* From here on ours. */
    zx_handle_t handle;       /* of the thread */
    _Atomic zx_futex_t state; /* THREAD_ values */
    void *(*start)(void *);
    void *argument;
    void *result;
    uintptr_t
        map_start; /* the mapping that holds stack, TLS data and this block; 0 for the first */
    size_t map_size;
    bool usual;             /* stack and guard have the usual size: it may be used again */
    void **specific;        /* values of pthread keys, NULL until one is set */
    struct __ptcb *cleanup; /* handlers that pthread_exit runs */
};

_Static_assert(offsetof(struct thread, canary) == 0x28, "canary");
_Static_assert(offsetof(struct thread, tid) == 0x30, "tid");
_Static_assert(offsetof(struct thread, errno_value) == 0x34, "errno");
_Static_assert(offsetof(struct thread, locale) == 0xa8, "locale");
_Static_assert(offsetof(struct thread, handle) == 0xc8, "end of musl's part");

/*
 * A thread ends either on its own account (DETACHED: it frees its mapping with its last system
 * call) or on that of whoever joins it (EXITING, then EXITED, when the joiner frees the mapping).
 * The first to leave RUNNING decides which.
 */
enum { THREAD_RUNNING, THREAD_DETACHED, THREAD_EXITING, THREAD_EXITED };

static inline struct thread *thread_self(void)
{
    struct thread *self;

    __asm__("mov %%fs:0, %0" : "=r"(self));
    return self;
}

/* --- A thread's memory (thread_stack.c) --- */

#define THREAD_STACK_SIZE 0x40000u /* unless attributes say otherwise */
#define THREAD_GUARD_SIZE 0x1000u

/* Memory for a thread, its block zeroed but for the members that describe the mapping. Sizes in
 * bytes. NULL: there is no memory. */
struct thread *thread_stack_get(size_t stack_size, size_t guard_size);

/* Gives the memory of a thread that has ended, block included, back. */
void thread_stack_put(struct thread *block);

/* Where the stack begins, as if a call had just pushed its return address. */
uintptr_t thread_stack_pointer(const struct thread *block);

/* --- The program's TLS segment --- */

/* Bytes that TLS data needs below a block that is aligned to *alignment. */
size_t thread_tls_size(size_t *alignment);

/* Fills in a zeroed block and copies the initial TLS data below it. */
void thread_block_init(struct thread *block, int tid);

/* Runs the destructors of the calling thread's pthread keys. */
void thread_run_key_destructors(void);

#endif
