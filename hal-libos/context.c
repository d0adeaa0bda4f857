/*
 * context.c - running user code, and the state of it that outlives a trap.
 *
 * The vDSO is called like any C function, so a system call keeps of the FPU only what the C ABI
 * keeps over calls: the control words (x87, MXCSR). The kernel changes neither, so they stay in the
 * processor until another context runs. All other ways out of user mode store the whole state in
 * the context's area (CONTEXT_FPU_LIVE), and it is restored from there.
 */
#include "context.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <zircon/errors.h>

#include "cpu.h"
#include "fpu_area.h"
#include "machine.h"
#include "mirror.h"
#include "pagetable.h"
#include "timer.h"
#include "x86.h"

#define HWCAP2_FSGSBASE 0x2ul

/* What is saved of what the host has switched on: x87, SSE, AVX, AVX-512. */
#define COMPONENTS 0xe7ull

#define LIVE(context)     ((context)->hal_private[0])
#define CONTROLS(context) ((context)->hal_private[1]) /* MXCSR, x87 control word << 32; !LIVE */
#define EXPECTED(context) ((context)->hal_private[2]) /* page | access << 1 | 1, or 0 */

#define CHECK(field, offset)                                                                       \
    _Static_assert(offsetof(struct cpu, field) == (offset), "cpu.h: " #field)
CHECK(current, CPU_CURRENT);
CHECK(kernel_rsp, CPU_KERNEL_RSP);
CHECK(host_fs, CPU_HOST_FS);
CHECK(vdso_base, CPU_VDSO_BASE);
CHECK(xsave_mask, CPU_XSAVE_MASK);
CHECK(in_user, CPU_IN_USER);
CHECK(selector, CPU_SELECTOR);
CHECK(pending, CPU_PENDING);
CHECK(fsgsbase, CPU_FSGSBASE);
CHECK(xsave, CPU_XSAVE);
CHECK(work, CPU_WORK);
CHECK(handler, CPU_HANDLER);
CHECK(result, CPU_RESULT);
_Static_assert(offsetof(struct hal_context, fpu) == CONTEXT_FPU, "cpu.h: fpu");
_Static_assert(offsetof(struct hal_context, hal_private) == CONTEXT_FPU_LIVE, "cpu.h: live");
_Static_assert(RFLAGS_HARMFUL == (RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC), "cpu.h: flags");

struct cpu cpu = {.xsave = 0};

int switch_enter(struct hal_context *context, int quick);

static struct {
    size_t bytes; /* of an area */
    struct fpu_format format;
} fpu = {.bytes = FXSAVE_BYTES};

/* ---- Processor ------------------------------------------------------------------------------- */

uint64_t context_fs_base(void)
{
    uint64_t base = 0;

    if (cpu.fsgsbase)
        return x86_rdfsbase();
    machine_arch_prctl(ARCH_GET_FS, (uint64_t)&base);
    return base;
}

void context_set_fs_base(uint64_t base)
{
    if (cpu.fsgsbase)
        x86_wrfsbase(base);
    else
        machine_arch_prctl(ARCH_SET_FS, base);
}

uint64_t context_gs_base(void)
{
    uint64_t base = 0;

    if (cpu.fsgsbase)
        return x86_rdgsbase();
    machine_arch_prctl(ARCH_GET_GS, (uint64_t)&base);
    return base;
}

static void set_gs_base(uint64_t base)
{
    if (cpu.fsgsbase)
        x86_wrgsbase(base);
    else
        machine_arch_prctl(ARCH_SET_GS, base);
    cpu.gs_loaded = base;
}

static void find_xsave(void)
{
    uint32_t a, b, c, d, low, high;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    cpu.xsave = 1;
    fpu.format.xsave = true;
    cpu.xsave_mask = ((uint64_t)high << 32 | low) & COMPONENTS;
    fpu.bytes = FXSAVE_BYTES + XSAVE_HEADER;
    for (uint32_t i = 2; i < 63; i++) {
        if (!(cpu.xsave_mask >> i & 1))
            continue;
        __cpuid_count(0xd, i, a, b, c, d);
        if (a + b > fpu.bytes)
            fpu.bytes = a + b;
        if (i == 2)
            fpu.format.avx_offset = b;
    }
    fpu.bytes = (fpu.bytes + 63) & ~(size_t)63;
}

void context_init(void)
{
    static uint8_t image[FXSAVE_BYTES] __attribute__((aligned(16)));

    cpu.fsgsbase = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
    cpu.host_fs = context_fs_base();
    find_xsave();
    __asm__ volatile("fxsave64 %0" : "=m"(image));
    memcpy(&fpu.format.mxcsr_mask, image + FXSAVE_MXCSR_MASK, sizeof fpu.format.mxcsr_mask);
    if (fpu.format.mxcsr_mask == 0)
        fpu.format.mxcsr_mask = MXCSR_MASK_OLD;
}

/* ---- Exchange -------------------------------------------------------------------------------- */

static uint64_t read_controls(void)
{
    uint32_t mxcsr;
    uint16_t fcw;

    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(fcw));
    return (uint64_t)fcw << 32 | mxcsr;
}

