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
#define MAX_SITES 2u /* syscall instructions of one number in a vDSO, besides the first */

typedef int64_t syscall_fn(struct thread *thread, const struct hal_regs *regs);

uint32_t syscall_count(void)
{
    return SYSCALL_COUNT;
}

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

static syscall_fn *const calls[SYSCALL_COUNT] = {
#define SYSCALL(number, name, ...) [number] = call_##name,
#include <zircon/syscalls.def>
};

static const char *const names[SYSCALL_COUNT] = {
#define SYSCALL(number, name, ...) [number] = #name,
#include <zircon/syscalls.def>
};

/* ---- Where calls may come from --------------------------------------------------------------- */

/* The offset in the vDSO at which each call usually returns. NO_SITE: there is none. */
#define NO_SITE UINT64_MAX
static uint64_t first_site[SYSCALL_COUNT];

/*
 * The other offsets; 0 ends a row. While `strict` is unset (a foreign vDSO without our note) any
 * address in the code segment will do.
 */
static struct {
    uint32_t code_start, code_end;
    bool strict;
    uint32_t more_sites[SYSCALL_COUNT][MAX_SITES];
} vdso;

static void add_site(const struct zvmm_vdso_syscall *site)
{
    uint32_t *more = vdso.more_sites[site->number], slot = 0;

    if (first_site[site->number] == NO_SITE) {
        first_site[site->number] = site->return_pc;
        return;
    }
    while (slot < MAX_SITES - 1 && more[slot])
        slot++;
    more[slot] = site->return_pc;
}

void syscall_set_vdso(const struct vdso_layout *layout)
{
    vdso.code_start = layout->code_start;
    vdso.code_end = layout->code_end;
    vdso.strict = layout->num_sites > 0;
    for (uint32_t i = 0; i < SYSCALL_COUNT; i++)
        first_site[i] = NO_SITE;
    for (uint32_t i = 0; i < layout->num_sites; i++)
        if (layout->sites[i].number < SYSCALL_COUNT)
            add_site(&layout->sites[i]);
}

static bool from_vdso(uint64_t base, uint32_t number, uint64_t return_pc)
{
    uint64_t offset = return_pc - base;

    if (!base || number >= SYSCALL_COUNT)
        return false;
    if (!vdso.strict)
        return offset > vdso.code_start && offset <= vdso.code_end;
    if (offset == first_site[number])
        return true;
    for (uint32_t i = 0; i < MAX_SITES && vdso.more_sites[number][i]; i++)
        if (vdso.more_sites[number][i] == offset)
            return true;
    return false;
}

/* ---- Calls ------------------------------------------------------------------------------------ */

const char *syscall_name(uint32_t number)
{
    return number < SYSCALL_COUNT ? names[number] : "unknown";
}

static int64_t not_supported(struct thread *thread, uint32_t number)
{
    klog(ZX_LOG_DEBUG, "process '%s': zx_%s (%u) is not supported", thread->process->name,
         names[number], number);
    return ZX_ERR_NOT_SUPPORTED;
}

/* For processes that have mapped pages of a pager, which is rare. */
static __attribute__((noinline)) int64_t call_after_fault_in(struct thread *thread, uint32_t number)
{
    zx_status_t status = fault_in_arguments(thread, number);
    int64_t result;

    if (status == ZX_ERR_SHOULD_WAIT)
        return status;
    thread->wait.no_pages = status != ZX_OK; /* it will not come: the call's copy fails, too */
    result = calls[number](thread, &thread->context.regs);
    thread->wait.no_pages = false;
    return result;
}

/* A second place of the same number, a foreign vDSO, memory of a pager, and what is refused. */
static __attribute__((noinline)) int64_t handle_rare(struct thread *thread, uint32_t number)
{
    const struct aspace *aspace = thread->aspace;

    if (!from_vdso(aspace->vdso_base, number, thread->context.regs.rip)) {
        thread_policy_exception(thread, "system call from outside the vDSO");
        return ZX_ERR_BAD_SYSCALL;
    }
    if (aspace->paged_mappings)
        return call_after_fault_in(thread, number);
    return calls[number](thread, &thread->context.regs);
}

/*
 * The usual call returns to the first place on record for its number, measured from the address
 * space's call_base. Without a vDSO that is 0, and user addresses are larger than any offset.
 */
int64_t syscall_handle(struct hal_context *context)
{
    struct thread *thread = container_of(context, struct thread, context);
    const struct hal_regs *regs = &context->regs;
    uint32_t number = (uint32_t)regs->rax;

    this_cpu()->stats.syscalls++;
    if (number < SYSCALL_COUNT && regs->rip - thread->aspace->call_base == first_site[number])
        return calls[number](thread, regs);
    return handle_rare(thread, number);
}

void syscall_finish(struct thread *thread, int64_t result)
{
    struct hal_regs *regs = &thread->context.regs;

    /* A call that parked gets its result when the wait ends (thread_settle), or it met memory whose
     * pager has been asked, and is made again from the start. */
    if (!thread->wait.kind)
        regs->rax = (uint64_t)result;
    else if (thread->wait.kind->restarts)
        regs->rip -= SITE_BYTES;
}
