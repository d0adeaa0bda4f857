/*
 * context.c - the part of a user thread's state that stays in the processor while the kernel runs:
 * FPU and vector registers, segment bases, data selectors.
 *
 * The kernel uses none of them, so they are exchanged only when another context is about to run
 * (cpu.current), not at each trap. They are exchanged whole and at once, never on first use: no
 * instruction of one thread can run on another's registers.
 *
 * A context that has not been saved yet has no FPU state in memory; it starts from
 * `initial`, so that creating a thread writes no FPU area.
 */
#include "context.h"

#include "cpu.h"
#include "fpu_area.h"
#include "machine.h"
#include "string.h"
#include "timer.h"
#include "virtual.h"
#include "x86.h"

enum save_kind { SAVE_FXSAVE, SAVE_XSAVE, SAVE_XSAVEOPT };

static struct {
    enum save_kind kind;
    uint32_t bytes;           /* of an area, rounded up to 64 */
    uint64_t xcr0;            /* components in it; 0 with fxsave */
    struct fpu_format format; /* zero until asked for */
    struct fpu_page *partial; /* pages with a free area */
} fpu = {.bytes = FXSAVE_BYTES};

/* The state after fninit with all vector registers zero. The header says "all initial". */
static const struct {
    uint8_t legacy[FXSAVE_BYTES];
    uint8_t header[XSAVE_HEADER];
} __attribute__((aligned(64))) initial = {
    .legacy = {[FXSAVE_FCW] = FCW_INITIAL & 0xff,
               [FXSAVE_FCW + 1] = FCW_INITIAL >> 8,
               [FXSAVE_MXCSR] = MXCSR_INITIAL & 0xff,
               [FXSAVE_MXCSR + 1] = MXCSR_INITIAL >> 8},
};

/* hal_private[0]: 1 once the area holds a state. */
#define SAVED(context) ((context)->hal_private[0])
/* hal_private[1]: the enabled breakpoints of debug.dr7, beside what a switch looks at anyway. */
#define BREAKPOINTS(context) ((context)->hal_private[1])

void context_init(void)
{
    if (!(machine.features & ZV_FEATURE_XSAVE) || machine.quirks & ZV_QUIRK_NO_XSAVE)
        return;
    fpu.kind = x86_cpuid(0xd, 1).eax & 1 ? SAVE_XSAVEOPT : SAVE_XSAVE;
    fpu.bytes = (machine.info->xsave_bytes + 63) & ~63u;
    fpu.xcr0 = machine.info->xcr0;
}

/* ---- Areas --------------------------------------------------------------------------------- */

/* A page of areas: this header takes the place of the first ones. */
struct fpu_page {
    struct fpu_page *next, **link; /* in fpu.partial while `free` or fresh areas are left */
    void *free;                    /* freed areas, linked through their first word */
    uint32_t live;
    uint32_t bump; /* offset of the first area never handed out */
};
#define FPU_PAGE_HEADER 64
_Static_assert(sizeof(struct fpu_page) <= FPU_PAGE_HEADER, "fpu_page");

static bool page_full(const struct fpu_page *page)
{
    return !page->free && page->bump + fpu.bytes > HAL_PAGE_SIZE;
}

static void page_list(struct fpu_page *page)
{
    page->next = fpu.partial;
    page->link = &fpu.partial;
    if (page->next)
        page->next->link = &page->next;
    fpu.partial = page;
}

static void page_unlist(struct fpu_page *page)
{
    *page->link = page->next;
    if (page->next)
        page->next->link = page->link;
}

/* An area larger than a page's room (vector extensions yet unknown) gets pages of its own. */
static size_t own_pages(void)
{
    if (fpu.bytes <= HAL_PAGE_SIZE - FPU_PAGE_HEADER)
        return 0;
    return (fpu.bytes + HAL_PAGE_MASK) / HAL_PAGE_SIZE;
}

static void *area_alloc(void)
{
    struct fpu_page *page = fpu.partial;
    void *area;

    if (own_pages())
        return hal_kernel_alloc(own_pages());
    if (!page) {
        page = hal_kernel_alloc(1);
        if (!page)
            return NULL;
        page->free = NULL;
        page->live = 0;
        page->bump = FPU_PAGE_HEADER;
        page_list(page);
    }
    area = page->free;
    if (area) {
        page->free = *(void **)area;
    } else {
        area = (char *)page + page->bump;
        page->bump += fpu.bytes;
    }
    page->live++;
    if (page_full(page))
        page_unlist(page);
    return area;
}

