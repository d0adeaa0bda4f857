/*
 * Internals of musl 1.2 (Debian's libc.a) on which our replacements for its Linux-specific members
 * rest. musl-subset.sh checks what can be checked against the archive itself.
 */
#ifndef ZX_LIB_MUSL_H
#define ZX_LIB_MUSL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct musl_file {
    unsigned flags;
    unsigned char *rpos, *rend;
    int (*close)(struct musl_file *);
    unsigned char *wend, *wpos;
    unsigned char *zero1;
    unsigned char *wbase;
    size_t (*read)(struct musl_file *, unsigned char *, size_t);
    size_t (*write)(struct musl_file *, const unsigned char *, size_t);
    off_t (*seek)(struct musl_file *, off_t, int);
    unsigned char *buf;
    size_t buf_size;
    struct musl_file *prev, *next;
    int fd;
    int pipe_pid;
    long lock_count;
    int mode;
    volatile int lock; /* -1: never locked; else the owner's tid, with MUSL_LOCK_WAITERS */
    int line_end;      /* '\n' if line-buffered, else -1 */
    void *cookie;
};

_Static_assert(offsetof(struct musl_file, close) == 0x18, "close");
_Static_assert(offsetof(struct musl_file, write) == 0x48, "write");
_Static_assert(offsetof(struct musl_file, seek) == 0x50, "seek");
_Static_assert(offsetof(struct musl_file, buf) == 0x58, "buf");
_Static_assert(offsetof(struct musl_file, next) == 0x70, "next");
_Static_assert(offsetof(struct musl_file, lock) == 0x8c, "lock");
_Static_assert(offsetof(struct musl_file, line_end) == 0x90, "line_end");

#define MUSL_FILE_EOF     16u
#define MUSL_FILE_ERROR   32u
#define MUSL_LOCK_WAITERS 0x40000000

struct musl_libc {
    char can_do_threads;
    char threaded;
    char secure;
    volatile signed char need_locks;
    int threads_minus_1;
    size_t *auxv;
    void *tls_head;
    size_t tls_size, tls_align, tls_count;
    size_t page_size;
    char global_locale[48];
};

_Static_assert(offsetof(struct musl_libc, need_locks) == 3, "need_locks");
_Static_assert(offsetof(struct musl_libc, global_locale) == 0x38, "global_locale");

extern struct musl_libc __libc __attribute__((visibility("hidden")));

/* The standard streams, NULL where the program does not use one. */
extern struct musl_file *volatile __stdin_used __attribute__((weak, visibility("hidden")));
extern struct musl_file *volatile __stdout_used __attribute__((weak, visibility("hidden")));
extern struct musl_file *volatile __stderr_used __attribute__((weak, visibility("hidden")));

/* Locks of musl's own, ours to implement. */
void __lock(volatile int *lock);
void __unlock(volatile int *lock);
int __lockfile(struct musl_file *file);
void __unlockfile(struct musl_file *file);

#endif