/* fnclex first: loading a control word reports exceptions that it unmasks. */
static void load_controls(uint64_t controls)
{
    uint32_t mxcsr = (uint32_t)controls;
    uint16_t fcw = (uint16_t)(controls >> 32);

    __asm__ volatile("fnclex\n\tfldcw %1\n\tldmxcsr %0" : : "m"(mxcsr), "m"(fcw));
}

/* User code may load any selector that Linux offers; the next context starts with none. */
static void clear_selectors(void)
{
    uint32_t all, one;

    __asm__ volatile("mov %%ds, %0\n\tmov %%es, %1\n\tor %1, %0\n\t"
                     "mov %%fs, %1\n\tor %1, %0\n\tmov %%gs, %1\n\tor %1, %0"
                     : "=&r"(all), "=&r"(one));
    if (!(all & 0xffff))
        return;
    __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%gs\n\tmov %0, %%fs"
                     :
                     : "r"(0)
                     : "memory");
    context_set_fs_base(cpu.host_fs);
}

static void switch_to(struct hal_context *context)
{
    struct hal_context *old = cpu.current;

    if (old) {
        if (!LIVE(old))
            CONTROLS(old) = read_controls();
        if (old->regs.gs_base == cpu.gs_loaded)
            old->regs.gs_base = context_gs_base();
    }
    cpu.current = context;
    clear_selectors();
    set_gs_base(context->regs.gs_base);
    if (!LIVE(context))
        load_controls(CONTROLS(context));
}

/* ---- Running --------------------------------------------------------------------------------- */

void context_expect_page(struct hal_context *context, uint64_t address, uint32_t access)
{
    EXPECTED(context) = (address & ~HAL_PAGE_MASK) | (uint64_t)access << 1 | 1;
}

static void put_expected_page(struct hal_context *context)
{
    uint64_t expected = EXPECTED(context);

    EXPECTED(context) = 0;
    mirror_fault(cpu.table, expected & ~HAL_PAGE_MASK, (uint32_t)(expected & HAL_PAGE_MASK) >> 1);
}

/* The instruction that leaves the kernel would fault: say so in the thread's name. */
static bool refuse(const struct hal_regs *regs, struct hal_trap *trap)
{
    if (x86_canonical(regs->rip) && x86_canonical(regs->fs_base) && x86_canonical(regs->gs_base))
        return false;
    *trap = (struct hal_trap){.kind = HAL_TRAP_EXCEPTION, .vector = VECTOR_GP};
    return true;
}

static void step_deferred(struct hal_regs *regs)
{
    if (!(cpu.work & WORK_STEP))
        return;
    cpu.work &= (uint8_t)~WORK_STEP;
    regs->rflags |= RFLAGS_TF;
}

/* False: the kernel is not needed. */
static bool finish_signal(struct hal_context *context, struct hal_trap *trap)
{
    *trap = cpu.trap;
    if (trap->kind == HAL_TRAP_SYSCALL && cpu.handler) {
        trap->result = cpu.handler(context);
        if (cpu.work & WORK_STOP)
            return true;
        context->regs.rax = (uint64_t)trap->result;
        return false;
    }
    if (trap->kind == HAL_TRAP_PAGE_FAULT)
        context_expect_page(context, trap->address, trap->access);
    if (trap->kind == HAL_TRAP_INTERRUPT)
        timer_interrupt();
    return true;
}

