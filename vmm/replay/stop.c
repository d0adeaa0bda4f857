/*
 * stop.c - where a deterministic run stands still: at the event that zvmm replay --to or
 * --snapshot-at event: names.
 */
#include <stdio.h>

#include "determinism-state.h"
#include "determinism.h"
#include "gdb/gdb.h"
#include "vm.h"

/* The first event after `after` at which somebody wants the machine to stand still, 0: none. */
static uint64_t next_stop(const struct zvmm *vm, uint64_t after)
{
    const uint64_t wishes[] = {vm->config.replay_to, plan_event(vm)};
    uint64_t next = 0;
    for (unsigned i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++)
        if (wishes[i] > after && (next == 0 || wishes[i] < next))
            next = wishes[i];
    return next;
}

void determinism_plan_stop(struct zvmm *vm, uint64_t after)
{
    vm->determinism->stop = next_stop(vm, after);
    vm->shared->stop_event = vm->determinism->stop;
}

/* The events that the guest has not handed over yet: compare them while they are in its ring. */
static int compare_rest(struct zvmm *vm)
{
    struct determinism *state = vm->determinism;
    uint64_t count = state->stop - state->events;
    uint64_t paddr = *(volatile uint64_t *)&vm->shared->events_paddr;
    const struct zv_event *events = NULL;
    if (count <= ZV_EVENTS_MAX && paddr % sizeof(uint64_t) == 0)
        events = memory_at(&vm->memory, gpa(paddr), count * sizeof(*events));
    if (events == NULL)
        return error_set(&vm->error,
                         "replay: the guest stops at event %llu without having told "
                         "of those before; it is not the recorded one",
                         (unsigned long long)state->stop);
    return record_compare(&state->record, events, count, &vm->error);
}

/* The end of a replay, or where gdb takes over, who may change the run. */
static void end_replay(struct zvmm *vm)
{
    struct determinism *state = vm->determinism;
    fprintf(stderr, "zvmm: stopped at event %llu, time=%llu\n", (unsigned long long)state->stop,
            (unsigned long long)determinism_clock(vm));
    record_close(&state->record);
    if (vm->config.gdb == NULL)
        vm_end(vm, ZVMM_END_STOP, 0);
    else if (gdb_open(vm, vm->config.gdb, &vm->error) != 0)
        vm->failed = true;
}

void determinism_stop(struct zvmm *vm, uint32_t why)
{
    struct determinism *state = vm->determinism;
    uint64_t here = state->stop;
    if (why == ZV_STOP_STEP)
        return; /* the exit is what was wanted: see exact.c */
    if (here == 0) {
        vm_remark(vm, "the guest stops for no reason");
        return;
    }
    bool last = here == vm->config.replay_to;
    if (last && compare_rest(vm) != 0)
        vm->failed = true;
    else if ((here == plan_event(vm) || (last && vm->config.snapshot_path != NULL)) &&
             plan_take_here(vm) != 0)
        vm->failed = true;
    else if (last)
        end_replay(vm);
    determinism_plan_stop(vm, here);
}
