/*
 * Exceptions (Zircon ABI, March 2020): their types, the message that an exception channel delivers
 * (zx_exception_info_t with one handle, the exception), and the report on a stopped thread.
 */
#ifndef ZIRCON_EXCEPTION_H
#define ZIRCON_EXCEPTION_H

#include <zircon/internal/layout.h>
#include <zircon/types.h>

typedef uint32_t zx_excp_type_t;

/* Taken by the processor. */
#define ZX_EXCP_GENERAL               0x8u
#define ZX_EXCP_FATAL_PAGE_FAULT      0x108u
#define ZX_EXCP_UNDEFINED_INSTRUCTION 0x208u
#define ZX_EXCP_SW_BREAKPOINT         0x308u
#define ZX_EXCP_HW_BREAKPOINT         0x408u
#define ZX_EXCP_UNALIGNED_ACCESS      0x508u

/* Made by the kernel. */
#define ZX_EXCP_SYNTH            0x8000u /* set in the types that the kernel makes itself */
#define ZX_EXCP_THREAD_STARTING  0x8008u
#define ZX_EXCP_THREAD_EXITING   0x8108u
#define ZX_EXCP_POLICY_ERROR     0x8208u
#define ZX_EXCP_PROCESS_STARTING 0x8308u
#define ZX_EXCP_IS_ARCH(type)    (((type)&ZX_EXCP_SYNTH) == 0)

#define ZX_EXCEPTION_CHANNEL_DEBUGGER 1u /* option of zx_task_create_exception_channel */

/* Which kind of channel a stopped thread waits on (zx_info_thread_t). */
#define ZX_EXCEPTION_CHANNEL_TYPE_NONE         0u
#define ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER     1u
#define ZX_EXCEPTION_CHANNEL_TYPE_THREAD       2u
#define ZX_EXCEPTION_CHANNEL_TYPE_PROCESS      3u
#define ZX_EXCEPTION_CHANNEL_TYPE_JOB          4u
#define ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER 5u

/* ZX_PROP_EXCEPTION_STATE: what to do when the exception handle is closed. */
#define ZX_EXCEPTION_STATE_TRY_NEXT 0u
#define ZX_EXCEPTION_STATE_HANDLED  1u

typedef struct zx_exception_info {
    zx_koid_t pid;
    zx_koid_t tid;
    zx_excp_type_t type;
    uint8_t padding1[4];
} zx_exception_info_t;
ZX_ABI_SIZE(zx_exception_info_t, 24);
ZX_ABI_OFFSET(zx_exception_info_t, type, 16);

typedef struct zx_x86_64_exc_data {
    uint64_t vector;
    uint64_t err_code;
    uint64_t cr2;
} zx_x86_64_exc_data_t;
ZX_ABI_SIZE(zx_x86_64_exc_data_t, 24);

typedef struct zx_exception_header {
    uint32_t size; /* of the whole report: 32 on x86-64 */
    zx_excp_type_t type;
} zx_exception_header_t;
ZX_ABI_SIZE(zx_exception_header_t, 8);

typedef struct zx_exception_context {
    struct {
        union {
            zx_x86_64_exc_data_t x86_64;
        } u;
    } arch; /* zero for exceptions that the kernel made */
} zx_exception_context_t;

typedef struct zx_exception_report {
    zx_exception_header_t header;
    zx_exception_context_t context;
} zx_exception_report_t;
ZX_ABI_SIZE(zx_exception_report_t, 32);
ZX_ABI_OFFSET(zx_exception_report_t, context.arch.u.x86_64.vector, 8);
ZX_ABI_OFFSET(zx_exception_report_t, context.arch.u.x86_64.cr2, 24);

#endif
