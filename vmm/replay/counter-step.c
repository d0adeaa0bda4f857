/*
 * counter-step.c - counting by stepping: exact on every hardware KVM, and slow, as each instruction
 * of user code is an exit.
 */
#include <stdlib.h>

#include "counter.h"
#include "probe.h"

/* KVMs that emulate ring 0 do not step user code (gdb/control.c). */
static bool step_open(const struct kvm *kvm, void **state)
{
    (void)kvm;
    if (!probe_is_hardware())
        return false;
    *state = calloc(1, sizeof(uint64_t));
    return *state != NULL;
}

static bool step_read(void *state, uint64_t *count)
{
    *count = *(uint64_t *)state;
    return true;
}

static bool step_arm(void *state, uint64_t more)
{
    (void)state;
    (void)more;
    return false;
}

static void step_stepped(void *state)
{
    ++*(uint64_t *)state;
}

const struct counter_provider counter_step = {.name = "step",
                                              .period = 100000,
                                              .margin = COUNTER_NEVER,
                                              .open = step_open,
                                              .read = step_read,
                                              .arm = step_arm,
                                              .stepped = step_stepped,
                                              .close = free};
