/*
 * panic.c - the machine's two ends. Nothing here uses GS or the heap: a panic works from any state
 * that still has a stack.
 */
#include <hal.h>

#include "cpu.h"
#include "hostcall.h"
#include "machine.h"
#include "string.h"
#include "virtual.h"
#include "x86.h"

/* Where the kernel was, as gate.S saved it below the processor's frame. */
struct fatal_frame {
    uint64_t regs[18]; /* rax rbx rcx rdx rsi rdi rbp rsp r8..r15 rip rflags */
    uint64_t vector, error_code, rip, cs, rflags, rsp, ss;
};
#define REG_RBP    6
#define REG_RSP    7
#define REG_RIP    16
#define REG_RFLAGS 17

void trap_fatal(struct fatal_frame *frame);

/* Should the host return from a call that does not return. */
static _Noreturn void halt(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

static _Noreturn void report(const char *message, size_t length, uint64_t rip, uint64_t rsp,
                             uint64_t rbp, const uint64_t *regs)
{
    struct zv_call *call = &cpu_boot.call;

    x86_wrmsr(MSR_GS_BASE, (uint64_t)&cpu_boot);
    call->u.panic.message_paddr = machine_paddr(message);
    call->u.panic.message_length = length;
    call->u.panic.rip = rip;
    call->u.panic.rsp = rsp;
    call->u.panic.rbp = rbp;
    call->u.panic.cr2 = x86_read_cr2();
    call->u.panic.regs_paddr = regs ? machine_paddr(regs) : 0;
    hostcall(ZV_CALL_PANIC);
    halt();
}

void hal_panic(const char *message)
{
    uint64_t *frame = __builtin_frame_address(0);

    report(message, strlen(message), (uint64_t)__builtin_return_address(0), (uint64_t)(frame + 2),
           frame[0], NULL);
}

static const char *const vector_names[] = {
    "divide error",
    "debug exception",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "device not available",
    "double fault (kernel stack overflow?)",
    "coprocessor overrun",
    "invalid TSS",
    "segment not present",
    "stack fault",
    "general protection fault",
    "page fault",
    "exception 15",
    "x87 error",
    "alignment check",
    "machine check",
    "SIMD error",
    "virtualisation exception",
    "control protection",
};
#define VECTOR_NAMES (sizeof vector_names / sizeof vector_names[0])

static struct {
    char text[160];
    size_t length;
} message;

static void add(const char *text)
{
    while (*text && message.length < sizeof message.text)
        message.text[message.length++] = *text++;
}

static void add_hex(uint64_t value)
{
    char digits[19] = "0x";
    int at = 2;

    for (int shift = 60; shift >= 0; shift -= 4)
        if (at > 2 || value >> shift || shift == 0)
            digits[at++] = "0123456789abcdef"[value >> shift & 15];
    digits[at] = '\0';
    add(digits);
}

static void describe(const struct fatal_frame *frame)
{
    add(frame->cs & 3 ? "in user mode: " : "kernel: ");
    add(frame->vector < VECTOR_NAMES ? vector_names[frame->vector] : "unknown exception");
    if (frame->vector == VECTOR_PAGE_FAULT) {
        add(frame->error_code & 16  ? ", execution of "
            : frame->error_code & 2 ? ", write to "
                                    : ", read of ");
        add_hex(x86_read_cr2());
        add(frame->error_code & 1 ? " (not permitted)" : " (not mapped)");
    } else {
        add(", error code ");
        add_hex(frame->error_code);
    }
    add(" at rip ");
    add_hex(frame->rip);
}

void trap_fatal(struct fatal_frame *frame)
{
    frame->regs[REG_RSP] = frame->rsp;
    frame->regs[REG_RIP] = frame->rip;
    frame->regs[REG_RFLAGS] = frame->rflags;
    describe(frame);
    report(message.text, message.length, frame->rip, frame->rsp, frame->regs[REG_RBP], frame->regs);
}

void hal_exit(int64_t code)
{
    if (machine.deterministic)
        virtual_event(ZV_EVENT_KIND_EXIT, 0, (uint64_t)code);
    cpu_boot.call.u.exit.code = code;
    for (;;) /* it returns only in a machine restored from a snapshot of its end */
        hostcall(ZV_CALL_EXIT);
}

void hal_marker(uint32_t id, uint64_t value, const char *name)
{
    struct zv_call *call = &cpu_this()->call;
    uint32_t length = 0;

    if (machine.deterministic)
        virtual_event(ZV_EVENT_KIND_MARKER, id, value);
    call->u.marker.id = id;
    call->u.marker.value = value;
    for (; name && name[length] && length < ZV_MARKER_NAME_MAX; length++)
        call->u.marker.name[length] = name[length];
    call->u.marker.name_length = length;
    hostcall(ZV_CALL_MARKER);
}
