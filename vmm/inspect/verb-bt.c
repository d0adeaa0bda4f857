/* verb-bt.c - bt [TID]: the stack of the processor or of a thread. */
#include <inttypes.h>
#include <string.h>

#include "inspect/unwind.h"
#include "inspect/verb.h"

enum { WORDS = 128 };

static void add_stack(struct inspector *inspector, const struct stack *stack, const char *side,
                      struct item *list)
{
    for (unsigned i = 0; i < stack->count; i++) {
        const struct frame *frame = &stack->frame[i];
        struct item *map = item_map(inspector->report, list, NULL);
        item_text(inspector->report, map, "side", side);
        item_hex(inspector->report, map, "pc", frame->pc);
        item_text(inspector->report, map, "function", frame->function);
        if (frame->module[0] != '\0')
            item_text(inspector->report, map, "module", frame->module);
        if (frame->file[0] != '\0') {
            item_text(inspector->report, map, "file", frame->file);
            item_number(inspector->report, map, "line", (uint64_t)frame->line);
        }
    }
}

/* What the kernel saved when the thread last left user mode. */
static void saved_registers(struct inspector *inspector, const struct value *thread,
                            struct kvm_regs *out)
{
    const struct {
        const char *path;
        __u64 *to;
    } rows[] = {
        {"context.regs.rax", &out->rax}, {"context.regs.rbx", &out->rbx},
        {"context.regs.rcx", &out->rcx}, {"context.regs.rdx", &out->rdx},
        {"context.regs.rsi", &out->rsi}, {"context.regs.rdi", &out->rdi},
        {"context.regs.rbp", &out->rbp}, {"context.regs.rsp", &out->rsp},
        {"context.regs.r8", &out->r8},   {"context.regs.r9", &out->r9},
        {"context.regs.r10", &out->r10}, {"context.regs.r11", &out->r11},
        {"context.regs.r12", &out->r12}, {"context.regs.r13", &out->r13},
        {"context.regs.r14", &out->r14}, {"context.regs.r15", &out->r15},
        {"context.regs.rip", &out->rip}, {"context.regs.rflags", &out->rflags},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        *rows[i].to = value_number(inspector, thread, rows[i].path);
}

static const struct object *current_thread(struct inspector *inspector)
{
    struct value cpu;
    return value_variable(inspector, "boot_cpu", &cpu)
               ? census_by_address(inspector->census, value_number(inspector, &cpu, "current"))
               : NULL;
}

static void add_user(struct inspector *inspector, const struct object *thread,
                     const struct kvm_regs *live, struct item *list)
{
    struct value value = object_value(inspector, thread);
    struct kvm_regs regs;
    struct stack stack;
    const struct object *process =
        census_by_address(inspector->census, value_number(inspector, &value, "process"));
    saved_registers(inspector, &value, &regs);
    if (live == NULL && regs.rip == 0)
        return; /* it has not run yet */
    if (process == NULL)
        return;
    unwind_user(inspector, process, live != NULL ? live : &regs, &stack);
    add_stack(inspector, &stack, "user", list);
}

static struct item *run_bt(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    const struct target *target = inspector->target;
    const struct object *thread = NULL;
    const struct kvm_regs *live = NULL;
    bool in_kernel = (target->sregs.cs.selector & 3u) == 0;
    struct stack stack;
    char words[WORDS] = "the kernel, no thread runs";
    bool types = inspector->symbols != NULL && symbols_have_types(inspector->symbols);
    if (argc > 1 && (thread = object_argument(inspector, argv[1], "thread")) == NULL)
        return NULL;
    const struct object *current =
        types && census_of(inspector) != NULL ? current_thread(inspector) : NULL;
    if (argc <= 1)
        thread = current;
    if (thread != NULL)
        object_words(inspector, thread, words, sizeof(words));
    item_text(inspector->report, root, "thread", words);
    if (thread != NULL)
        thread_report(inspector, thread, root);
    struct item *list = item_list(inspector->report, root, "frames");
    bool on_cpu = thread == current;
    if (on_cpu && in_kernel) {
        unwind_kernel(inspector, &stack);
        add_stack(inspector, &stack, "kernel", list);
    } else if (on_cpu) {
        live = &target->regs;
    }
    if (thread != NULL)
        add_user(inspector, thread, live, list);
    if (!types)
        inspect_warn(inspector, "without debugging information threads are unknown and the "
                                "stack may be incomplete");
    return root;
}

static void print_bt(FILE *out, const struct item *root)
{
    const struct item *list = item_find(root, "frames");
    unsigned number = 0;
    print_harmless(out, item_find_text(root, "thread"));
    if (item_find_text(root, "what")[0] != '\0')
        fputc(' ', out);
    print_harmless(out, item_find_text(root, "what"));
    fputc('\n', out);
    for (const struct item *at = list != NULL ? list->first : NULL; at != NULL; at = at->next) {
        const char *function = item_find_text(at, "function");
        fprintf(out, "#%-2u %-6s %016" PRIx64 " ", number++, item_find_text(at, "side"),
                item_find_number(at, "pc"));
        print_harmless(out, function[0] != '\0' ? function : "?");
        if (item_find(at, "file") != NULL) {
            fputs(" (", out);
            print_harmless(out, item_find_text(at, "file"));
            fprintf(out, ":%" PRIu64 ")", item_find_number(at, "line"));
        } else if (item_find_text(at, "module")[0] != '\0') {
            fputs(" in ", out);
            print_harmless(out, item_find_text(at, "module"));
        }
        fputc('\n', out);
    }
}

const struct verb verb_bt = {
    .name = "bt",
    .arguments = "[TID]",
    .summary = "the stack of the processor or of a thread, kernel and user side",
    .max = 1,
    .run = run_bt,
    .print = print_bt,
};
