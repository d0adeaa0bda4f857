/* verb-print.c - print EXPR, sym NAME|ADDRESS, mem ADDRESS LENGTH, regs. */
#include <ctype.h>
#include <dwarf.h>
#include <inttypes.h>
#include <string.h>

#include "inspect/pages.h"
#include "inspect/verb.h"

enum { PRINT_DEPTH = 4, MEM_MAX = 1 << 20, MEM_ROW = 16 };

static bool need_types(struct inspector *inspector)
{
    return census_of(inspector) != NULL;
}

/* ---- print ----------------------------------------------------------------------------------- */

static struct item *run_print(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    char text[1024] = "", type[VALUE_TEXT_MAX];
    struct value value;
    for (int i = 1; i < argc; i++) { /* an expression with spaces needs no quotes */
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s", i > 1 ? " " : "", argv[i]);
    }
    if (!need_types(inspector) || expression_evaluate(inspector, text, &value) != 0)
        return NULL;
    item_text(inspector->report, root, "expression", text);
    if (value.is_number) {
        if (value.bit_size == 1) {
            type_name(&value.type, type, sizeof(type) - 2);
            item_format(inspector->report, root, "type", "%s *", type);
        }
        item_hex(inspector->report, root, "value", value.number);
        return root;
    }
    type_name(&value.type, type, sizeof(type));
    item_text(inspector->report, root, "type", type);
    item_hex(inspector->report, root, "address", value.address);
    value_report(inspector, &value, PRINT_DEPTH, root, "value");
    return root;
}

static void print_print(FILE *out, const struct item *root)
{
    const struct item *value = item_find(root, "value");
    char text[1024];
    fprintf(out, "(%s) ",
            item_find_text(root, "type")[0] != '\0' ? item_find_text(root, "type") : "uint64_t");
    if (value == NULL) {
        fputc('\n', out);
    } else if (value->kind > ITEM_LIST) {
        item_scalar_text(value, text, sizeof(text));
        fprintf(out, "%s\n", text);
    } else {
        fprintf(out, "at %#" PRIx64 "\n", item_find_number(root, "address"));
        report_print_text(out, value);
    }
}

const struct verb verb_print = {
    .name = "print",
    .arguments = "EXPR",
    .summary = "a C expression: cpu0.current->wait.kind, $1034.name, kernel",
    .min = 1,
    .max = 64,
    .run = run_print,
    .print = print_print,
};

/* ---- sym ------------------------------------------------------------------------------------- */

static bool need_symbols(struct inspector *inspector)
{
    if (inspector->symbols != NULL && symbols_have_names(inspector->symbols))
        return true;
    error_set(inspector->error, "%s has no symbols: name an unstripped guest kernel with --guest",
              inspector->guest_path != NULL ? inspector->guest_path : "the target");
    return false;
}

static struct item *run_sym(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct symbol symbol;
    uint64_t address;
    const char *file;
    int line;
    (void)argc;
    if (!need_symbols(inspector))
        return NULL;
    if (!isdigit((unsigned char)argv[1][0])) {
        if (!symbols_named(inspector->symbols, argv[1], &symbol)) {
            error_set(inspector->error, "the kernel has no symbol '%s'", argv[1]);
            return NULL;
        }
        address = symbol.address;
    } else if (parse_number(inspector, argv[1], "an address", &address) != 0) {
        return NULL;
    } else if (!symbols_at(inspector->symbols, address, &symbol)) {
        error_set(inspector->error, "no symbol of the kernel covers %s", argv[1]);
        return NULL;
    }
    item_text(inspector->report, root, "name", symbol.name);
    item_hex(inspector->report, root, "address", symbol.address);
    item_number(inspector->report, root, "size", symbol.size);
    item_number(inspector->report, root, "offset", address - symbol.address);
    if (symbols_line(inspector->symbols, address, &file, &line))
        item_format(inspector->report, root, "line", "%s:%d", file, line);
    return root;
}

const struct verb verb_sym = {
    .name = "sym",
    .arguments = "NAME|ADDRESS",
    .summary = "a symbol of the kernel, with source file and line",
    .min = 1,
    .max = 1,
    .run = run_sym,
};

/* ---- mem ------------------------------------------------------------------------------------- */

static int mem_address(struct inspector *inspector, const char *text, uint64_t *out)
{
    struct value value;
    if (isdigit((unsigned char)text[0]))
        return parse_number(inspector, text, "an address", out);
    if (!need_types(inspector) || expression_evaluate(inspector, text, &value) != 0)
        return -1;
    *out = value.is_number ? value.number : value.address;
    return 0;
}

