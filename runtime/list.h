/*
 * list.h - the intrusive containers the kernel uses: the BSD lists and queues of <sys/queue.h> and
 * the red-black tree of libbsd's <bsd/sys/tree.h>. Both headers are macros only, so they serve a
 * freestanding kernel; this file supplies the few names they expect.
 */
#ifndef ZVMM_RUNTIME_LIST_H
#define ZVMM_RUNTIME_LIST_H

#include <stddef.h>
#include <sys/queue.h>

#ifndef __unused
#define __unused __attribute__((__unused__))
#endif
#include <bsd/sys/tree.h>

/* The object that holds `member`, from a pointer to that member. */
#define container_of(pointer, type, member)                                                        \
    ((type *)((char *)(pointer) - offsetof(type, member)))

/* Iteration that allows the current element to be removed; glibc's <sys/queue.h> has none. */
#ifndef TAILQ_FOREACH_SAFE
#define TAILQ_FOREACH_SAFE(var, head, field, next)                                                 \
    for ((var) = TAILQ_FIRST((head)); (var) && ((next) = TAILQ_NEXT((var), field), 1);             \
         (var) = (next))
#endif
#ifndef LIST_FOREACH_SAFE
#define LIST_FOREACH_SAFE(var, head, field, next)                                                  \
    for ((var) = LIST_FIRST((head)); (var) && ((next) = LIST_NEXT((var), field), 1); (var) = (next))
#endif

#endif
