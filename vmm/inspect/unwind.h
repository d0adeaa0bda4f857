/* unwind.h - stacks of the kernel and of user threads, by libdwfl. */
#ifndef ZVMM_INSPECT_UNWIND_H
#define ZVMM_INSPECT_UNWIND_H

#include "inspect/kernel.h"

enum { FRAMES_MAX = 64 };

struct frame {
    uint64_t pc;
    char function[128], file[160], module[64]; /* empty: unknown */
    int line;
};

struct stack {
    struct frame frame[FRAMES_MAX];
    unsigned count;
};

/* The kernel's frames from the machine's registers; the machine is in ring 0. */
void unwind_kernel(struct inspector *inspector, struct stack *out);
/* A user thread's from the registers `regs`, in the order of struct kvm_regs. */
void unwind_user(struct inspector *inspector, const struct object *process,
                 const struct kvm_regs *regs, struct stack *out);

#endif
