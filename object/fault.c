/*
 * fault.c - what happens when user code faults: pages are brought in, everything else is an
 * exception.
 */
#include <hal.h>
#include <zircon/errors.h>
#include <zircon/exception.h>

#include "aspace.h"
#include "executor.h"
#include "ktrace.h"
#include "process.h"
#include "thread.h"

/* x86 exception vectors (AMD64 Architecture Programmer's Manual, volume 2, 8.2). */
enum {
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_INVALID_OPCODE = 6,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_ALIGNMENT = 17,
};

static uint32_t exception_type(uint32_t vector)
{
    switch (vector) {
    case VECTOR_DEBUG:
        return ZX_EXCP_HW_BREAKPOINT;
    case VECTOR_BREAKPOINT:
        return ZX_EXCP_SW_BREAKPOINT;
    case VECTOR_INVALID_OPCODE:
        return ZX_EXCP_UNDEFINED_INSTRUCTION;
    case VECTOR_PAGE_FAULT:
        return ZX_EXCP_FATAL_PAGE_FAULT;
    case VECTOR_ALIGNMENT:
        return ZX_EXCP_UNALIGNED_ACCESS;
    default:
        return ZX_EXCP_GENERAL;
    }
}

static const char *page_fault_reason(zx_status_t status)
{
    switch (status) {
    case ZX_ERR_NOT_FOUND:
        return "nothing is mapped there";
    case ZX_ERR_ACCESS_DENIED:
        return "not permitted";
    case ZX_ERR_OUT_OF_RANGE:
        return "beyond the end of the VMO";
    case ZX_ERR_NO_MEMORY:
        return "out of memory";
    default:
        return "page cannot be had";
    }
}

void thread_fault(struct thread *thread, const struct hal_trap *trap)
{
    struct exception_cause cause = {
        .type = exception_type(trap->vector),
        .arch = {.vector = trap->vector, .err_code = trap->error_code, .cr2 = trap->address},
    };

    if (trap->kind == HAL_TRAP_PAGE_FAULT) {
        zx_status_t status;

        KTRACE(KTRACE_TAG_PAGE_FAULT, trap->address >> 32, trap->address, trap->access, 0);
        status = aspace_fault(thread->process->aspace, trap->address, trap->access);

        this_cpu()->stats.page_faults++;
        if (status == ZX_OK || thread->wait.kind)
            return;
        cause.why = page_fault_reason(status);
    }
    exception_raise(thread, &cause);
}

void thread_policy_exception(struct thread *thread, const char *reason)
{
    if (!(thread->flags & THREAD_POLICY))
        thread->policy_reason = reason;
    thread_flag(thread, THREAD_POLICY);
}
