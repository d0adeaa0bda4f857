/*
 * registers.c - the vCPU's registers as gdb numbers them, and the description that says so.
 *
 * One table holds both: gdb counts registers in the order in which the description names them. The
 * first four features are gdb's own, whose registers must all be there; the last is ours.
 */
#include "gdb/registers.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum feature { CORE, SSE, SEGMENTS, SYSTEM, AVX, FEATURES };

static const char *const feature_names[FEATURES] = {
    [CORE] = "org.gnu.gdb.i386.core",         [SSE] = "org.gnu.gdb.i386.sse",
    [SEGMENTS] = "org.gnu.gdb.i386.segments", [SYSTEM] = "org.zvmm.x86.system",
    [AVX] = "org.gnu.gdb.i386.avx",
};

/* Where a register's value is; XSAVE_WORD is shorter there than gdb wants it. */
enum source { REGS, SREGS, SELECTOR, XSAVE, XSAVE_WORD, XSAVE_TAG, KERNEL_GS };

struct row {
    const char *name, *type;
    uint8_t feature, source, bytes;
    uint16_t offset;
};

/* clang-format off */
#define GENERAL(n, type) {#n, type, CORE, REGS, 8, offsetof(struct kvm_regs, n)}
#define SELECT(n) {#n, "int32", CORE, SELECTOR, 4, offsetof(struct kvm_sregs, n.selector)}
#define ST(n) {"st" #n, "i387_ext", CORE, XSAVE, 10, 32 + 16 * n}
#define X87(name, source, offset) {name, "int", CORE, source, 4, offset}
#define XMM(n) {"xmm" #n, "vec128", SSE, XSAVE, 16, 160 + 16 * n}
#define YMM(n) {"ymm" #n "h", "uint128", AVX, XSAVE, 16, 576 + 16 * n}
#define CONTROL(n) {#n, "uint64", SYSTEM, SREGS, 8, offsetof(struct kvm_sregs, n)}

static const struct row rows[] = {
    GENERAL(rax, "int64"), GENERAL(rbx, "int64"), GENERAL(rcx, "int64"), GENERAL(rdx, "int64"),
    GENERAL(rsi, "int64"), GENERAL(rdi, "int64"), GENERAL(rbp, "data_ptr"),
    GENERAL(rsp, "data_ptr"), GENERAL(r8, "int64"), GENERAL(r9, "int64"), GENERAL(r10, "int64"),
    GENERAL(r11, "int64"), GENERAL(r12, "int64"), GENERAL(r13, "int64"), GENERAL(r14, "int64"),
    GENERAL(r15, "int64"), GENERAL(rip, "code_ptr"),
    {"eflags", "flags", CORE, REGS, 4, offsetof(struct kvm_regs, rflags)},
    SELECT(cs), SELECT(ss), SELECT(ds), SELECT(es), SELECT(fs), SELECT(gs),
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
    X87("fctrl", XSAVE_WORD, 0), X87("fstat", XSAVE_WORD, 2), X87("ftag", XSAVE_TAG, 4),
    X87("fiseg", XSAVE_WORD, 12), X87("fioff", XSAVE, 8), X87("foseg", XSAVE_WORD, 20),
    X87("fooff", XSAVE, 16), X87("fop", XSAVE_WORD, 6),
    XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
    XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
    {"mxcsr", "int", SSE, XSAVE, 4, 24},
    {"fs_base", "int64", SEGMENTS, SREGS, 8, offsetof(struct kvm_sregs, fs.base)},
    {"gs_base", "int64", SEGMENTS, SREGS, 8, offsetof(struct kvm_sregs, gs.base)},
    {"k_gs_base", "uint64", SYSTEM, KERNEL_GS, 8, 0},
    CONTROL(cr0), CONTROL(cr2), CONTROL(cr3), CONTROL(cr4), CONTROL(cr8), CONTROL(efer),
    YMM(0), YMM(1), YMM(2), YMM(3), YMM(4), YMM(5), YMM(6), YMM(7),
    YMM(8), YMM(9), YMM(10), YMM(11), YMM(12), YMM(13), YMM(14), YMM(15),
};
/* clang-format on */

enum { ROWS = sizeof(rows) / sizeof(rows[0]), AVX_ROWS = 16, XSTATE_BV = 512 };

/* gdb defines no type of its own for these. */
static const char types[] =
    "<flags id=\"flags\" size=\"4\">"
    "<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"\" start=\"1\" end=\"1\"/>"
    "<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/>"
    "<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/>"
    "<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" end=\"9\"/>"
    "<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"OF\" start=\"11\" end=\"11\"/>"
    "<field name=\"NT\" start=\"14\" end=\"14\"/><field name=\"RF\" start=\"16\" end=\"16\"/>"
    "<field name=\"AC\" start=\"18\" end=\"18\"/><field name=\"ID\" start=\"21\" end=\"21\"/>"
    "</flags>";