static void area_free(void *area)
{
    struct fpu_page *page = (void *)((uint64_t)area & ~HAL_PAGE_MASK);

    if (own_pages()) {
        hal_kernel_free(area, own_pages());
        return;
    }
    if (page_full(page))
        page_list(page);
    *(void **)area = page->free;
    page->free = area;
    if (--page->live > 0)
        return;
    page_unlist(page);
    hal_kernel_free(page, 1);
}

/* ---- Exchange ------------------------------------------------------------------------------ */

static void save(struct hal_context *context)
{
    uint32_t low = (uint32_t)fpu.xcr0, high = (uint32_t)(fpu.xcr0 >> 32);
    uint64_t *header = (uint64_t *)((char *)context->fpu + FXSAVE_BYTES);

    if (fpu.kind == SAVE_FXSAVE) {
        __asm__ volatile("fxsave64 (%0)" : : "r"(context->fpu) : "memory");
        if (machine.deterministic)
            virtual_normalise_fpu(context->fpu);
    } else {
        if (!SAVED(context)) {
            /* xsave leaves the rest of the header as it is, and xrstor wants it to be zero. */
            for (unsigned i = 0; i < XSAVE_HEADER / 8; i++)
                header[i] = 0;
        }
        if (fpu.kind == SAVE_XSAVEOPT)
            __asm__ volatile("xsaveopt64 (%0)"
                             :
                             : "r"(context->fpu), "a"(low), "d"(high)
                             : "memory");
        else
            __asm__ volatile("xsave64 (%0)" : : "r"(context->fpu), "a"(low), "d"(high) : "memory");
    }
    SAVED(context) = 1;
}

static void restore(const struct hal_context *context)
{
    const void *area = SAVED(context) ? context->fpu : &initial;
    uint32_t low = (uint32_t)fpu.xcr0, high = (uint32_t)(fpu.xcr0 >> 32);

    if (fpu.kind == SAVE_FXSAVE)
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
    else
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
}

/*
 * User code can load any of the four data selectors that the GDT offers it, and by that even zero
 * a base. They are not part of a context: the next one starts with null selectors and its own
 * bases.
 */
static void clear_selectors(void)
{
    uint32_t selectors, other;

    __asm__ volatile("mov %%ds, %0\n\tmov %%es, %1\n\tor %1, %0\n\t"
                     "mov %%fs, %1\n\tor %1, %0\n\tmov %%gs, %1\n\tor %1, %0"
                     : "=&r"(selectors), "=&r"(other));
    if (!selectors)
        return;
    /* Loading gs may clear the active base, so it is done while user's is the active one. */
    __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%fs\n\t"
                     "swapgs\n\tmov %0, %%gs\n\tswapgs"
                     :
                     : "r"(0)
                     : "memory");
}

static void load_bases(struct cpu *cpu, const struct hal_regs *regs)
{
    x86_wrmsr(MSR_FS_BASE, regs->fs_base);
    x86_wrmsr(MSR_KERNEL_GS_BASE, regs->gs_base); /* active after swapgs */
    cpu->fs_base = regs->fs_base;
    cpu->gs_base = regs->gs_base;
}

/* Almost no context has breakpoints: then nothing is loaded, and only DR7 if the last one had. */
static void load_debug(struct cpu *cpu, const struct hal_context *context)
{
    const struct hal_debug_regs *debug = &context->debug;
    bool wanted = BREAKPOINTS(context) != 0;

    if (wanted) {
        x86_write_dr(0, debug->dr[0]);
        x86_write_dr(1, debug->dr[1]);
        x86_write_dr(2, debug->dr[2]);
        x86_write_dr(3, debug->dr[3]);
    }
    if (wanted || cpu->breakpoints)
        x86_write_dr(7, debug->dr7);
    cpu->breakpoints = wanted;
}

int context_prepare(struct hal_context *context)
{
    struct cpu *cpu = cpu_this();
    const struct hal_regs *regs = &context->regs;

    if (!x86_canonical(regs->fs_base) || !x86_canonical(regs->gs_base))
        return VECTOR_GENERAL_PROTECTION;
    if (cpu->current != context) {
        if (cpu->current)
            save(cpu->current);
        restore(context);
        cpu->current = context;
        clear_selectors();
        load_bases(cpu, regs);
        load_debug(cpu, context);
    } else if (cpu->fs_base != regs->fs_base || cpu->gs_base != regs->gs_base) {
        load_bases(cpu, regs);
    }
    cpu->work &= ~WORK_STOP; /* hal_context_run has returned and been called again */
    if (cpu->work & WORK_TIMER && timer_program())
        return ZV_VECTOR_TIMER;
    return 0;
}

