/*
 * control.c - running and stepping.
 *
 * Stepping has to work on every KVM, and each does it differently:
 *
 *   - Hardware steps by the trap flag, which four things take away: SYSCALL and SYSRET replace the
 *     flags, IRET loads saved ones, and a trap clears them. So IRET and SYSRET are done here, by
 *     hand; SYSCALL and traps run into the fence (points.h).
 *   - Where ring 0 is emulated, KVM steps the kernel exactly, but not user code. There the flag is
 *     set in the user's registers, and the fence catches the debug exception.
 *
 * A step of user code that faults (a page that is not there yet) or is interrupted is not over: the
 * flag stays in the saved flags, the kernel runs, and when it comes back to the instruction, the
 * debug exception does too.
 *
 * Watchpoints without debug registers are steps, with a look at the values after each.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "gdb/session.h"
#include "vm.h"

#define FLAG_TRAP       0x100ull
#define FLAG_RESERVED   0x2ull
#define SYSRET_FLAGS    0x3c7fd7ull
#define MSR_STAR        0xc0000081u
#define MSR_LSTAR       0xc0000082u
#define DR6_STEP        (1ull << 14)
#define EXCEPTION_DEBUG 1u
#define EXCEPTION_INT3  3u
#define NOWHERE         UINT64_MAX
#define LOOK_EVERY      256u
#define SIGNAL_TRAP     5
#define OP_PUSHF        0x9c
#define OP_HLT          0xf4

/* What the processor pushes for a trap, without the error code. */
struct trap_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

static bool emulated_kernel(const struct gdb *gdb)
{
    return (gdb->vm->quirks & ZV_QUIRK_SLOW_RING0) != 0;
}

void control_stop(struct gdb *gdb, int signal, const char *more)
{
    control_clear(gdb);
    snprintf(gdb->reason, sizeof(gdb->reason), "T%02xthread:1;%s", signal, more);
    gdb->stopped = true;
    gdb->announce = true;
}

/* ---- KVM's own debugging -------------------------------------------------------------------- */

/* Debug registers 0 to 3 and 7 for what gdb has set. */
static bool fill_debug_registers(const struct gdb *gdb, struct kvm_guest_debug *debug)
{
    unsigned used = 0;
    debug->arch.debugreg[7] = 0x400;
    for (unsigned i = 0; i < gdb->points.count && used < 4; i++) {
        const struct point *point = &gdb->points.points[i];
        if (!point->active || point->kind == POINT_SOFTWARE ||
            !(point->kind == POINT_HARDWARE ? gdb->hardware.execute : gdb->hardware.watch))
            continue;
        uint64_t type = point->kind == POINT_HARDWARE ? 0 : point->kind == POINT_WRITE ? 1 : 3;
        uint64_t size = point->length == 8 ? 2 : point->length - 1;
        if (point->kind == POINT_HARDWARE)
            size = 0;
        debug->arch.debugreg[used] = point->address;
        debug->arch.debugreg[7] |= 2ull << (2 * used) | (type | size << 2) << (16 + 4 * used);
        used++;
    }
    return used != 0;
}

