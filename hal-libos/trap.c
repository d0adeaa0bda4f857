/*
 * trap.c - signals as the traps of this machine.
 *
 * A handler may interrupt user code, whose FS base is not libc's and which must not make host
 * system calls: on_signal() puts both right before anything else runs, and back if it returns to
 * where the signal came. It runs on a stack of its own, as user code's rsp may be anything.
 *
 * When user mode ends, the handler returns to switch_resume: the host's sigreturn has then brought
 * back the user's FPU state, which is saved there.
 */
#include "trap.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "context.h"
#include "cpu.h"
#include "machine.h"
#include "mirror.h"
#include "panic.h"
#include "terminal.h"
#include "x86.h"

#define SA_RESTORER 0x04000000ul
#define STACK_BYTES (1u << 20) /* reading symbols for a report takes much */

/* What the kernel takes; libc's wrapper has no field for a restorer. */
struct kernel_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

extern const uint8_t switch_begin[], switch_commit[], switch_leave[], switch_resume[],
    switch_end[];
void switch_restorer(void);

static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
static const int asynchronous[] = {KICK_SIGNAL, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t signal_stack[STACK_BYTES] __attribute__((aligned(64)));
static pid_t process, thread;
static volatile sig_atomic_t timer_fired, stop_signal, quit;
static volatile sig_atomic_t handling_fault; /* another one is the handler's own */

/* ---- Leaving user mode ----------------------------------------------------------------------- */

static void store_registers(struct hal_regs *r, const greg_t *g, uint64_t fs_base)
{
    r->rax = (uint64_t)g[REG_RAX], r->rbx = (uint64_t)g[REG_RBX];
    r->rcx = (uint64_t)g[REG_RCX], r->rdx = (uint64_t)g[REG_RDX];
    r->rsi = (uint64_t)g[REG_RSI], r->rdi = (uint64_t)g[REG_RDI];
    r->rbp = (uint64_t)g[REG_RBP], r->rsp = (uint64_t)g[REG_RSP];
    r->r8 = (uint64_t)g[REG_R8], r->r9 = (uint64_t)g[REG_R9];
    r->r10 = (uint64_t)g[REG_R10], r->r11 = (uint64_t)g[REG_R11];
    r->r12 = (uint64_t)g[REG_R12], r->r13 = (uint64_t)g[REG_R13];
    r->r14 = (uint64_t)g[REG_R14], r->r15 = (uint64_t)g[REG_R15];
    r->rip = (uint64_t)g[REG_RIP];
    r->rflags = ((uint64_t)g[REG_EFL] & RFLAGS_USER) | RFLAGS_SET;
    r->fs_base = fs_base;
    r->gs_base = cpu.gs_loaded = context_gs_base();
}

/* The interrupted code goes on in the kernel; `context` NULL: its registers are stored already. */
static void resume_kernel(ucontext_t *uc, struct hal_context *context)
{
    greg_t *g = uc->uc_mcontext.gregs;

    g[REG_RIP] = (greg_t)switch_resume;
    g[REG_RSP] = (greg_t)cpu.kernel_rsp;
    g[REG_RBX] = (greg_t)context;
    g[REG_EFL] = RFLAGS_SET;
    cpu.in_user = 0;
}

/* ---- Faults ---------------------------------------------------------------------------------- */

/* False: the page was only not shown by the host; user code goes on. */
static bool page_fault(const greg_t *g, struct hal_trap *trap)
{
    uint64_t error = (uint64_t)g[REG_ERR], address = (uint64_t)g[REG_CR2];
    uint32_t access =
        (error & 2 ? HAL_FAULT_WRITE : 0) | (error & 16 ? HAL_FAULT_EXECUTE : 0);
    bool present = error & 1;

    if (mirror_fault(cpu.table, address, access))
        return false;
    if (cpu.table && page_table_covers(cpu.table, address))
        present = page_table_entry(cpu.table, address) != 0;
    *trap = (struct hal_trap){
        .kind = HAL_TRAP_PAGE_FAULT,
        .vector = VECTOR_PAGE_FAULT,
        .access = access | (present ? HAL_FAULT_PRESENT : 0),
        .error_code = (error & ~1ull) | present,
        .address = address,
    };
    return true;
}

/* A `syscall` or `int $0x80` that the host did not carry out. */
static void stray_syscall(ucontext_t *uc, const siginfo_t *info, struct hal_trap *trap)
{
    if (info->si_arch == AUDIT_ARCH_X86_64) {
        *trap = (struct hal_trap){.kind = HAL_TRAP_SYSCALL};
        return;
    }
    uc->uc_mcontext.gregs[REG_RIP] -= 2; /* a fault, on a machine without such a gate */
    *trap = (struct hal_trap){
        .kind = HAL_TRAP_EXCEPTION, .vector = VECTOR_GP, .error_code = 0x80 * 8 + 2};
}

static bool user_fault(int number, const siginfo_t *info, ucontext_t *uc, struct hal_trap *trap)
{
    const greg_t *g = uc->uc_mcontext.gregs;

    if (number == SIGSYS) {
        stray_syscall(uc, info, trap);
        return true;
    }
    if (g[REG_TRAPNO] == VECTOR_PAGE_FAULT && number == SIGSEGV)
        return page_fault(g, trap);
    *trap = (struct hal_trap){
        .kind = HAL_TRAP_EXCEPTION,
        .vector = (uint32_t)g[REG_TRAPNO],
        .error_code = (uint64_t)g[REG_ERR],
    };
    /* Behind the end of the memory file: what a machine check is elsewhere. */
    if (trap->vector == VECTOR_PAGE_FAULT)
        *trap = (struct hal_trap){.kind = HAL_TRAP_EXCEPTION, .vector = VECTOR_MACHINE_CHECK};
    return true;
}

/* ---- Interrupts ------------------------------------------------------------------------------ */

static void stop_process(void)
{
    bool raw = terminal_restore();

    kill(process, SIGSTOP);
    if (raw)
        terminal_resume();
}

static void interrupt(int number, const siginfo_t *info)
{
    if (number == SIGTSTP) {
        stop_process();
        return;
    }
    if (number == KICK_SIGNAL) {
        if (info->si_code == SI_TIMER)
            timer_fired = 1;
    } else if (stop_signal) { /* the second one: the kernel does not get around to it */
        terminal_restore();
        _exit(128 + number);
    } else {
        stop_signal = number;
    }
    cpu.pending = 1;
}

/* ---- Handlers -------------------------------------------------------------------------------- */

static bool between(uint64_t at, const uint8_t *start, const uint8_t *end)
{
    return at >= (uint64_t)start && at < (uint64_t)end;
}

/* On the way to or from user mode. */
static bool in_transit(uint64_t rip)
{
    return between(rip, switch_begin, switch_end) || (rip >= STUB_CODE && rip < STUB_END);
}

/* A trap flag that user code had set when it jumped into a stub. */
static bool is_stray_step(int number, const greg_t *g)
{
    return number == SIGTRAP && g[REG_TRAPNO] == VECTOR_DEBUG && in_transit((uint64_t)g[REG_RIP]);
}

/* True: go on in the kernel. */
static bool handle_fault(int number, const siginfo_t *info, ucontext_t *uc, uint64_t fs_base)
{
    greg_t *g = uc->uc_mcontext.gregs;
    struct hal_context *context = cpu.current;
    bool ended;

    if (is_stray_step(number, g)) {
        g[REG_EFL] &= ~(greg_t)RFLAGS_TF;
        cpu.work |= WORK_STEP;
        return false;
    }
    if (handling_fault || !cpu.in_user || in_transit((uint64_t)g[REG_RIP]) || info->si_code <= 0)
        panic_signal(number, info, uc);
    handling_fault = 1;
    ended = user_fault(number, info, uc, &cpu.trap);
    handling_fault = 0;
    if (!ended)
        return false;
    store_registers(&context->regs, g, fs_base);
    resume_kernel(uc, context);
    return true;
}

static bool handle_interrupt(int number, const siginfo_t *info, ucontext_t *uc, uint64_t fs_base)
{
    uint64_t rip = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
    struct hal_context *context = cpu.current;

    interrupt(number, info);
    if (!cpu.in_user || !cpu.pending)
        return false;
    cpu.trap = (struct hal_trap){.kind = HAL_TRAP_INTERRUPT};
    if (between(rip, switch_commit, switch_leave)) {
        resume_kernel(uc, NULL);
        return true;
    }
    if (in_transit(rip))
        return false;
    store_registers(&context->regs, uc->uc_mcontext.gregs, fs_base);
    resume_kernel(uc, context);
    return true;
}

static bool is_fault(int number)
{
    for (size_t i = 0; i < COUNT(faults); i++)
        if (number == faults[i])
            return true;
    return false;
}

/* Alignment checks stay on in a handler if user code has switched them on. */
static inline void allow_unaligned(void)
{
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
                     "pushfq\n\t"
                     "andl %0, (%%rsp)\n\t"
                     "popfq\n\t"
                     "lea 128(%%rsp), %%rsp"
                     :
                     : "i"(~RFLAGS_AC)
                     : "memory", "cc");
}

