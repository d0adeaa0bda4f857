/* session.h - what the parts of the debugger share. */
#ifndef ZVMM_GDB_SESSION_H
#define ZVMM_GDB_SESSION_H

#include "gdb/cpu.h"
#include "gdb/gdb.h"
#include "gdb/link.h"
#include "gdb/points.h"

enum goal {
    GOAL_RUN,
    GOAL_STEP,  /* one instruction */
    GOAL_RANGE, /* instructions, while rip is in [range_start, range_end) */
};

/* What is under way in the guest. */
enum motion {
    MOTION_NONE,
    MOTION_FREE,   /* running, to the next stop instruction */
    MOTION_NATIVE, /* KVM's single step */
    MOTION_FLAG,   /* one user instruction by the trap flag, where KVM does not step user code */
    MOTION_FAULT,  /* the kernel handles what interrupted a user step, which goes on after it */
    MOTION_USER,   /* user code, as long as it lasts: the next kernel instruction stops */
};

/* What the KVM's debug registers do, found when gdb first asks for one. */
struct hardware {
    bool known;
    bool execute, watch;
};

struct gdb {
    struct zvmm *vm;
    struct link link;
    struct cpu_state cpu;
    struct points points;
    struct hardware hardware;
    bool avx; /* the guest has it */

    bool stopped;
    bool announce;   /* gdb waits to hear of the stop */
    char reason[96]; /* the stop reply */

    enum goal goal;
    uint64_t range_start, range_end;
    enum motion motion;
    uint8_t opcode;                   /* of the instruction being stepped */
    bool flags_traced;                /* saved flags of user code may have our trap flag */
    struct kvm_guest_debug debugging; /* what KVM was told last */
    unsigned since_look;              /* steps since the connection was looked at */

    bool says_swbreak; /* gdb understands these stop reasons */
    bool says_hwbreak;
};

/* Answer packets until the machine is to run, or ends. */
void serve(struct gdb *gdb);

/* Stop, with a signal and more of a stop reply, such as "watch:ADDRESS;". */
void control_stop(struct gdb *gdb, int signal, const char *more);

/*
 * Prepare the next stay in the guest towards the goal. False: there is none to prepare, because
 * what was to be done is done already.
 */
bool control_prepare(struct gdb *gdb);

/* The guest has come out for a reason that is not the debugger's: if a step was under way, it is
 * over. */
void control_other_exit(struct gdb *gdb);

/* Whether the exit was the debugger's; it is dealt with (caught.c). */
bool control_take_exit(struct gdb *gdb);

/* Forget what was under way: nothing in the machine tells that a debugger was there. */
void control_clear(struct gdb *gdb);

/* ---- Between control.c and caught.c --------------------------------------------------------- */

#define CONTROL_FLAG_TRAP   0x100ull
#define CONTROL_SIGNAL_TRAP 5

/* An instruction has been executed: stop if the goal is reached. */
void control_step_over(struct gdb *gdb);

/* Stop because of a breakpoint. */
void control_stop_at(struct gdb *gdb, const struct point *point);

/* Tell KVM what to do: KVM_GUESTDBG_* without _ENABLE, and the debug registers if wanted. */
void control_set_debugging(struct gdb *gdb, uint32_t control, bool with_registers);

/* Where KVM emulates ring 0 it steps kernel code exactly, and user code not at all. */
bool session_kernel_emulated(const struct gdb *gdb);

/* ---- Trap frames (frame.c) ------------------------------------------------------------------ */

/* What the processor pushes for a trap, without the error code. */
struct trap_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Go where a frame says: what IRET does. */
void frame_return(struct gdb *gdb, const struct trap_frame *frame);

/*
 * Do the kernel instruction `code` if it is one that is not left to KVM: IRET and SYSRET take the
 * trap flag away, and where the kernel is emulated SWAPGS and IRET are one step for KVM, and so is
 * all of the user code after them. False: it is another one.
 */
bool frame_step(struct gdb *gdb, const uint8_t code[4]);

/* ---- Watchpoints (watch.c) ------------------------------------------------------------------ */

/* Debug registers 0 to 3 and 7 for what gdb has set; false if that is nothing. */
bool watch_fill_registers(const struct gdb *gdb, struct kvm_guest_debug *debug);

/* Whether watching needs steps, and if so whether of user code, too. */
bool watch_by_hand(const struct gdb *gdb, bool *user);

/* The address of a watched value that has changed since the last look. */
bool watch_find_changed(struct gdb *gdb, uint64_t *address);

/* ---- monitor.c, hardware.c ------------------------------------------------------------------ */

/* monitor COMMAND: the output is what gdb is to print; from malloc(), NULL without memory. */
char *monitor_run(struct gdb *gdb, const char *command);

/* Find out what debug registers do here. */
void hardware_probe(struct hardware *hardware, const struct zvmm *vm);

#endif
