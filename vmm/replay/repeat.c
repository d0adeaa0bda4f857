/* repeat.c - a deterministic machine that is put back to a mark, and what a harness types. */
#include "determinism-state.h"
#include "determinism.h"
#include "vm.h"

int determinism_mark(const struct zvmm *vm, struct determinism_mark *mark, struct zvmm_error *error)
{
    const struct determinism *state = vm->determinism;
    if (record_is_active(&state->record))
        return error_set(error, "mark: a log cannot go back; leave out --log and --replay");
    *mark = (struct determinism_mark){
        .events = state->events,
        .taken = state->taken,
        .input_end = state->input.end,
        .texts = state->input.count,
        .preemptions = state->preemptions,
    };
    return 0;
}

void determinism_reset(struct zvmm *vm, const struct determinism_mark *mark)
{
    struct determinism *state = vm->determinism;
    state->events = mark->events;
    state->taken = mark->taken;
    state->input.count = mark->texts;
    state->input.end = mark->input_end;
    state->preemptions = mark->preemptions;
    determinism_plan_stop(vm, mark->events);
}

uint64_t determinism_type(struct zvmm *vm, const void *data, uint64_t length)
{
    struct determinism *state = vm->determinism;
    uint64_t taken = input_script_add(&state->input, determinism_clock(vm), data, length);
    vm->shared->input_tsc = input_script_next(&state->input, state->taken);
    return taken;
}