__attribute__((no_sanitize_address)) static void on_signal(int number, siginfo_t *info, void *uc)
{
    uint8_t selector;
    uint64_t fs_base;
    bool to_kernel;

    allow_unaligned();
    selector = cpu.selector;
    cpu.selector = SELECTOR_ALLOW;
    fs_base = context_fs_base();
    context_set_fs_base(cpu.host_fs);

    int saved_errno = errno;
    to_kernel = is_fault(number) ? handle_fault(number, info, uc, fs_base)
                                 : handle_interrupt(number, info, uc, fs_base);
    errno = saved_errno;
    if (to_kernel)
        return;
    context_set_fs_base(fs_base);
    cpu.selector = selector;
}

/* Ends like the signal's default, with the terminal as it was. */
static void on_abort(int number)
{
    terminal_restore();
    signal(number, SIG_DFL);
    raise(number);
}

static uint64_t mask_of(const int *signals, size_t count)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < count; i++)
        mask |= 1ull << (signals[i] - 1);
    return mask;
}

static void take(const int *signals, size_t count, uint64_t mask, unsigned long flags)
{
    struct kernel_sigaction action = {
        .handler = on_signal,
        .flags = SA_SIGINFO | SA_ONSTACK | SA_RESTORER | flags,
        .restorer = switch_restorer,
        .mask = mask,
    };

    for (size_t i = 0; i < count; i++)
        if (syscall(SYS_rt_sigaction, signals[i], &action, NULL, sizeof action.mask) != 0)
            machine_fail("cannot handle signal %d: %s", signals[i], strerror(errno));
}

