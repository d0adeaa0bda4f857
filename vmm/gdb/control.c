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

#define NOWHERE UINT64_MAX
#define OP_HLT  0xf4

bool session_kernel_emulated(const struct gdb *gdb)
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

void control_set_debugging(struct gdb *gdb, uint32_t control, bool with_registers)
{
    struct kvm_guest_debug debug = {.control = control};
    if (with_registers && watch_fill_registers(gdb, &debug))
        debug.control |= KVM_GUESTDBG_USE_HW_BP;
    if (debug.control != 0)
        debug.control |= KVM_GUESTDBG_ENABLE;
    bool same = memcmp(&debug, &gdb->debugging, sizeof(debug)) == 0;
    /* Hardware's trap flag is used up by each step. */
    if (same && (debug.control == 0 || session_kernel_emulated(gdb)))
        return;
    gdb->debugging = debug;
    ioctl(gdb->vm->kvm.vcpu_fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* ---- The end of a motion -------------------------------------------------------------------- */

void control_stop_at(struct gdb *gdb, const struct point *point)
{
    bool software = point->kind == POINT_SOFTWARE;
    bool say = software ? gdb->says_swbreak : gdb->says_hwbreak;
    control_stop(gdb, CONTROL_SIGNAL_TRAP, !say ? "" : software ? "swbreak:;" : "hwbreak:;");
}

void control_step_over(struct gdb *gdb)
{
    uint64_t address;
    char more[32];
    gdb->motion = MOTION_NONE;
    cpu_want_regs(&gdb->cpu);
    const struct point *point = points_find(&gdb->points, gdb->cpu.regs.rip);
    if (watch_find_changed(gdb, &address)) {
        snprintf(more, sizeof(more), "watch:%llx;", (unsigned long long)address);
        control_stop(gdb, CONTROL_SIGNAL_TRAP, more);
    } else if (gdb->goal == GOAL_STEP ||
               (gdb->goal == GOAL_RANGE &&
                gdb->cpu.regs.rip - gdb->range_start >= gdb->range_end - gdb->range_start)) {
        control_stop(gdb, CONTROL_SIGNAL_TRAP, "");
    } else if (point != NULL) {
        control_stop_at(gdb, point);
    }
}

void control_clear(struct gdb *gdb)
{
    points_withdraw(&gdb->points, gdb->vm);
    control_set_debugging(gdb, 0, false);
    if (gdb->motion == MOTION_FLAG) {
        cpu_want_regs(&gdb->cpu);
        if (cpu_ring(&gdb->cpu) == 3)
            gdb->cpu.regs.rflags &= ~CONTROL_FLAG_TRAP;
        gdb->cpu.regs_changed = true;
    }
    gdb->motion = MOTION_NONE;
}

void control_other_exit(struct gdb *gdb)
{
    if (gdb->motion != MOTION_NATIVE || gdb->vm->kvm.run->exit_reason == KVM_EXIT_INTR)
        return;
    cpu_complete_io(&gdb->cpu);
    control_step_over(gdb);
}

/* ---- Setting out ---------------------------------------------------------------------------- */

/* One kernel instruction; the fence would be in its way only at its own place. */
static bool prepare_kernel_step(struct gdb *gdb)
{
    uint8_t code[4] = {0};
    uint32_t control = KVM_GUESTDBG_SINGLESTEP;
    cpu_read(&gdb->cpu, gdb->cpu.regs.rip, code, sizeof(code));
    gdb->opcode = code[0] == 0x48 ? code[1] : code[0];
    if (frame_step(gdb, code)) {
        control_step_over(gdb);
        return false;
    }
    if (!session_kernel_emulated(gdb)) {
        points_deploy(&gdb->points, &gdb->cpu, false, FENCE_ALL, gdb->cpu.regs.rip);
        if (code[0] != OP_HLT)
            control |= KVM_GUESTDBG_BLOCKIRQ;
    } else {
        points_withdraw(&gdb->points, gdb->vm);
    }
    gdb->motion = MOTION_NATIVE;
    control_set_debugging(gdb, control, true);
    return true;
}

static bool prepare_user_step(struct gdb *gdb)
{
    points_deploy(&gdb->points, &gdb->cpu, false, FENCE_ALL, NOWHERE);
    gdb->opcode = 0;
    if (!session_kernel_emulated(gdb)) {
        gdb->motion = MOTION_NATIVE;
        control_set_debugging(gdb, KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_BLOCKIRQ, true);
        return true;
    }
    gdb->motion = MOTION_FLAG;
    gdb->cpu.regs.rflags |= CONTROL_FLAG_TRAP;
    gdb->cpu.regs_changed = true;
    control_set_debugging(gdb, 0, false);
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
    control_set_debugging(gdb, points_have_breakpoints(&gdb->points) ? KVM_GUESTDBG_USE_SW_BP : 0,
                          true);
    return true;
}

static bool prepare(struct gdb *gdb)
{
    bool user, watching = watch_by_hand(gdb, &user);
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
