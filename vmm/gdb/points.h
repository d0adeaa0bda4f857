/*
 * points.h - where the guest is to stop: breakpoints, watchpoints and the fence.
 *
 * A breakpoint is a stop instruction in guest memory, which is there only while the vCPU runs:
 * points_deploy() patches, points_withdraw() restores, so that whoever looks at a stopped machine
 * sees its own code. What stops depends on the machine, see stop_bytes() in points.c:
 *
 *   - kernel code, zvmm injects interrupts: hlt, which leaves KVM_RUN there;
 *   - kernel code, in-kernel interrupt controller: out to STOP_PORT, or, where that would cover two
 *     instructions, int3;
 *   - user code: int3. Hardware leaves KVM_RUN at it. Other KVMs deliver it to the guest, where the
 *     fence catches it.
 *
 * The fence is a stop instruction on the first instruction of the kernel's trap handlers, which the
 * IDT names. What is found on the stack there says where the guest came from.
 */
#ifndef ZVMM_GDB_POINTS_H
#define ZVMM_GDB_POINTS_H

#include "gdb/cpu.h"

enum {
    POINTS_MAX = 128,
    POINTS_PATCHES = POINTS_MAX + 258,
    POINTS_STOP_PORT = 0xf1,
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_FIRST_INTERRUPT = 32,
    PATCH_BREAKPOINT = -1,
    PATCH_SYSCALL = -2,
};

/* gdb's Z0 to Z4. */
enum point_kind { POINT_SOFTWARE, POINT_HARDWARE, POINT_WRITE, POINT_READ, POINT_ACCESS };

struct point {
    enum point_kind kind;
    uint64_t address, length;
    uint64_t value; /* of a watched range of up to 8 bytes, when it was last looked at */
    gpa_t at;       /* of a software breakpoint; kept when gdb removes it, see points_insert() */
    bool active;
};

struct patch {
    uint64_t address;
    gpa_t at;
    int what; /* vector of the handler, or PATCH_* */
    uint8_t length, saved[2];
};

struct points {
    struct point points[POINTS_MAX];
    unsigned count;
    struct patch patches[POINTS_PATCHES]; /* what is in guest memory now */
    unsigned patched;
};

enum fence {
    FENCE_NONE,
    FENCE_BREAKPOINTS, /* int3's handler, if there are breakpoints that need it */
    FENCE_TRACE,       /* and the debug exception's */
    FENCE_ALL,         /* every handler, and the system call's entry */
};

/*
 * Add a breakpoint. False if nothing is mapped there (or there are too many). gdb removes all
 * breakpoints whenever the machine stops, so for user code whose process does not run any more the
 * place that was found first is kept.
 */
bool points_insert(struct points *points, struct cpu_state *cpu, enum point_kind kind,
                   uint64_t address, uint64_t length);
bool points_remove(struct points *points, enum point_kind kind, uint64_t address);
void points_remove_all(struct points *points);

/* The active breakpoint (software or hardware) at an address, or NULL. */
const struct point *points_find(const struct points *points, uint64_t address);

/* Whether there is an active software breakpoint. */
bool points_have_breakpoints(const struct points *points);

/* Patch guest memory: with_breakpoints or only the fence. Never at `except`. */
void points_deploy(struct points *points, struct cpu_state *cpu, bool with_breakpoints,
                   enum fence fence, uint64_t except);
void points_withdraw(struct points *points, struct zvmm *vm);

const struct patch *points_patch_at(const struct points *points, uint64_t address);

#endif
