/*
 * fault.c - what happens when user code faults: pages are brought in, everything else is an
 * exception, and an exception that nobody handles ends the process.
 */
#include <hal.h>
#include <zircon/errors.h>
#include <zircon/exception.h>
#include <zircon/log.h>

#include "aspace.h"
#include "executor.h"
#include "format.h"
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

static const char *type_name(uint32_t type)
{
    switch (type) {
    case ZX_EXCP_HW_BREAKPOINT:
        return "hardware breakpoint";
    case ZX_EXCP_SW_BREAKPOINT:
        return "breakpoint";
    case ZX_EXCP_UNDEFINED_INSTRUCTION:
        return "undefined instruction";
    case ZX_EXCP_FATAL_PAGE_FAULT:
        return "page fault";
    case ZX_EXCP_UNALIGNED_ACCESS:
        return "unaligned access";
    case ZX_EXCP_POLICY_ERROR:
        return "policy error";
    default:
        return "general exception";
    }
}

static void log_registers(const struct hal_regs *r)
{
    klog(ZX_LOG_ERROR, "  rip %016lx rsp %016lx rbp %016lx rfl %08lx", r->rip, r->rsp, r->rbp,
         r->rflags);
    klog(ZX_LOG_ERROR, "  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx,
         r->rdx);
    klog(ZX_LOG_ERROR, "  rsi %016lx rdi %016lx  r8 %016lx  r9 %016lx", r->rsi, r->rdi, r->r8,
         r->r9);
    klog(ZX_LOG_ERROR, "  r10 %016lx r11 %016lx r12 %016lx r13 %016lx", r->r10, r->r11, r->r12,
         r->r13);
    klog(ZX_LOG_ERROR, "  r14 %016lx r15 %016lx  fs %016lx  gs %016lx", r->r14, r->r15,
         r->fs_base, r->gs_base);
}

/* The end of the line for an exception: say what happened and end the process. */
static void unhandled(struct thread *thread, uint32_t type, const char *detail)
{
    struct process *process = thread->process;

    klog(ZX_LOG_ERROR, "process '%s' (%lu) thread '%s' (%lu): %s%s; process killed", process->name,
         process->object.koid, thread->name, thread->object.koid, type_name(type), detail);
    log_registers(&thread->context.regs);
    process_kill(process, ZX_TASK_RETCODE_EXCEPTION_KILL);
}

void thread_fault(struct thread *thread, const struct hal_trap *trap)
{
    char detail[96];

    if (trap->kind == HAL_TRAP_PAGE_FAULT) {
        zx_status_t status = aspace_fault(thread->process->aspace, trap->address, trap->access);

        this_cpu()->stats.page_faults++;
        if (status == ZX_OK || thread->wait.kind)
            return;
        format(detail, sizeof detail, " at 0x%lx (%s, %s)", trap->address,
               trap->access & HAL_FAULT_EXECUTE ? "execute"
               : trap->access & HAL_FAULT_WRITE ? "write"
                                                : "read",
               status == ZX_ERR_NOT_FOUND       ? "nothing is mapped there"
               : status == ZX_ERR_ACCESS_DENIED ? "not permitted"
               : status == ZX_ERR_OUT_OF_RANGE  ? "beyond the end of the VMO"
               : status == ZX_ERR_NO_MEMORY     ? "out of memory"
                                                : "page cannot be had");
    } else {
        format(detail, sizeof detail, ", vector %u, error code 0x%lx", trap->vector,
               trap->error_code);
    }
    unhandled(thread, exception_type(trap->vector), detail);
}

void thread_policy_exception(struct thread *thread, const char *reason)
{
    char detail[96];

    format(detail, sizeof detail, ": %s", reason);
    unhandled(thread, ZX_EXCP_POLICY_ERROR, detail);
}
