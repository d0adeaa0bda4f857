/* panic.c - the end of the kernel: message, registers, backtrace, exit status EXIT_KERNEL. */
#include "panic.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <hal.h>

#include "machine.h"
#include "symbolize.h"
#include "terminal.h"

#define FRAMES 32

/* A second failure while the first is being reported ends the process at once. */
static void begin(void)
{
    static volatile sig_atomic_t begun;

    if (begun) {
        terminal_restore();
        _exit(EXIT_KERNEL);
    }
    begun = 1;
    hal_console_flush();
    terminal_restore();
}

/* Reads memory that may not be there. */
static bool peek(uint64_t address, void *to, size_t length)
{
    struct iovec local = {to, length}, remote = {(void *)address, length};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)length;
}

static void print_frame(struct symbolizer *symbols, unsigned number, uint64_t address,
                        uint64_t lookup)
{
    char text[256];

    symbolize(symbols, lookup, text, sizeof text);
    fprintf(stderr, "  #%-2u %016llx%s\n", number, (unsigned long long)address, text);
}

/* Follows saved frame pointers, upwards only, so that a broken chain ends. */
static void print_backtrace(uint64_t rip, uint64_t frame)
{
    struct symbolizer *symbols = symbolize_open("/proc/self/exe");
    uint64_t link[2];

    print_frame(symbols, 0, rip, rip);
    for (unsigned i = 1; i < FRAMES && frame % 8 == 0 && peek(frame, link, sizeof link); i++) {
        if (link[1] == 0)
            break;
        /* A return address may be the next line's, or even the next function's. */
        print_frame(symbols, i, link[1], link[1] - 1);
        if (link[0] <= frame)
            break;
        frame = link[0];
    }
    symbolize_close(symbols);
}

_Noreturn void hal_panic(const char *message)
{
    const uint64_t *frame = __builtin_frame_address(0);

    begin();
    fprintf(stderr, "zlibos: kernel panic: %s\n", message);
    print_backtrace((uint64_t)__builtin_return_address(0), frame[0]);
    machine_end(EXIT_KERNEL);
}

static void print_registers(const greg_t *g)
{
    static const struct {
        const char *name;
        int index;
    } list[] = {
        {"rax", REG_RAX}, {"rbx", REG_RBX}, {"rcx", REG_RCX}, {"rdx", REG_RDX}, {"rsi", REG_RSI},
        {"rdi", REG_RDI}, {"rbp", REG_RBP}, {"rsp", REG_RSP}, {"r8 ", REG_R8},  {"r9 ", REG_R9},
        {"r10", REG_R10}, {"r11", REG_R11}, {"r12", REG_R12}, {"r13", REG_R13}, {"r14", REG_R14},
        {"r15", REG_R15}, {"rip", REG_RIP}, {"rfl", REG_EFL}, {"cr2", REG_CR2}, {"err", REG_ERR},
    };

    for (unsigned i = 0; i < sizeof list / sizeof list[0]; i++)
        fprintf(stderr, "%s%s %016llx%s", i % 4 == 0 ? "  " : " ", list[i].name,
                (unsigned long long)g[list[i].index], i % 4 == 3 ? "\n" : "");
}

_Noreturn void panic_signal(int number, const siginfo_t *info, const ucontext_t *uc)
{
    const greg_t *g = uc->uc_mcontext.gregs;

    begin();
    fprintf(stderr, "zlibos: kernel failed: %s", strsignal(number));
    if (info->si_code <= 0)
        fprintf(stderr, " sent by process %d", (int)info->si_pid);
    else if (number == SIGSEGV || number == SIGBUS)
        fprintf(stderr, ", %s %#llx", g[REG_ERR] & 2 ? "write to" : "read of",
                (unsigned long long)(uintptr_t)info->si_addr);
    fprintf(stderr, " at rip %#llx\n", (unsigned long long)g[REG_RIP]);
    print_registers(g);
    print_backtrace((uint64_t)g[REG_RIP], (uint64_t)g[REG_RBP]);
    machine_end(EXIT_KERNEL);
}