static const char vector_types[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>";

unsigned registers_count(bool avx)
{
    return ROWS - (avx ? 0 : AVX_ROWS);
}

unsigned registers_bytes(unsigned number)
{
    return rows[number].bytes;
}

/* ---- x87 tags ------------------------------------------------------------------------------- */

/* gdb wants two bits a register, XSAVE keeps one: whether it holds anything. */
static uint32_t widen_tags(uint8_t used)
{
    uint32_t tags = 0;
    for (unsigned i = 0; i < 8; i++)
        tags |= ((used >> i & 1) != 0 ? 0u : 3u) << (2 * i);
    return tags;
}

static uint8_t narrow_tags(uint32_t tags)
{
    unsigned used = 0;
    for (unsigned i = 0; i < 8; i++)
        used |= ((tags >> (2 * i) & 3) != 3 ? 1u : 0u) << i;
    return (uint8_t)used;
}

/* ---- Values --------------------------------------------------------------------------------- */

/* The row's place in the state, which is read first. */
static uint8_t *place(struct cpu_state *cpu, const struct row *row)
{
    switch (row->source) {
    case REGS:
        cpu_want_regs(cpu);
        return (uint8_t *)&cpu->regs + row->offset;
    case SREGS:
    case SELECTOR:
        cpu_want_sregs(cpu);
        return (uint8_t *)&cpu->sregs + row->offset;
    case KERNEL_GS:
        cpu_want_kernel_gs(cpu);
        return (uint8_t *)&cpu->kernel_gs_base;
    default:
        cpu_want_xsave(cpu);
        return (uint8_t *)cpu->xsave.region + row->offset;
    }
}

static void mark_changed(struct cpu_state *cpu, const struct row *row)
{
    uint8_t *components = (uint8_t *)cpu->xsave.region + XSTATE_BV;
    switch (row->source) {
    case REGS:
        cpu->regs_changed = true;
        break;
    case SREGS:
        cpu->sregs_changed = true;
        break;
    case KERNEL_GS:
        cpu->gs_changed = true;
        break;
    default:
        cpu->xsave_changed = true;
        components[0] |= row->feature == AVX ? 4 : 3;
        break;
    }
}

void registers_read(struct cpu_state *cpu, unsigned number, void *to)
{
    const struct row *row = &rows[number];
    const uint8_t *from = place(cpu, row);
    uint32_t word = 0;
    if (row->source == SELECTOR || row->source == XSAVE_WORD)
        memcpy(&word, from, 2);
    else if (row->source == XSAVE_TAG)
        word = widen_tags(*from);
    else
        memcpy(to, from, row->bytes);
    if (row->source == SELECTOR || row->source == XSAVE_WORD || row->source == XSAVE_TAG)
        memcpy(to, &word, 4);
}

bool registers_write(struct cpu_state *cpu, unsigned number, const void *from)
{
    const struct row *row = &rows[number];
    uint8_t *to = place(cpu, row), old[REGISTER_BYTES_MAX];
    uint32_t word;
    registers_read(cpu, number, old);
    if (memcmp(old, from, row->bytes) == 0)
        return true;
    if (row->source == SELECTOR)
        return false;
    memcpy(&word, from, 4);
    if (row->source == XSAVE_WORD)
        memcpy(to, &word, 2);
    else if (row->source == XSAVE_TAG)
        *to = narrow_tags(word);
    else
        memcpy(to, from, row->bytes);
    mark_changed(cpu, row);
    return true;
}

/* ---- Description ---------------------------------------------------------------------------- */

static void describe_feature(FILE *out, enum feature feature)
{
    fprintf(out, "<feature name=\"%s\">", feature_names[feature]);
    if (feature == CORE)
        fputs(types, out);
    else if (feature == SSE)
        fputs(vector_types, out);
    for (unsigned i = 0; i < ROWS; i++)
        if (rows[i].feature == feature)
            fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>",
                    rows[i].name, rows[i].bytes * 8u, rows[i].type, i);
    fputs("</feature>", out);
}

char *registers_describe(bool avx)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return NULL;
    fputs("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
          "<target><architecture>i386:x86-64</architecture>",
          out);
    for (unsigned i = 0; i < (avx ? FEATURES : AVX); i++)
        describe_feature(out, (enum feature)i);
    fputs("</target>", out);
    return fclose(out) == 0 ? text : NULL;
}
