/*
 * dispatch.c - from a user thread's registers to a sys_ function.
 *
 * <zircon/syscalls.def> makes one small function a call here that casts registers to the declared
 * types (32-bit arguments arrive with undefined upper halves) and one table row with its name.
 */
#include "dispatch.h"

#include <zircon/log.h>

#include "aspace.h"
#include "executor.h"
#include "fault-in.h"
#include "syscalls.h"

#define SYSCALL_COUNT 167u
#define SITE_BYTES 7u /* mov $number, %eax; syscall: see <zircon/vdso.h> */
#define MAX_SITES 3u /* syscall instructions of one number in a vDSO */

typedef int64_t syscall_fn(struct thread *thread, const struct hal_regs *regs);

struct row {
    syscall_fn *call;
    const char *name;
};

static int64_t not_supported(struct thread *thread, uint32_t number);

static inline struct user_ptr as_user_ptr(uint64_t va)
{
    return (struct user_ptr){va};
}

/* Argument registers in the order of the calling convention (abi/vdso.md). */
#define REG_0 rdi
#define REG_1 rsi
#define REG_2 rdx
#define REG_3 r10
#define REG_4 r8
#define REG_5 r9
#define REG_6 r12
#define REG_7 r13

#define VAL(t) (t)
#define IN(t) as_user_ptr
#define OUT(t) as_user_ptr
#define INOUT(t) as_user_ptr
#define OPT_IN(t) as_user_ptr
#define OPT_OUT(t) as_user_ptr
#define ARGUMENT(index, type, name) , type(regs->REG_##index)
#define SYSCALL(number, name, ret, flags, ...)                                                     \
    static int64_t call_##name(struct thread *thread, const struct hal_regs *regs)                 \
    {                                                                                              \
        (void)regs;                                                                                \
        if (!sys_##name)                                                                           \
            return not_supported(thread, number);                                                  \
        return sys_##name(thread SC_MAP(ARGUMENT, __VA_ARGS__));                                   \
    }
#include <zircon/syscalls.def>

static const struct row rows[SYSCALL_COUNT] = {
#define SYSCALL(number, name, ...) [number] = {call_##name, #name},
#include <zircon/syscalls.def>
};

/*
 * Offsets in the vDSO at which each call may return; 0 ends a row. While `strict` is unset (a
 * foreign vDSO without our note) any address in the code segment will do.
 */
static struct {
    uint32_t code_start, code_end;
    bool strict;
    uint32_t sites[SYSCALL_COUNT][MAX_SITES];
} vdso;

const char *syscall_name(uint32_t number)
{
    return number < SYSCALL_COUNT ? rows[number].name : "unknown";
}

void syscall_set_vdso(const struct vdso_layout *layout)
{
    vdso.code_start = layout->code_start;
    vdso.code_end = layout->code_end;
    vdso.strict = layout->num_sites > 0;
    for (uint32_t i = 0; i < layout->num_sites; i++) {
        const struct zvmm_vdso_syscall *site = &layout->sites[i];
        uint32_t slot = 0;

        if (site->number >= SYSCALL_COUNT)
            continue;
        while (slot < MAX_SITES - 1 && vdso.sites[site->number][slot])
            slot++;
        vdso.sites[site->number][slot] = site->return_pc;
    }
}

/* The rare cases: a second place of the same number, a foreign vDSO, and those that are refused. */
static __attribute__((noinline)) bool from_vdso_slow(uint64_t base, uint64_t offset,
                                                     uint32_t number)
{
    if (!base || number >= SYSCALL_COUNT)
        return false;
    if (!vdso.strict)
        return offset > vdso.code_start && offset <= vdso.code_end;
    for (uint32_t i = 1; i < MAX_SITES && vdso.sites[number][i]; i++)
        if (vdso.sites[number][i] == offset)
            return true;
    return false;
}

/* User code lies above HAL_USER_BASE, so without a vDSO (base 0) no offset is as small as a site. */
static inline bool from_vdso(const struct thread *thread, uint32_t number, uint64_t return_pc)
{
    uint64_t base = thread->process->aspace->vdso_base;
    uint64_t offset = return_pc - base;

    if (number < SYSCALL_COUNT && vdso.sites[number][0] == offset)
        return true;
    return from_vdso_slow(base, offset, number);
}

static int64_t not_supported(struct thread *thread, uint32_t number)
{
    klog(ZX_LOG_DEBUG, "process '%s': zx_%s (%u) is not supported", thread->process->name,
         rows[number].name, number);
    return ZX_ERR_NOT_SUPPORTED;
}

/* For processes that have mapped pages of a pager, which is rare. */
static __attribute__((noinline)) int64_t call_after_fault_in(struct thread *thread, uint32_t number)
{
    zx_status_t status = fault_in_arguments(thread, number);
    int64_t result;

    if (status == ZX_ERR_SHOULD_WAIT)
        return status;
    thread->wait.page.no_wait = status != ZX_OK; /* it will not come: the call's copy fails, too */
    result = rows[number].call(thread, &thread->context.regs);
    thread->wait.page.no_wait = false;
    return result;
}

void syscall_dispatch(struct thread *thread)
{
    struct hal_regs *regs = &thread->context.regs;
    uint32_t number = (uint32_t)regs->rax;
    int64_t result;

    this_cpu()->stats.syscalls++;
    if (!from_vdso(thread, number, regs->rip)) {
        regs->rax = (uint64_t)(int64_t)ZX_ERR_BAD_SYSCALL;
        thread_policy_exception(thread, "system call from outside the vDSO");
        return;
    }
    if (thread->process->aspace->paged_mappings)
        result = call_after_fault_in(thread, number);
    else
        result = rows[number].call(thread, regs);
    /* A call that parked gets its result when the wait ends (thread_settle), or it met memory whose
     * pager has been asked, and is made again from the start. */
    if (!thread->wait.kind)
        regs->rax = (uint64_t)result;
    else if (thread->wait.kind->restarts)
        regs->rip -= SITE_BYTES;
}
