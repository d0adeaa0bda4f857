/* panic.c - the report on stderr when the guest kernel has failed. */
#include "panic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "longmode.h"
#include "symbolize.h"
#include "terminal.h"
#include "vm.h"

enum {
    CODE_BYTES = 16,
    FRAMES = 32,
    MESSAGE_MAX = 1024,
    REPORTED_REGS = 18, /* of zv_call.u.panic.regs_paddr */
};

/* What a report is about. `regs` are in the order of struct kvm_regs. */
struct scene {
    struct zvmm *vm;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
};

/* The host address of a guest-virtual one by the guest's own page tables, or NULL. At least
 * `length` bytes of the same page are there. */
static const uint8_t *guest_virtual(const struct scene *scene, uint64_t address, uint64_t length)
{
    const struct memory *memory = &scene->vm->memory;
    uint64_t table = scene->sregs.cr3 & PTE_ADDRESS;
    if ((uint64_t)((int64_t)(address << 16) >> 16) != address)
        return NULL;
    for (unsigned shift = 39;; shift -= 9) {
        const uint64_t *entries = memory_at(memory, gpa(table), PAGE_BYTES);
        if (entries == NULL)
            return NULL;
        uint64_t entry = ((const volatile uint64_t *)entries)[(address >> shift) & 511];
        if ((entry & PTE_PRESENT) == 0)
            return NULL;
        bool leaf = shift == 12 || (shift <= 30 && (entry & PTE_LARGE) != 0);
        table = entry & PTE_ADDRESS;
        if (!leaf)
            continue;
        uint64_t bytes = 1ull << shift, within = address & (bytes - 1);
        if (length > bytes - within)
            return NULL;
        return memory_at(memory, gpa((table & ~(bytes - 1)) + within), length);
    }
}

/* Text from the guest with control bytes made harmless. */
static void print_text(const uint8_t *text, uint64_t length)
{
    for (uint64_t i = 0; i < length; i++) {
        bool plain = text[i] == '\n' || text[i] == '\t' || (text[i] >= ' ' && text[i] != 0x7f);
        fputc(plain ? text[i] : '.', stderr);
    }
}

static void print_registers(const struct scene *scene)
{
    const struct kvm_regs *r = &scene->regs;
    const struct {
        const char *name;
        uint64_t value;
    } list[] = {
        {"rax", r->rax}, {"rbx", r->rbx},    {"rcx", r->rcx},           {"rdx", r->rdx},
        {"rsi", r->rsi}, {"rdi", r->rdi},    {"rbp", r->rbp},           {"rsp", r->rsp},
        {"r8 ", r->r8},  {"r9 ", r->r9},     {"r10", r->r10},           {"r11", r->r11},
        {"r12", r->r12}, {"r13", r->r13},    {"r14", r->r14},           {"r15", r->r15},
        {"rip", r->rip}, {"rfl", r->rflags}, {"cr2", scene->sregs.cr2}, {"cr3", scene->sregs.cr3},
    };
    for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        fprintf(stderr, "%s%s %016llx%s", i % 4 == 0 ? "  " : " ", list[i].name,
                (unsigned long long)list[i].value, i % 4 == 3 ? "\n" : "");
    fprintf(stderr, "  cs %04x (ring %u) ss %04x cr0 %llx cr4 %llx efer %llx\n",
            scene->sregs.cs.selector, scene->sregs.cs.selector & 3u, scene->sregs.ss.selector,
            (unsigned long long)scene->sregs.cr0, (unsigned long long)scene->sregs.cr4,
            (unsigned long long)scene->sregs.efer);
}

static void print_code(const struct scene *scene)
{
    fputs("  code at rip:", stderr);
    for (unsigned i = 0; i < CODE_BYTES; i++) {
        const uint8_t *byte = guest_virtual(scene, scene->regs.rip + i, 1);
        if (byte == NULL) {
            fputs(i == 0 ? " not mapped" : "", stderr);
            break;
        }
        fprintf(stderr, " %02x", *byte);
    }
    fputc('\n', stderr);
}

