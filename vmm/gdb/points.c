/* points.c - where the guest is to stop: breakpoints, watchpoints and the fence. */
#include "gdb/points.h"

#include <string.h>

#include "vm.h"

#define MSR_LSTAR 0xc0000082u

enum { OP_INT3 = 0xcc, OP_HLT = 0xf4, OP_OUT_IMM8 = 0xe6, GATE_BYTES = 16 };

/* ---- The list ------------------------------------------------------------------------------- */

static struct point *find(struct points *points, enum point_kind kind, uint64_t address)
{
    for (unsigned i = 0; i < points->count; i++)
        if (points->points[i].kind == kind && points->points[i].address == address)
            return &points->points[i];
    return NULL;
}

/* A free row, or that of a breakpoint that was removed. */
static struct point *new_row(struct points *points)
{
    if (points->count < POINTS_MAX)
        return &points->points[points->count++];
    for (unsigned i = 0; i < points->count; i++)
        if (!points->points[i].active)
            return &points->points[i];
    return NULL;
}

bool points_insert(struct points *points, struct cpu_state *cpu, enum point_kind kind,
                   uint64_t address, uint64_t length)
{
    struct target target = cpu_target(cpu);
    struct point *point = find(points, kind, address);
    gpa_t at = {0};
    bool mapped = target_translate(&target, target.sregs.cr3, address, &at, NULL) == 0 &&
                  memory_at(&cpu->vm->memory, at, 1) != NULL;
    if (point == NULL && mapped)
        point = new_row(points);
    if (point == NULL)
        return false;
    gpa_t known = point->at;
    *point = (struct point){.kind = kind, .address = address, .length = length, .active = true};
    point->at = mapped ? at : known;
    cpu_read(cpu, address, &point->value, length < 8 ? length : 8);
    return true;
}

bool points_remove(struct points *points, enum point_kind kind, uint64_t address)
{
    struct point *point = find(points, kind, address);
    if (point != NULL)
        point->active = false;
    return point != NULL;
}

void points_remove_all(struct points *points)
{
    points->count = 0;
}

const struct point *points_find(const struct points *points, uint64_t address)
{
    for (unsigned i = 0; i < points->count; i++) {
        const struct point *point = &points->points[i];
        if (point->active && point->kind <= POINT_HARDWARE && point->address == address)
            return point;
    }
    return NULL;
}

/* ---- Patches -------------------------------------------------------------------------------- */

static bool is_kernel(uint64_t address)
{
    return address >> 63 != 0;
}

/* Instructions of one byte: a longer patch would cover the next one, to which code may jump. */
static bool is_one_byte(uint8_t opcode)
{
    static const uint8_t ranges[][2] = {{0x50, 0x5f}, {0x6c, 0x6f}, {0x90, 0x99}, {0x9b, 0x9f},
                                        {0xa4, 0xa7}, {0xaa, 0xaf}, {0xc3, 0xc3}, {0xc9, 0xc9},
                                        {0xcb, 0xcc}, {0xcf, 0xcf}, {0xd7, 0xd7}, {0xec, 0xef},
                                        {0xf1, 0xf1}, {0xf4, 0xf5}, {0xf8, 0xfd}};
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (opcode >= ranges[i][0] && opcode <= ranges[i][1])
            return true;
    return false;
}

/* The stop instruction for a place; its length. */
static unsigned stop_bytes(struct cpu_state *cpu, uint64_t address, uint8_t opcode, bool fence,
                           uint8_t bytes[2])
{
    bool out = fence || !is_one_byte(opcode) || cpu->sregs.idt.limit == 0;
    bytes[0] = OP_INT3;
    if (!is_kernel(address))
        return 1;
    if (!cpu->vm->kvm.irqchip) {
        bytes[0] = OP_HLT;
        return 1;
    }
    if (!out)
        return 1;
    bytes[0] = OP_OUT_IMM8;
    bytes[1] = POINTS_STOP_PORT;
    return 2;
}