static struct item *run_mem(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    uint64_t address, length = 64, done = 0;
    const struct object *process = NULL;
    if (mem_address(inspector, argv[1], &address) != 0 ||
        (argc > 2 && parse_number(inspector, argv[2], "a length", &length) != 0))
        return NULL;
    if (argc > 3 && (process = object_argument(inspector, argv[3], "process")) == NULL)
        return NULL;
    if (length == 0 || length > MEM_MAX) {
        error_set(inspector->error, "a length of %" PRIu64 ": give 1 to %d bytes", length, MEM_MAX);
        return NULL;
    }
    item_hex(inspector->report, root, "address", address);
    struct item *rows = item_list(inspector->report, root, "rows");
    while (done < length) {
        uint8_t bytes[MEM_ROW];
        char hex[MEM_ROW * 2 + 1];
        uint64_t want = length - done < MEM_ROW ? length - done : MEM_ROW;
        uint64_t had = process != NULL
                           ? process_read(inspector, process, address + done, bytes, want)
                           : target_read_kernel(inspector->target, address + done, bytes, want);
        for (uint64_t i = 0; i < had; i++)
            snprintf(hex + i * 2, 3, "%02x", bytes[i]);
        if (had > 0)
            item_text(inspector->report, rows, NULL, hex);
        done += had;
        if (had < want)
            break;
    }
    item_number(inspector->report, root, "length", done);
    if (done == 0) {
        error_set(inspector->error, "nothing is mapped at %#" PRIx64, address);
        return NULL;
    }
    if (done < length)
        inspect_warn(inspector, "nothing is mapped from %#" PRIx64 " on", address + done);
    return root;
}

static unsigned byte_of(const char *hex)
{
    unsigned value = 0;
    sscanf(hex, "%2x", &value);
    return value;
}

static void print_mem(FILE *out, const struct item *root)
{
    uint64_t address = item_find_number(root, "address");
    const struct item *rows = item_find(root, "rows");
    for (const struct item *row = rows != NULL ? rows->first : NULL; row != NULL;
         row = row->next, address += MEM_ROW) {
        size_t bytes = strlen(row->text) / 2;
        fprintf(out, "%016" PRIx64 " ", address);
        for (size_t i = 0; i < MEM_ROW; i++)
            fprintf(out, "%s%s%.2s", i == MEM_ROW / 2 ? " " : "", " ",
                    i < bytes ? row->text + i * 2 : "  ");
        fputs("  ", out);
        for (size_t i = 0; i < bytes; i++) {
            unsigned value = byte_of(row->text + i * 2);
            fputc(value >= ' ' && value < 0x7f ? (int)value : '.', out);
        }
        fputc('\n', out);
    }
}

const struct verb verb_mem = {
    .name = "mem",
    .arguments = "ADDRESS|EXPR [LENGTH [PID]]",
    .summary = "bytes of memory, the kernel's or a process's",
    .min = 1,
    .max = 3,
    .run = run_mem,
    .print = print_mem,
};

/* ---- regs ------------------------------------------------------------------------------------ */

static struct item *run_regs(struct inspector *inspector, int argc, char *argv[])
{
    const struct kvm_regs *r = &inspector->target->regs;
    const struct kvm_sregs *s = &inspector->target->sregs;
    const struct {
        const char *name;
        uint64_t value;
    } list[] = {
        {"rax", r->rax},        {"rbx", r->rbx},         {"rcx", r->rcx},
        {"rdx", r->rdx},        {"rsi", r->rsi},         {"rdi", r->rdi},
        {"rbp", r->rbp},        {"rsp", r->rsp},         {"r8", r->r8},
        {"r9", r->r9},          {"r10", r->r10},         {"r11", r->r11},
        {"r12", r->r12},        {"r13", r->r13},         {"r14", r->r14},
        {"r15", r->r15},        {"rip", r->rip},         {"rflags", r->rflags},
        {"cr0", s->cr0},        {"cr2", s->cr2},         {"cr3", s->cr3},
        {"cr4", s->cr4},        {"efer", s->efer},       {"cs", s->cs.selector},
        {"ss", s->ss.selector}, {"fs_base", s->fs.base}, {"gs_base", s->gs.base},
    };
    struct item *root = item_map(inspector->report, NULL, NULL);
    char text[VALUE_TEXT_MAX] = "";
    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        item_hex(inspector->report, root, list[i].name, list[i].value);
    item_number(inspector->report, root, "ring", s->cs.selector & 3u);
    if (inspector->symbols != NULL)
        symbols_describe(inspector->symbols, r->rip, text, sizeof(text));
    if (text[0] != '\0')
        item_text(inspector->report, root, "at", text);
    return root;
}

static void print_regs(FILE *out, const struct item *root)
{
    unsigned i = 0;
    for (const struct item *at = root->first; at != NULL && at->kind == ITEM_HEX; at = at->next)
        fprintf(out, "%-7s %016" PRIx64 "%s", at->key, at->number, ++i % 4 == 0 ? "\n" : "  ");
    fprintf(out, "%sring %" PRIu64 ", at %s\n", i % 4 != 0 ? "\n" : "",
            item_find_number(root, "ring"),
            item_find_text(root, "at")[0] != '\0' ? item_find_text(root, "at")
                                                  : "no symbol of the kernel");
}

const struct verb verb_regs = {
    .name = "regs",
    .arguments = "",
    .summary = "the processor's registers",
    .run = run_regs,
    .print = print_regs,
};