static void print_frame(struct symbolizer *symbols, unsigned number, uint64_t address,
                        uint64_t lookup)
{
    char text[256];
    symbolize(symbols, lookup, text, sizeof(text));
    fprintf(stderr, "  #%-2u %016llx%s\n", number, (unsigned long long)address, text);
}

/* Follow saved frame pointers, upwards only, so that a broken chain ends. */
static void print_backtrace(const struct scene *scene)
{
    struct symbolizer *ahead = scene->vm->symbols;
    struct symbolizer *symbols =
        ahead != NULL ? ahead : symbolize_open(scene->vm->config.guest_path);
    uint64_t frame = scene->regs.rbp;
    print_frame(symbols, 0, scene->regs.rip, scene->regs.rip);
    for (unsigned i = 1; i < FRAMES; i++) {
        uint64_t link[2];
        const uint8_t *at = frame % 8 == 0 ? guest_virtual(scene, frame, sizeof(link)) : NULL;
        if (at == NULL)
            break;
        memcpy(link, at, sizeof(link));
        if (link[1] < ZV_KERNEL_BASE)
            break;
        /* A return address may be the next line's, or even the next function's. */
        print_frame(symbols, i, link[1], link[1] - 1);
        if (link[0] <= frame)
            break;
        frame = link[0];
    }
    if (symbols != ahead)
        symbolize_close(symbols);
}

static void capture(struct scene *scene, struct zvmm *vm)
{
    memset(scene, 0, sizeof(*scene));
    scene->vm = vm;
    ioctl(vm->kvm.vcpu_fd, KVM_GET_REGS, &scene->regs);
    ioctl(vm->kvm.vcpu_fd, KVM_GET_SREGS, &scene->sregs);
}

static void print_scene(const struct scene *scene)
{
    print_registers(scene);
    print_code(scene);
    if ((scene->sregs.cr0 & 1) == 0)
        fputs("  (the processor was reset: KVM kept no registers of the failure)\n", stderr);
    else
        print_backtrace(scene);
    fflush(stderr);
}

void panic_report(struct zvmm *vm, const char *format, ...)
{
    struct scene scene;
    va_list args;
    terminal_restore();
    capture(&scene, vm);
    fputs("zvmm: guest failed: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    print_scene(&scene);
}

/* Take the registers that the guest saved when it panicked, if it says where. */
static void adopt_registers(struct scene *scene, const struct zv_call *call)
{
    uint64_t saved[REPORTED_REGS];
    const void *at =
        call->u.panic.regs_paddr != 0
            ? memory_at(&scene->vm->memory, gpa(call->u.panic.regs_paddr), sizeof(saved))
            : NULL;
    if (at != NULL) {
        memcpy(saved, at, sizeof(saved));
        scene->regs = (struct kvm_regs){
            .rax = saved[0],
            .rbx = saved[1],
            .rcx = saved[2],
            .rdx = saved[3],
            .rsi = saved[4],
            .rdi = saved[5],
            .rbp = saved[6],
            .rsp = saved[7],
            .r8 = saved[8],
            .r9 = saved[9],
            .r10 = saved[10],
            .r11 = saved[11],
            .r12 = saved[12],
            .r13 = saved[13],
            .r14 = saved[14],
            .r15 = saved[15],
            .rip = saved[16],
            .rflags = saved[17],
        };
    }
    if (call->u.panic.rip != 0) {
        scene->regs.rip = call->u.panic.rip;
        scene->regs.rsp = call->u.panic.rsp;
        scene->regs.rbp = call->u.panic.rbp;
    }
    scene->sregs.cr2 = call->u.panic.cr2;
}

void panic_report_call(struct zvmm *vm, const struct zv_call *call)
{
    struct scene scene;
    uint64_t length = call->u.panic.message_length;
    terminal_restore();
    capture(&scene, vm);
    adopt_registers(&scene, call);
    if (length > MESSAGE_MAX)
        length = MESSAGE_MAX;
    const uint8_t *message = memory_at(&vm->memory, gpa(call->u.panic.message_paddr), length);
    fputs("zvmm: guest kernel panic: ", stderr);
    if (message == NULL)
        fputs("(its message is not in guest memory)", stderr);
    else
        print_text(message, length);
    fputc('\n', stderr);
    print_scene(&scene);
}
