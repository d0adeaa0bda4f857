/* caught.c - the guest has come out at a stop instruction, a debug register or a step. */
#include <stdio.h>
#include <sys/ioctl.h>

#include "gdb/session.h"
#include "vm.h"

#define MSR_LSTAR      0xc0000082u
#define DR6_STEP       (1ull << 14)
#define EXCEPTION_INT3 3u
#define OP_PUSHF       0x9c

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
    frame->rflags &= ~CONTROL_FLAG_TRAP;
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
    frame->rflags &= ~CONTROL_FLAG_TRAP;
    frame_return(gdb, frame);
    gdb->flags_traced = false;
    if (gdb->motion == MOTION_FREE || gdb->motion == MOTION_USER)
        gdb->motion = MOTION_NONE;
    else
        control_step_over(gdb);
    return true;
}

static bool caught_int3(struct gdb *gdb, struct trap_frame *frame)
{
    const struct point *point = points_find(&gdb->points, frame->rip - 1);
    if (point == NULL || point->kind != POINT_SOFTWARE)
        return false;
    frame->rip--;
    if (is_step(gdb))
        frame->rflags &= ~CONTROL_FLAG_TRAP;
    frame_return(gdb, frame);
    control_stop_at(gdb, point);
    return true;
}

/* A step has led into the kernel: by a fault or an interrupt, from which user code comes back by
 * itself, or by a system call or an exception. */
static void caught_during_step(struct gdb *gdb, int vector, uint64_t at, struct trap_frame *frame)
{
    bool from_user = (frame->cs & 3) == 3;
    if (from_user && (vector == VECTOR_PAGE_FAULT || vector >= VECTOR_FIRST_INTERRUPT)) {
        frame->rflags |= CONTROL_FLAG_TRAP;
        cpu_write(&gdb->cpu, at, frame, sizeof(*frame));
        gdb->flags_traced = true;
        gdb->motion = MOTION_FAULT;
        return;
    }
    clean_frame(gdb, at, frame);
    if (from_user && frame->rip == cpu_msr(&gdb->cpu, MSR_LSTAR)) {
        gdb->cpu.regs.r11 &=
            ~CONTROL_FLAG_TRAP; /* the broken system call, which has saved the flags */
        gdb->cpu.regs_changed = true;
    }
    control_step_over(gdb);
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
            control_stop_at(gdb, point);
        return;
    }
    if (vector == PATCH_SYSCALL) {
        cpu->regs.r11 &= is_step(gdb) ? ~CONTROL_FLAG_TRAP : ~0ull;
        cpu->regs_changed = true;
        control_step_over(gdb);
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
        control_step_over(gdb);
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
    watch_fill_registers(gdb, &debug);
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
    control_stop(gdb, CONTROL_SIGNAL_TRAP, more);
}

/* The guest's own int3, which KVM has given to us. */
static void give_back_int3(struct gdb *gdb)
{
    gdb->cpu.regs.rip++;
    gdb->cpu.regs_changed = true;
    cpu_release(&gdb->cpu);
    points_withdraw(&gdb->points, gdb->vm);
    gdb->motion = MOTION_NONE;
    control_set_debugging(gdb, KVM_GUESTDBG_INJECT_BP, false);
}

static void caught_debug_exit(struct gdb *gdb)
{
    const struct kvm_debug_exit_arch *exit = &gdb->vm->kvm.run->debug.arch;
    cpu_want_regs(&gdb->cpu);
    if (exit->exception == EXCEPTION_INT3) {
        const struct point *point = points_find(&gdb->points, gdb->cpu.regs.rip);
        if (point != NULL)
            control_stop_at(gdb, point);
        else
            give_back_int3(gdb);
        return;
    }
    if ((exit->dr6 & 15) != 0) {
        caught_by_register(gdb, exit);
        return;
    }
    if (!session_kernel_emulated(gdb) && gdb->opcode == OP_PUSHF && cpu_ring(&gdb->cpu) == 0) {
        uint64_t flags; /* PUSHF has seen KVM's trap flag */
        cpu_read(&gdb->cpu, gdb->cpu.regs.rsp, &flags, sizeof(flags));
        flags &= ~CONTROL_FLAG_TRAP;
        cpu_write(&gdb->cpu, gdb->cpu.regs.rsp, &flags, sizeof(flags));
    }
    control_step_over(gdb);
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
