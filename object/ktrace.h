/*
 * ktrace.h - the kernel trace: a buffer that records are appended to until it is full.
 *
 * What is not traced costs one look at ktrace.groups. The buffer is made when tracing is first
 * started and stays; a debugger finds it, and the names of probes, by the name `ktrace`.
 */
#ifndef ZVMM_OBJECT_KTRACE_H
#define ZVMM_OBJECT_KTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <zircon/ktrace.h>

#include "object.h"

#define KTRACE_BUFFER_SIZE (256u << 10)
#define KTRACE_PROBES      64u

struct ktrace {
    uint32_t groups; /* being recorded; 0: stopped, or full */
    uint32_t length; /* bytes of `buffer` that hold records */
    uint8_t *buffer; /* KTRACE_BUFFER_SIZE; NULL until tracing is first started */
    uint32_t probe_count;
    char probes[KTRACE_PROBES][ZX_MAX_NAME_LEN]; /* number n is probes[n - 1] */
};

extern struct ktrace ktrace;

/* Starts recording `groups`; names the processes and threads there are. ZX_ERR_NO_MEMORY. */
zx_status_t ktrace_start(uint32_t groups);
void ktrace_stop(void);
/* Forgets all records, then writes what a reader needs to know; more names may follow. */
zx_status_t ktrace_rewind(void);

/* The number of the probe of that name, a new one if need be. ZX_ERR_NO_RESOURCES: too many. */
int64_t ktrace_probe(const char name[ZX_MAX_NAME_LEN]);

/* A record of KTRACE_TAG_PROBE(id). ZX_ERR_UNAVAILABLE: probes are not recorded, or it is full. */
zx_status_t ktrace_write_probe(uint32_t id, uint32_t a, uint32_t b);

/* For the macros below, and names. Nothing happens when the buffer is full. */
void ktrace_append(uint32_t tag, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
    __attribute__((cold));
void ktrace_append_name(uint32_t tag, uint32_t id, uint32_t arg, const char *name);

/* Records an event if its group is wanted. Arguments are cut to 32 bits. */
#define KTRACE(tag, a, b, c, d)                                                                    \
    do {                                                                                           \
        if (__builtin_expect(ktrace.groups & KTRACE_GROUP(tag), 0))                                \
            ktrace_append(tag, (uint32_t)(a), (uint32_t)(b), (uint32_t)(c), (uint32_t)(d));        \
    } while (0)

/* Names something new while tracing is on. */
#define KTRACE_NAME(tag, id, arg, name)                                                            \
    do {                                                                                           \
        if (__builtin_expect(ktrace.groups, 0))                                                    \
            ktrace_append_name(tag, (uint32_t)(id), (uint32_t)(arg), name);                        \
    } while (0)

#endif