static void prepare(struct hal_context *context)
{
    if (cpu.current != context)
        switch_to(context);
    else if (context->regs.gs_base != cpu.gs_loaded)
        set_gs_base(context->regs.gs_base);
    if (EXPECTED(context))
        put_expected_page(context);
    cpu.work &= (uint8_t)~WORK_STOP;
    if (cpu.work & WORK_TIMER)
        timer_program();
    cpu.trap.kind = HAL_TRAP_INTERRUPT; /* if user mode is not entered at all */
}

/* Leaving by a jump restores what the `syscall` instruction leaves alone. */
static bool is_quick(const struct hal_context *context)
{
    const struct hal_regs *regs = &context->regs;

    return regs->rcx == regs->rip && regs->r11 == regs->rflags &&
           !(regs->rflags & RFLAGS_HARMFUL) && !LIVE(context);
}

void hal_context_run(struct hal_context *context, struct hal_trap *trap)
{
    while (!refuse(&context->regs, trap)) {
        prepare(context);
        switch (switch_enter(context, is_quick(context))) {
        case ENTERED_BY_CALL:
            step_deferred(&context->regs);
            trap->kind = HAL_TRAP_SYSCALL;
            trap->result = cpu.result;
            return;
        case ENTERED_BY_SIGNAL:
            if (finish_signal(context, trap))
                return;
            break;
        default:
            step_deferred(&context->regs);
        }
    }
}

void hal_context_stop(void)
{
    cpu.work |= WORK_STOP;
}

void hal_set_syscall_handler(hal_syscall_handler *handler)
{
    cpu.handler = handler;
}

/* ---- Contract -------------------------------------------------------------------------------- */

static void initial_state(void *area)
{
    uint16_t fcw = FCW_INITIAL;
    uint32_t mxcsr = MXCSR_INITIAL;

    memset(area, 0, fpu.bytes);
    memcpy((char *)area + FXSAVE_FCW, &fcw, sizeof fcw);
    memcpy((char *)area + FXSAVE_MXCSR, &mxcsr, sizeof mxcsr);
}

zx_status_t hal_context_init(struct hal_context *context)
{
    memset(context, 0, sizeof *context);
    context->regs.rflags = RFLAGS_SET;
    context->fpu = aligned_alloc(64, fpu.bytes);
    if (!context->fpu)
        return ZX_ERR_NO_MEMORY;
    initial_state(context->fpu);
    LIVE(context) = 1;
    return ZX_OK;
}

void hal_context_destroy(struct hal_context *context)
{
    if (cpu.current == context)
        cpu.current = NULL;
    free(context->fpu);
    context->fpu = NULL;
}

/* Makes the area hold the context's state, as far as there is one. */
static void settle(struct hal_context *context)
{
    uint64_t controls = cpu.current == context ? read_controls() : CONTROLS(context);
    char *area = context->fpu;

    if (LIVE(context))
        return;
    initial_state(area);
    memcpy(area + FXSAVE_MXCSR, &controls, 4);
    controls >>= 32;
    memcpy(area + FXSAVE_FCW, &controls, 2);
    if (cpu.xsave) {
        controls = COMPONENT_X87 | COMPONENT_SSE;
        memcpy(area + FXSAVE_BYTES, &controls, sizeof controls);
    }
    LIVE(context) = 1;
}

void hal_context_get_fpu(struct hal_context *context, struct hal_fpu_view *out)
{
    settle(context);
    fpu_area_view(context->fpu, &fpu.format, out);
}

void hal_context_set_fpu(struct hal_context *context, const struct hal_fpu_view *in)
{
    settle(context);
    fpu_area_change(context->fpu, &fpu.format, in);
}

/* The host's debug registers belong to its debuggers. */
zx_status_t hal_context_get_debug(struct hal_context *context, struct hal_debug_regs *out)
{
    (void)context;
    (void)out;
    return ZX_ERR_NOT_SUPPORTED;
}

zx_status_t hal_context_set_debug(struct hal_context *context, const struct hal_debug_regs *in)
{
    (void)context;
    (void)in;
    return ZX_ERR_NOT_SUPPORTED;
}
