/* runlog-text.c - events in words. */
#include "runlog.h"

static const char *syscall_name(uint32_t number)
{
    switch (number) {
#define SYSCALL(number, name, ...)                                                                 \
    case number:                                                                                   \
        return #name;
#include <zircon/syscalls.def>
    default:
        return "unknown";
    }
}

static const char *vector_name(uint32_t vector)
{
    static const char *const names[] = {
        [0] = "divide error",
        [1] = "debug",
        [3] = "breakpoint",
        [4] = "overflow",
        [5] = "bound",
        [6] = "invalid opcode",
        [7] = "no FPU",
        [10] = "invalid TSS",
        [11] = "segment not present",
        [12] = "stack fault",
        [13] = "general protection",
        [14] = "page fault",
        [16] = "x87 exception",
        [17] = "alignment check",
        [19] = "SIMD exception",
    };
    return vector < sizeof(names) / sizeof(names[0]) && names[vector] != NULL ? names[vector]
                                                                              : "trap";
}

/* In front of "page fault": the bits of its error code. */
static const char *access_name(uint32_t number)
{
    uint32_t error_code = number >> 8;
    if ((number & 0xff) != 14)
        return "";
    return (error_code & 16) != 0 ? "execute " : (error_code & 2) != 0 ? "write " : "read ";
}

void runlog_text(const struct zv_event *event, char text[RUNLOG_TEXT])
{
    uint32_t number = event->what >> 8 & 0xffff;
    unsigned long long id = event->what >> 24, detail = event->detail;
    int used = snprintf(text, RUNLOG_TEXT, "%16llu  ", (unsigned long long)event->tsc);
    size_t room = RUNLOG_TEXT - (size_t)used;
    text += used;
    switch (event->what & 0xff) {
    case ZV_EVENT_KIND_SYSCALL:
        snprintf(text, room, "thread %llu  zx_%s(%#llx)", id, syscall_name(number), detail);
        return;
    case ZV_EVENT_KIND_TRAP:
        snprintf(text, room, "thread %llu  %s%s at %#llx", id, access_name(number),
                 vector_name(number & 0xff), detail);
        return;
    case ZV_EVENT_KIND_TSC:
        snprintf(text, room, "thread %llu  reads the time stamp counter", id);
        return;
    case ZV_EVENT_KIND_TIMER:
        snprintf(text, room, "thread %llu  timer interrupt", id);
        return;
    case ZV_EVENT_KIND_IDLE:
        snprintf(text, room, "idle until then");
        return;
    case ZV_EVENT_KIND_PREEMPT:
        snprintf(text, room, "thread %llu  preempted after too long without an entry", id);
        return;
    case ZV_EVENT_KIND_INPUT:
        snprintf(text, room,
                 number == 0xffff ? "console input has ended" : "console input, %u bytes", number);
        return;
    case ZV_EVENT_KIND_MARKER:
        snprintf(text, room, "marker %u, value %llu", number, id);
        return;
    case ZV_EVENT_KIND_EXIT:
        snprintf(text, room, "exit, code %lld", (long long)((int64_t)event->what >> 24));
        return;
    default:
        snprintf(text, room, "unknown event %#llx", (unsigned long long)event->what);
    }
}