/* ---- Contract ------------------------------------------------------------------------------ */

zx_status_t hal_context_init(struct hal_context *context)
{
    memset(context, 0, sizeof *context);
    context->regs.rflags = USER_RFLAGS_SET;
    context->debug.dr6 = DR6_INITIAL;
    context->debug.dr7 = DR7_INITIAL;
    context->fpu = area_alloc();
    return context->fpu ? ZX_OK : ZX_ERR_NO_MEMORY;
}

void hal_context_destroy(struct hal_context *context)
{
    struct cpu *cpu = cpu_this();

    if (cpu->current == context)
        cpu->current = NULL;
    if (context->fpu)
        area_free(context->fpu);
    context->fpu = NULL;
}

/* The bits of MXCSR that this processor has. */
static uint32_t mxcsr_mask(void)
{
    static uint8_t image[FXSAVE_BYTES] __attribute__((aligned(16)));
    uint32_t mask;

    if (machine.deterministic)
        return VIRTUAL_MXCSR_MASK;
    __asm__ volatile("fxsave64 %0" : "=m"(image));
    memcpy(&mask, image + FXSAVE_MXCSR_MASK, sizeof mask);
    return mask ? mask : MXCSR_MASK_OLD;
}

static const struct fpu_format *format(void)
{
    if (!fpu.format.mxcsr_mask)
        fpu.format = (struct fpu_format){
            .xsave = fpu.kind != SAVE_FXSAVE,
            .avx_offset = fpu.xcr0 & COMPONENT_AVX ? x86_cpuid(0xd, 2).ebx : 0,
            .mxcsr_mask = mxcsr_mask(),
        };
    return &fpu.format;
}

void hal_context_get_fpu(struct hal_context *context, struct hal_fpu_view *out)
{
    if (cpu_this()->current == context)
        save(context);
    if (SAVED(context)) {
        fpu_area_view(context->fpu, format(), out);
        return;
    }
    memset(out, 0, sizeof *out);
    memcpy(out->fxsave, &initial, sizeof out->fxsave);
}

void hal_context_set_fpu(struct hal_context *context, const struct hal_fpu_view *in)
{
    struct cpu *cpu = cpu_this();

    /* Components that the view does not show keep their state, so there has to be one. */
    if (cpu->current == context) {
        save(context);
        cpu->current = NULL;
    } else if (!SAVED(context)) {
        memset(context->fpu, 0, fpu.bytes);
        SAVED(context) = 1;
    }
    fpu_area_change(context->fpu, format(), in);
}

/*
 * Whether the debug registers do what they say; a KVM that emulates ring 0 only stores them. Tried in
 * ring 0, once, when somebody asks; gate.S drops the exception.
 */
static bool breakpoints_work(void)
{
    static enum { UNKNOWN, YES, NO } answer;
    static volatile uint64_t watched;

    if (machine.deterministic)
        return false; /* not every KVM has them */
    if (answer == UNKNOWN) {
        x86_write_dr(0, (uint64_t)&watched);
        x86_write_dr(7, DR7_WATCH_WRITES);
        watched = 1;
        answer = x86_read_dr(6) & 1 ? YES : NO;
        x86_write_dr(6, DR6_INITIAL);
        x86_write_dr(7, DR7_INITIAL);
    }
    return answer == YES;
}

zx_status_t hal_context_get_debug(struct hal_context *context, struct hal_debug_regs *out)
{
    if (!breakpoints_work())
        return ZX_ERR_NOT_SUPPORTED;
    *out = context->debug;
    return ZX_OK;
}

zx_status_t hal_context_set_debug(struct hal_context *context, const struct hal_debug_regs *in)
{
    struct cpu *cpu = cpu_this();

    if (!breakpoints_work())
        return ZX_ERR_NOT_SUPPORTED;
    context->debug = *in;
    BREAKPOINTS(context) = in->dr7 & DR7_ENABLED;
    if (cpu->current == context)
        load_debug(cpu, context);
    return ZX_OK;
}
