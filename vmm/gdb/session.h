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

/* Whether the exit was the debugger's; it is dealt with. */
bool control_take_exit(struct gdb *gdb);

/* Forget what was under way: nothing in the machine tells that a debugger was there. */
void control_clear(struct gdb *gdb);

/* monitor COMMAND: the output is what gdb is to print; from malloc(), NULL without memory. */
char *monitor_run(struct gdb *gdb, const char *command);

/* Find out what debug registers do here. */
void hardware_probe(struct hardware *hardware, const struct zvmm *vm);

#endif
