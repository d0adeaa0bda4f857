/* virtual.c - deterministic mode: the clock, the events, and what processors do differently. */
#include "virtual.h"

#include "cpu.h"
#include "hostcall.h"
#include "machine.h"
#include "modify.h"
#include "string.h"
#include "timer.h"
#include "x86.h"

/* CF PF AF ZF SF OF: after some instructions undefined, and no caller of a function keeps them. */
#define ARITHMETIC_FLAGS 0x8d5ull

/* Set in the frame of a fault by most processors, for the sake of breakpoints, which we have none
 * of. */
#define RESUME_FLAG 0x10000ull

#define TRAP_FLAG 0x100ull

#define NUMBER_MAX  0xffffu
#define NUMBER_AT   8
#define THREAD_AT   24
#define THREAD_MASK ((1ull << 40) - 1)

static struct {
    hal_syscall_handler *handler; /* the kernel's */
    uint64_t total, flushed;      /* events so far, and those that zvmm has */
} state;

static struct zv_event ring[ZV_EVENTS_MAX];

/* ---- Events -------------------------------------------------------------------------------- */

/*
 * Some KVMs enter by SYSCALL and some by an exception: what that leaves in scratch memory means
 * nothing any more and must not show in a digest.
 */
static void scrub(struct cpu *cpu)
{
    cpu->user_rsp = 0;
    memset(cpu->trap_stack, 0, sizeof cpu->trap_stack);
}

static void flush(struct cpu *cpu)
{
    scrub(cpu);
    cpu->call.u.events.paddr = machine_paddr(ring);
    cpu->call.u.events.count = state.total - state.flushed;
    cpu->call.u.events.total = state.total;
    hostcall(ZV_CALL_EVENTS);
    state.flushed = state.total;
}

/*
 * zvmm may have asked to stop here. Only registers change, which any call may change: the machine
 * goes on from here, or from a snapshot taken here, as if it had not stopped.
 */
static inline void stop_if_asked(void)
{
    if (state.total == machine.shared->stop_event)
        __asm__ volatile("outl %0, %w1" : : "a"(ZV_STOP_EVENT), "d"(ZV_STOP_PORT) : "memory");
    if (machine.shared->stepping)
        __asm__ volatile("outl %0, %w1" : : "a"(ZV_STOP_STEP), "d"(ZV_STOP_PORT) : "memory");
}

static void add_event(enum zv_event_kind kind, uint32_t number, uint64_t id, uint64_t detail)
{
    struct zv_event *event = &ring[state.total - state.flushed];

    event->tsc = machine.shared->virtual_tsc;
    event->what =
        kind | (uint64_t)(number & NUMBER_MAX) << NUMBER_AT | (id & THREAD_MASK) << THREAD_AT;
    event->detail = detail;
    state.total++;
    stop_if_asked();
    if (state.total - state.flushed == ZV_EVENTS_MAX || kind >= ZV_EVENT_KIND_MARKER)
        flush(cpu_this());
}

void virtual_event(enum zv_event_kind kind, uint32_t number, uint64_t id)
{
    add_event(kind, number, id, 0);
}

/* ---- Time ---------------------------------------------------------------------------------- */

static void set_clock(uint64_t tsc)
{
    machine.shared->virtual_tsc = tsc;
    timer_clock_moved();
}

static void enter(enum zv_event_kind kind, uint32_t number, const struct hal_context *context,
                  uint64_t detail)
{
    set_clock(machine.shared->virtual_tsc + ZV_QUANTUM);
    add_event(kind, number, context->id, detail);
}

void virtual_idle(uint64_t deadline)
{
    if (deadline == TIMER_NEVER)
        hostcall(ZV_CALL_STUCK);
    if (deadline > machine.shared->virtual_tsc)
        set_clock(deadline);
    virtual_event(ZV_EVENT_KIND_IDLE, 0, 0);
}

void virtual_input(int64_t result)
{
    if (result != 0)
        virtual_event(ZV_EVENT_KIND_INPUT,
                      result > 0 && result < NUMBER_MAX ? (uint32_t)result : NUMBER_MAX, 0);
}

/* ---- Entries ------------------------------------------------------------------------------- */

static int64_t system_call(struct hal_context *context)
{
    struct hal_regs *regs = &context->regs;

    regs->r11 &= ~ARITHMETIC_FLAGS;
    regs->rflags &= ~ARITHMETIC_FLAGS;
    if (machine.shared->stepping) {
        regs->r11 &= ~TRAP_FLAG;
        regs->rflags &= ~TRAP_FLAG;
    }
    enter(ZV_EVENT_KIND_SYSCALL, (uint32_t)regs->rax, context, regs->rdi);
    return state.handler(context);
}

