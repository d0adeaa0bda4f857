/*
 * Kernel trace (Zircon ABI, spring 2020): what zx_ktrace_read returns and zx_ktrace_control takes.
 *
 * The trace is a sequence of records. Each begins with a tag that says which event it is, to which
 * group that belongs and how long the record is; a tag of 0 does not occur.
 */
#ifndef ZIRCON_KTRACE_H
#define ZIRCON_KTRACE_H

#include <zircon/internal/layout.h>
#include <zircon/limits.h>
#include <zircon/types.h>

/* A tag: event in the upper 12 bits, then 12 bits of group, then the length in units of 8 bytes. */
#define KTRACE_TAG(event, group, bytes)                                                            \
    (((uint32_t)(event)&0xfff) << 20 | ((uint32_t)(group)&0xfff) << 8 |                            \
     ((uint32_t)(bytes) >> 3 & 15))
#define KTRACE_LEN(tag)   (((tag)&15u) << 3)
#define KTRACE_GROUP(tag) ((tag) >> 8 & 0xfffu)
#define KTRACE_EVENT(tag) ((tag) >> 20 & 0xfffu)

/* Groups, one bit each: the options of KTRACE_ACTION_START. */
#define KTRACE_GRP_ALL       0xfffu
#define KTRACE_GRP_META      0x001u
#define KTRACE_GRP_LIFECYCLE 0x002u
#define KTRACE_GRP_SCHEDULER 0x004u
#define KTRACE_GRP_TASKS     0x008u
#define KTRACE_GRP_IPC       0x010u
#define KTRACE_GRP_IRQ       0x020u
#define KTRACE_GRP_PROBE     0x040u
#define KTRACE_GRP_ARCH      0x080u
#define KTRACE_GRP_SYSCALL   0x100u
#define KTRACE_GRP_VM        0x200u

/* Actions of zx_ktrace_control. */
#define KTRACE_ACTION_START     1u /* options: groups, 0 for all */
#define KTRACE_ACTION_STOP      2u
#define KTRACE_ACTION_REWIND    3u /* forgets the records */
#define KTRACE_ACTION_NEW_PROBE 4u /* ptr: a name; the result is its number, for zx_ktrace_write   \
                                    */

#define KTRACE_VERSION 0x00020000u

/* A name: of syscall `id`, of probe `id`, of thread `id` in process `arg`, of process `id`. */
typedef struct ktrace_rec_name {
    uint32_t tag;
    uint32_t id;
    uint32_t arg;
    char name[36]; /* ends with a NUL */
} ktrace_rec_name_t;
ZX_ABI_SIZE(ktrace_rec_name_t, 48);

/* Any other record; those of 16 bytes end before a, those of 24 before c. */
typedef struct ktrace_rec_32b {
    uint32_t tag;
    uint32_t tid; /* low half of the thread's koid; in records of 16 bytes the event's datum */
    uint64_t ts;  /* ticks */
    uint32_t a, b, c, d;
} ktrace_rec_32b_t;
ZX_ABI_SIZE(ktrace_rec_32b_t, 32);

/* Events that this kernel records. */
#define KTRACE_TAG_VERSION        KTRACE_TAG(0x000, KTRACE_GRP_META, 32) /* a: version */
#define KTRACE_TAG_TICKS_PER_MS   KTRACE_TAG(0x001, KTRACE_GRP_META, 32) /* a, b: low, high */
#define KTRACE_TAG_THREAD_NAME    KTRACE_TAG(0x021, KTRACE_GRP_META, 48)
#define KTRACE_TAG_PROC_NAME      KTRACE_TAG(0x022, KTRACE_GRP_META, 48)
#define KTRACE_TAG_SYSCALL_NAME   KTRACE_TAG(0x023, KTRACE_GRP_META, 48)
#define KTRACE_TAG_PROBE_NAME     KTRACE_TAG(0x025, KTRACE_GRP_META, 48)
#define KTRACE_TAG_IRQ_ENTER      KTRACE_TAG(0x030, KTRACE_GRP_IRQ, 16)     /* vector << 8 | cpu */
#define KTRACE_TAG_SYSCALL_ENTER  KTRACE_TAG(0x032, KTRACE_GRP_SYSCALL, 16) /* number << 8 | cpu */
#define KTRACE_TAG_SYSCALL_EXIT   KTRACE_TAG(0x033, KTRACE_GRP_SYSCALL, 16)
#define KTRACE_TAG_PAGE_FAULT     KTRACE_TAG(0x034, KTRACE_GRP_VM, 32) /* high, low, access, cpu */
#define KTRACE_TAG_CONTEXT_SWITCH KTRACE_TAG(0x040, KTRACE_GRP_SCHEDULER, 32) /* tid, prio << 24   \
                                                                               */
#define KTRACE_TAG_THREAD_CREATE KTRACE_TAG(0x110, KTRACE_GRP_TASKS, 32)      /* tid, pid */
#define KTRACE_TAG_THREAD_START  KTRACE_TAG(0x111, KTRACE_GRP_TASKS, 32)      /* tid */
#define KTRACE_TAG_THREAD_EXIT   KTRACE_TAG(0x112, KTRACE_GRP_TASKS, 32)      /* tid */
#define KTRACE_TAG_PROC_CREATE   KTRACE_TAG(0x120, KTRACE_GRP_TASKS, 32)      /* pid */
#define KTRACE_TAG_PROC_START    KTRACE_TAG(0x121, KTRACE_GRP_TASKS, 32)      /* tid, pid */
#define KTRACE_TAG_PROC_EXIT     KTRACE_TAG(0x122, KTRACE_GRP_TASKS, 32)      /* pid */

/* A record of zx_ktrace_write. */
#define KTRACE_TAG_PROBE(id) KTRACE_TAG((id) | 0x800u, KTRACE_GRP_PROBE, 24)
#define KTRACE_PROBE_ID_MAX  0x7ffu

#endif