void trap_init(void)
{
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
    uint64_t interrupts = mask_of(asynchronous, COUNT(asynchronous));
    sigset_t mask;

    process = getpid();
    thread = (pid_t)syscall(SYS_gettid);
    if (sigaltstack(&stack, NULL) != 0)
        machine_fail("no stack for signals: %s", strerror(errno));
    /* A fault of a handler shall not find its own signal blocked: it would end the process without
     * a report. */
    take(faults, COUNT(faults), interrupts, SA_NODEFER);
    take(asynchronous, COUNT(asynchronous), interrupts, 0);
    signal(SIGABRT, on_abort);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

void trap_kick(void)
{
    syscall(SYS_tgkill, process, thread, KICK_SIGNAL);
}

void trap_quit(void)
{
    quit = 1;
    trap_kick();
}

void trap_async_signals(sigset_t *out)
{
    sigemptyset(out);
    for (size_t i = 0; i < COUNT(asynchronous); i++)
        sigaddset(out, asynchronous[i]);
}

bool trap_take_pending(void)
{
    bool timer;

    cpu.pending = 0; /* before the reasons are looked at: a new one sets it again */
    if (stop_signal) {
        hal_console_flush();
        terminal_restore();
        dprintf(STDERR_FILENO, "zlibos: ended by signal %d (%s)\n", stop_signal,
                strsignal(stop_signal));
        machine_end(128 + stop_signal);
    }
    if (quit) {
        hal_console_flush();
        terminal_restore();
        dprintf(STDERR_FILENO, "zlibos: ended by Ctrl-A x\n");
        machine_end(EXIT_QUIT);
    }
    timer = timer_fired;
    timer_fired = 0;
    return timer;
}