hal_syscall_handler *virtual_handler(hal_syscall_handler *handler)
{
    state.handler = handler;
    machine.shared->events_paddr = machine_paddr(ring);
    return handler ? system_call : NULL;
}

/* Whether `count` bytes of code at rip are `bytes`. */
static bool is_at(const struct hal_regs *regs, const uint8_t *bytes, size_t count)
{
    uint8_t code[3];
    size_t done;

    return hal_user_read(cpu_this()->table, regs->rip, code, count, &done) == ZX_OK &&
           memcmp(code, bytes, count) == 0;
}

/* CR4.TSD makes them fault in user mode. */
static bool emulate_tsc(struct hal_context *context)
{
    static const uint8_t rdtsc[] = {0x0f, 0x31}, rdtscp[] = {0x0f, 0x01, 0xf9};
    struct hal_regs *regs = &context->regs;

    if (is_at(regs, rdtsc, sizeof rdtsc)) {
        regs->rip += sizeof rdtsc;
    } else if (is_at(regs, rdtscp, sizeof rdtscp)) {
        regs->rip += sizeof rdtscp;
        regs->rcx = 0; /* the processor's number */
    } else {
        return false;
    }
    enter(ZV_EVENT_KIND_TSC, 0, context, 0);
    regs->rax = (uint32_t)machine.shared->virtual_tsc;
    regs->rdx = machine.shared->virtual_tsc >> 32;
    return true;
}

#define ERROR_WRITE 2u
#define ERROR_FETCH 16u

/*
 * The error code of a page fault as most processors give it. A write is looked at, too: reading the
 * instruction leaves its page in user.c's memory.
 */
static uint64_t page_fault_error(const struct hal_regs *regs, uint64_t error_code)
{
    uint8_t code[MODIFY_BYTES] = {0};
    size_t done;

    if (error_code & ERROR_FETCH)
        return error_code;
    hal_user_read(cpu_this()->table, regs->rip, code, sizeof code, &done);
    return modifies_memory(code) ? error_code | ERROR_WRITE : error_code;
}

uint64_t virtual_trap(uint64_t vector, uint64_t *error_code)
{
    struct hal_context *context = cpu_this()->current;
    uint64_t deadline = timer_deadline();

    context->regs.rflags &= ~RESUME_FLAG;
    if (machine.shared->stepping)
        context->regs.rflags &= ~TRAP_FLAG;
    switch (vector) {
    case ZV_VECTOR_TIMER: /* from timer_program(): not an entry */
        virtual_event(ZV_EVENT_KIND_TIMER, 0, context->id);
        return vector;
    case ZV_VECTOR_EVENT:
        if (deadline != TIMER_NEVER && deadline > machine.shared->virtual_tsc)
            set_clock(deadline);
        enter(ZV_EVENT_KIND_PREEMPT, 0, context, 0);
        return vector;
    case VECTOR_PAGE_FAULT:
        *error_code = page_fault_error(&context->regs, *error_code);
        break;
    case VECTOR_GENERAL_PROTECTION:
        if (emulate_tsc(context))
            return TRAP_VECTOR_SPURIOUS; /* nothing is left to be done for it */
        break;
    }
    enter(ZV_EVENT_KIND_TRAP, (uint32_t)(vector | *error_code << 8), context,
          vector == VECTOR_PAGE_FAULT ? x86_read_cr2() : context->regs.rip);
    return vector;
}

/* ---- What processors do differently -------------------------------------------------------- */

#define FXSAVE_TAG_END  5  /* reserved */
#define FXSAVE_FOP      6  /* last x87 instruction and operand: some processors store them ... */
#define FXSAVE_MXCSR    24 /* ... up to here, some only after an exception */
#define FXSAVE_MASK     28
#define FXSAVE_ST       32 /* 8 registers of 10 bytes in 16: not all processors write the rest */
#define FXSAVE_RESERVED 416

/* Out of line: inlined, it costs every switch of threads five saved registers. */
__attribute__((cold, noinline)) void virtual_normalise_fpu(void *area)
{
    uint8_t *at = area;
    uint32_t mask = VIRTUAL_MXCSR_MASK;

    at[FXSAVE_TAG_END] = 0;
    memset(at + FXSAVE_FOP, 0, FXSAVE_MXCSR - FXSAVE_FOP);
    memcpy(at + FXSAVE_MASK, &mask, sizeof mask);
    for (unsigned i = 0; i < 8; i++)
        memset(at + FXSAVE_ST + 16 * i + 10, 0, 6);
    memset(at + FXSAVE_RESERVED, 0, 512 - FXSAVE_RESERVED);
}