static void set_debugging(struct gdb *gdb, uint32_t control, bool with_registers)
{
    struct kvm_guest_debug debug = {.control = control};
    if (with_registers && fill_debug_registers(gdb, &debug))
        debug.control |= KVM_GUESTDBG_USE_HW_BP;
    if (debug.control != 0)
        debug.control |= KVM_GUESTDBG_ENABLE;
    bool same = memcmp(&debug, &gdb->debugging, sizeof(debug)) == 0;
    /* Hardware's trap flag is used up by each step. */
    if (same && (debug.control == 0 || emulated_kernel(gdb)))
        return;
    gdb->debugging = debug;
    ioctl(gdb->vm->kvm.vcpu_fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* ---- Watching without debug registers ------------------------------------------------------- */

static bool is_watched_by_hand(const struct gdb *gdb, const struct point *point)
{
    return point->active && point->kind == POINT_WRITE && !gdb->hardware.watch;
}

/* Whether steps are needed for watching, and if so whether for user memory, too. */
static bool watches_by_hand(const struct gdb *gdb, bool *user)
{
    bool any = false;
    *user = false;
    for (unsigned i = 0; i < gdb->points.count; i++) {
        const struct point *point = &gdb->points.points[i];
        if (!is_watched_by_hand(gdb, point))
            continue;
        any = true;
        *user = *user || point->address >> 63 == 0;
    }
    return any;
}

/* The address of a watched value that has changed since the last look. */
static bool find_changed(struct gdb *gdb, uint64_t *address)
{
    for (unsigned i = 0; i < gdb->points.count; i++) {
        struct point *point = &gdb->points.points[i];
        uint64_t value = 0, length = point->length < 8 ? point->length : 8;
        const void *at =
            is_watched_by_hand(gdb, point) ? memory_at(&gdb->vm->memory, point->at, length) : NULL;
        if (at == NULL)
            continue;
        memcpy(&value, at, length);
        if (value == point->value)
            continue;
        point->value = value;
        *address = point->address;
        return true;
    }
    return false;
}

/* ---- The end of a motion -------------------------------------------------------------------- */

static void stop_at_breakpoint(struct gdb *gdb, const struct point *point)
{
    bool software = point->kind == POINT_SOFTWARE;
    bool say = software ? gdb->says_swbreak : gdb->says_hwbreak;
    control_stop(gdb, SIGNAL_TRAP, !say ? "" : software ? "swbreak:;" : "hwbreak:;");
}

/* An instruction has been executed: is the goal reached? */
static void step_over(struct gdb *gdb)
{
    uint64_t address;
    char more[32];
    gdb->motion = MOTION_NONE;
    cpu_want_regs(&gdb->cpu);
    const struct point *point = points_find(&gdb->points, gdb->cpu.regs.rip);
    if (find_changed(gdb, &address)) {
        snprintf(more, sizeof(more), "watch:%llx;", (unsigned long long)address);
        control_stop(gdb, SIGNAL_TRAP, more);
    } else if (gdb->goal == GOAL_STEP ||
               (gdb->goal == GOAL_RANGE &&
                gdb->cpu.regs.rip - gdb->range_start >= gdb->range_end - gdb->range_start)) {
        control_stop(gdb, SIGNAL_TRAP, "");
    } else if (point != NULL) {
        stop_at_breakpoint(gdb, point);
    }
}

void control_clear(struct gdb *gdb)
{
    points_withdraw(&gdb->points, gdb->vm);
    set_debugging(gdb, 0, false);
    if (gdb->motion == MOTION_FLAG) {
        cpu_want_regs(&gdb->cpu);
        if (cpu_ring(&gdb->cpu) == 3)
            gdb->cpu.regs.rflags &= ~FLAG_TRAP;
        gdb->cpu.regs_changed = true;
    }
    gdb->motion = MOTION_NONE;
}

void control_other_exit(struct gdb *gdb)
{
    if (gdb->motion != MOTION_NATIVE || gdb->vm->kvm.run->exit_reason == KVM_EXIT_INTR)
        return;
    cpu_complete_io(&gdb->cpu);
    step_over(gdb);
}

/* ---- Traps, by hand ------------------------------------------------------------------------- */

/* Go where a frame says: what IRET does. */
static void return_to(struct gdb *gdb, const struct trap_frame *frame)
{
    struct cpu_state *cpu = &gdb->cpu;
    cpu_want_regs(cpu);
    cpu->regs.rip = frame->rip;
    cpu->regs.rsp = frame->rsp;
    cpu->regs.rflags = frame->rflags | FLAG_RESERVED;
    cpu->regs_changed = true;
    if ((frame->cs & 3) == cpu_ring(cpu))
        return;
    cpu_load_segment(cpu, &cpu->sregs.cs, (uint16_t)frame->cs);
    cpu_load_segment(cpu, &cpu->sregs.ss, (uint16_t)frame->ss);
}

static void swap_gs(struct cpu_state *cpu)
{
    cpu_want_sregs(cpu);
    cpu_want_kernel_gs(cpu);
    uint64_t base = cpu->sregs.gs.base;
    cpu->sregs.gs.base = cpu->kernel_gs_base;
    cpu->kernel_gs_base = base;
    cpu->sregs_changed = cpu->gs_changed = true;
    cpu->regs.rip += 3;
    cpu->regs_changed = true;
}

static void return_by_sysret(struct gdb *gdb)
{
    const struct kvm_regs *regs = &gdb->cpu.regs;
    uint16_t base = (uint16_t)(cpu_msr(&gdb->cpu, MSR_STAR) >> 48);
    const struct trap_frame frame = {
        .rip = regs->rcx,
        .cs = (base + 16u) | 3u,
        .rflags = regs->r11 & SYSRET_FLAGS,
        .rsp = regs->rsp,
        .ss = (base + 8u) | 3u,
    };
    return_to(gdb, &frame);
}

/*
 * Kernel instructions that are not left to KVM. Where the kernel is emulated, SWAPGS and IRET are
 * one step for KVM, and so is all of the user code after them.
 */
static bool step_by_hand(struct gdb *gdb, const uint8_t code[4])
{
    struct trap_frame frame;
    if (memcmp(code, "\x48\xcf", 2) == 0 &&
        cpu_read(&gdb->cpu, gdb->cpu.regs.rsp, &frame, sizeof(frame)) == sizeof(frame)) {
        return_to(gdb, &frame);
        return true;
    }
    if (memcmp(code, "\x48\x0f\x07", 3) == 0) {
        return_by_sysret(gdb);
        return true;
    }
    if (emulated_kernel(gdb) && memcmp(code, "\x0f\x01\xf8", 3) == 0) {
        swap_gs(&gdb->cpu);
        return true;
    }
    return false;
}

/* ---- Setting out ---------------------------------------------------------------------------- */

/* One kernel instruction; the fence would be in its way only at its own place. */
static bool prepare_kernel_step(struct gdb *gdb)
{
    uint8_t code[4] = {0};
    uint32_t control = KVM_GUESTDBG_SINGLESTEP;
    cpu_read(&gdb->cpu, gdb->cpu.regs.rip, code, sizeof(code));
    gdb->opcode = code[0] == 0x48 ? code[1] : code[0];
    if (step_by_hand(gdb, code)) {
        step_over(gdb);
        return false;
    }
    if (!emulated_kernel(gdb)) {
        points_deploy(&gdb->points, &gdb->cpu, false, FENCE_ALL, gdb->cpu.regs.rip);
        if (code[0] != OP_HLT)
            control |= KVM_GUESTDBG_BLOCKIRQ;
    } else {
        points_withdraw(&gdb->points, gdb->vm);
    }
    gdb->motion = MOTION_NATIVE;
    set_debugging(gdb, control, true);
    return true;
}

static bool prepare_user_step(struct gdb *gdb)
{
    points_deploy(&gdb->points, &gdb->cpu, false, FENCE_ALL, NOWHERE);
    gdb->opcode = 0;
    if (!emulated_kernel(gdb)) {
        gdb->motion = MOTION_NATIVE;
        set_debugging(gdb, KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_BLOCKIRQ, true);
        return true;
    }
    gdb->motion = MOTION_FLAG;
    gdb->cpu.regs.rflags |= FLAG_TRAP;
    gdb->cpu.regs_changed = true;
    set_debugging(gdb, 0, false);
    return true;
}

static bool prepare_step(struct gdb *gdb)
{
    return cpu_ring(&gdb->cpu) == 0 ? prepare_kernel_step(gdb) : prepare_user_step(gdb);
}

static bool prepare_free(struct gdb *gdb, enum motion motion, enum fence fence)
{
    /* A stop instruction at rip itself: execute what it would cover first. */
    points_deploy(&gdb->points, &gdb->cpu, true, fence, NOWHERE);
    if (points_patch_at(&gdb->points, gdb->cpu.regs.rip) != NULL) {
        points_withdraw(&gdb->points, gdb->vm);
        enum goal goal = gdb->goal;
        gdb->goal = GOAL_RUN;
        bool entered = prepare_step(gdb);
        gdb->goal = goal;
        return entered;
    }
    gdb->motion = motion;
    set_debugging(gdb, points_have_breakpoints(&gdb->points) ? KVM_GUESTDBG_USE_SW_BP : 0, true);
    return true;
}

static bool prepare(struct gdb *gdb)
{
    bool user, watching = watches_by_hand(gdb, &user);
    cpu_want_regs(&gdb->cpu);
    if (gdb->motion == MOTION_FAULT)
        return prepare_free(gdb, MOTION_FAULT, FENCE_TRACE);
    if (watching && !user && gdb->goal == GOAL_RUN && cpu_ring(&gdb->cpu) == 3)
        return prepare_free(gdb, MOTION_USER, FENCE_ALL);
    if (gdb->goal == GOAL_RUN && !watching)
        return prepare_free(gdb, MOTION_FREE, gdb->flags_traced ? FENCE_TRACE : FENCE_BREAKPOINTS);
    return prepare_step(gdb);
}

bool control_prepare(struct gdb *gdb)
{
    bool entered = prepare(gdb);
    if (entered) {
        cpu_release(&gdb->cpu);
        cpu_ask_registers(&gdb->cpu, gdb->motion == MOTION_NATIVE);
    }
    return entered;
}

/* ---- Coming back ---------------------------------------------------------------------------- */

static bool has_error_code(int vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 ||
           vector == 29 || vector == 30;
}

static bool is_step(const struct gdb *gdb)
{
    return gdb->motion == MOTION_NATIVE || gdb->motion == MOTION_FLAG;
}

/* Take our trap flag out of a frame in the guest's memory. */
static void clean_frame(struct gdb *gdb, uint64_t at, struct trap_frame *frame)
{
    frame->rflags &= ~FLAG_TRAP;
    cpu_write(&gdb->cpu, at, frame, sizeof(*frame));
}

/* The debug exception's handler: the end of a user step, or what is left of one. */
static bool caught_trace(struct gdb *gdb, struct trap_frame *frame)
{
    struct kvm_debugregs registers;
    if (!is_step(gdb) && gdb->motion != MOTION_FAULT && !gdb->flags_traced)
        return false;
    if (ioctl(gdb->vm->kvm.vcpu_fd, KVM_GET_DEBUGREGS, &registers) != 0 ||
        (registers.dr6 & DR6_STEP) == 0)
        return false;
    registers.dr6 &= ~DR6_STEP;
    ioctl(gdb->vm->kvm.vcpu_fd, KVM_SET_DEBUGREGS, &registers);
    frame->rflags &= ~FLAG_TRAP;
    return_to(gdb, frame);
    gdb->flags_traced = false;
    if (gdb->motion == MOTION_FREE || gdb->motion == MOTION_USER)
        gdb->motion = MOTION_NONE;
    else
        step_over(gdb);
    return true;
}

static bool caught_int3(struct gdb *gdb, struct trap_frame *frame)
{
    const struct point *point = points_find(&gdb->points, frame->rip - 1);
    if (point == NULL || point->kind != POINT_SOFTWARE)
        return false;
    frame->rip--;
    if (is_step(gdb))
        frame->rflags &= ~FLAG_TRAP;
    return_to(gdb, frame);
    stop_at_breakpoint(gdb, point);
    return true;
}

/* A step has led into the kernel: by a fault or an interrupt, from which user code comes back by
 * itself, or by a system call or an exception. */
static void caught_during_step(struct gdb *gdb, int vector, uint64_t at, struct trap_frame *frame)
{
    bool from_user = (frame->cs & 3) == 3;
    if (from_user && (vector == VECTOR_PAGE_FAULT || vector >= VECTOR_FIRST_INTERRUPT)) {
        frame->rflags |= FLAG_TRAP;
        cpu_write(&gdb->cpu, at, frame, sizeof(*frame));
        gdb->flags_traced = true;
        gdb->motion = MOTION_FAULT;
        return;
    }
    clean_frame(gdb, at, frame);
    if (from_user && frame->rip == cpu_msr(&gdb->cpu, MSR_LSTAR)) {
        gdb->cpu.regs.r11 &= ~FLAG_TRAP; /* the broken system call, which has saved the flags */
        gdb->cpu.regs_changed = true;
    }
    step_over(gdb);
}

/* The guest is at a stop instruction of ours. */
static void caught(struct gdb *gdb, const struct patch *patch)
{
    struct trap_frame frame;
    struct cpu_state *cpu = &gdb->cpu;
    int vector = patch->what;
    uint64_t at = cpu->regs.rsp + (has_error_code(vector) ? 8 : 0);
    if (vector == PATCH_BREAKPOINT) {
        const struct point *point = points_find(&gdb->points, cpu->regs.rip);
        if (point != NULL)
            stop_at_breakpoint(gdb, point);
        return;
    }
    if (vector == PATCH_SYSCALL) {
        cpu->regs.r11 &= is_step(gdb) ? ~FLAG_TRAP : ~0ull;
        cpu->regs_changed = true;
        step_over(gdb);
        return;
    }
    if (cpu_read(cpu, at, &frame, sizeof(frame)) != sizeof(frame))
        return;
    if (vector == VECTOR_DEBUG && caught_trace(gdb, &frame))
        return;
    if (vector == VECTOR_BREAKPOINT && caught_int3(gdb, &frame))
        return;
    if (is_step(gdb))
        caught_during_step(gdb, vector, at, &frame);
    else if (gdb->motion == MOTION_USER)
        step_over(gdb);
    /* Otherwise the guest's own: it goes on, see prepare_free(). */
}

/* Put rip back to the stop instruction that has just been executed; false if it was none. */
static bool caught_at(struct gdb *gdb, uint64_t length)
{
    cpu_want_regs(&gdb->cpu);
    const struct patch *found = points_patch_at(&gdb->points, gdb->cpu.regs.rip - length);
    if (found == NULL || found->length != length)
        return false;
    struct patch patch = *found;
    gdb->cpu.regs.rip -= length;
    gdb->cpu.regs_changed = true;
    points_withdraw(&gdb->points, gdb->vm);
    caught(gdb, &patch);
    return true;
}

/* A debug register has fired: which one, and what for. */
static void caught_by_register(struct gdb *gdb, const struct kvm_debug_exit_arch *exit)
{
    struct kvm_guest_debug debug = {0};
    char more[40] = "";
    fill_debug_registers(gdb, &debug);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t type = debug.arch.debugreg[7] >> (16 + 4 * i) & 3;
        if ((exit->dr6 >> i & 1) == 0 || (debug.arch.debugreg[7] >> (2 * i) & 3) == 0)
            continue;
        if (type == 0)
            snprintf(more, sizeof(more), "%s", gdb->says_hwbreak ? "hwbreak:;" : "");
        else
            snprintf(more, sizeof(more), "%s:%llx;", type == 1 ? "watch" : "awatch",
                     (unsigned long long)debug.arch.debugreg[i]);
    }
    control_stop(gdb, SIGNAL_TRAP, more);
}

/* The guest's own int3, which KVM has given to us. */
static void give_back_int3(struct gdb *gdb)
{
    gdb->cpu.regs.rip++;
    gdb->cpu.regs_changed = true;
    cpu_release(&gdb->cpu);
    points_withdraw(&gdb->points, gdb->vm);
    gdb->motion = MOTION_NONE;
    set_debugging(gdb, KVM_GUESTDBG_INJECT_BP, false);
}

static void caught_debug_exit(struct gdb *gdb)
{
    const struct kvm_debug_exit_arch *exit = &gdb->vm->kvm.run->debug.arch;
    cpu_want_regs(&gdb->cpu);
    if (exit->exception == EXCEPTION_INT3) {
        const struct point *point = points_find(&gdb->points, gdb->cpu.regs.rip);
        if (point != NULL)
            stop_at_breakpoint(gdb, point);
        else
            give_back_int3(gdb);
        return;
    }
    if ((exit->dr6 & 15) != 0) {
        caught_by_register(gdb, exit);
        return;
    }
    if (!emulated_kernel(gdb) && gdb->opcode == OP_PUSHF && cpu_ring(&gdb->cpu) == 0) {
        uint64_t flags; /* PUSHF has seen KVM's trap flag */
        cpu_read(&gdb->cpu, gdb->cpu.regs.rsp, &flags, sizeof(flags));
        flags &= ~FLAG_TRAP;
        cpu_write(&gdb->cpu, gdb->cpu.regs.rsp, &flags, sizeof(flags));
    }
    step_over(gdb);
}

bool control_take_exit(struct gdb *gdb)
{
    const struct kvm_run *run = gdb->vm->kvm.run;
    if (run->exit_reason == KVM_EXIT_DEBUG)
        cpu_take_registers(&gdb->cpu);
    switch (run->exit_reason) {
    case KVM_EXIT_DEBUG:
        caught_debug_exit(gdb);
        return true;
    case KVM_EXIT_HLT:
        return caught_at(gdb, 1);
    case KVM_EXIT_IO:
        if (run->io.port != POINTS_STOP_PORT || run->io.direction != KVM_EXIT_IO_OUT)
            return false;
        cpu_complete_io(&gdb->cpu);
        return caught_at(gdb, 2);
    default:
        return false;
    }
}