const struct patch *points_patch_at(const struct points *points, uint64_t address)
{
    for (unsigned i = 0; i < points->patched; i++)
        if (points->patches[i].address == address)
            return &points->patches[i];
    return NULL;
}

static void add_patch(struct points *points, struct cpu_state *cpu, uint64_t address, gpa_t at,
                      int what)
{
    uint8_t bytes[2], *to = memory_at(&cpu->vm->memory, at, 2);
    if (to == NULL || points->patched == POINTS_PATCHES || points_patch_at(points, address) != NULL)
        return;
    struct patch *patch = &points->patches[points->patched++];
    *patch = (struct patch){.address = address, .at = at, .what = what};
    patch->length = (uint8_t)stop_bytes(cpu, address, to[0], what != PATCH_BREAKPOINT, bytes);
    memcpy(patch->saved, to, patch->length);
    memcpy(to, bytes, patch->length);
}

/* Add a patch of kernel code at a virtual address, unless it is `except`. */
static void add_fence(struct points *points, struct cpu_state *cpu, uint64_t address, int what,
                      uint64_t except)
{
    gpa_t at;
    struct target target = cpu_target(cpu);
    if (address == except || !is_kernel(address))
        return; /* where syscall is broken its entry is user code, which faults: see step.c */
    if (target_translate(&target, target.sregs.cr3, address, &at, NULL) == 0)
        add_patch(points, cpu, address, at, what);
}

/* The handler of a vector by the guest's IDT; 0 if there is none. */
static uint64_t handler(struct cpu_state *cpu, unsigned vector)
{
    uint64_t gate[2];
    const struct kvm_dtable *idt = &cpu->sregs.idt;
    if ((vector + 1) * GATE_BYTES > idt->limit + 1u ||
        cpu_read(cpu, idt->base + vector * GATE_BYTES, gate, sizeof(gate)) != sizeof(gate) ||
        (gate[0] >> 47 & 1) == 0)
        return 0;
    return (gate[0] & 0xffff) | (gate[0] >> 48 << 16) | gate[1] << 32;
}

bool points_have_breakpoints(const struct points *points)
{
    for (unsigned i = 0; i < points->count; i++)
        if (points->points[i].active && points->points[i].kind == POINT_SOFTWARE)
            return true;
    return false;
}

static void deploy_fence(struct points *points, struct cpu_state *cpu, enum fence fence,
                         uint64_t except)
{
    for (int vector = 0; vector < 256; vector++) {
        bool wanted = fence == FENCE_ALL || (fence == FENCE_TRACE && vector == VECTOR_DEBUG) ||
                      (fence != FENCE_NONE && vector == VECTOR_BREAKPOINT &&
                       (fence == FENCE_TRACE || points_have_breakpoints(points)));
        uint64_t address = wanted ? handler(cpu, (unsigned)vector) : 0;
        if (address != 0)
            add_fence(points, cpu, address, vector, except);
        if (fence != FENCE_ALL && vector == VECTOR_BREAKPOINT)
            return;
    }
    if (fence == FENCE_ALL)
        add_fence(points, cpu, cpu_msr(cpu, MSR_LSTAR), PATCH_SYSCALL, except);
}

void points_deploy(struct points *points, struct cpu_state *cpu, bool with_breakpoints,
                   enum fence fence, uint64_t except)
{
    points_withdraw(points, cpu->vm);
    cpu_want_sregs(cpu);
    for (unsigned i = 0; with_breakpoints && i < points->count; i++) {
        const struct point *point = &points->points[i];
        if (point->active && point->kind == POINT_SOFTWARE && point->address != except)
            add_patch(points, cpu, point->address, point->at, PATCH_BREAKPOINT);
    }
    deploy_fence(points, cpu, fence, except);
}

/* In the reverse order: two patches may overlap. */
void points_withdraw(struct points *points, struct zvmm *vm)
{
    while (points->patched != 0) {
        const struct patch *patch = &points->patches[--points->patched];
        uint8_t *to = memory_at(&vm->memory, patch->at, 2);
        if (to != NULL)
            memcpy(to, patch->saved, patch->length);
    }
}
