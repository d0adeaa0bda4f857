/* determinism.c - zvmm's side of deterministic mode. */
#include "determinism.h"

#include <stdio.h>
#include <stdlib.h>

#include "determinism-state.h"
#include "digest.h"
#include "interrupt.h"
#include "vm.h"

uint64_t determinism_clock(const struct zvmm *vm)
{
    return *(volatile uint64_t *)&vm->shared->virtual_tsc;
}

static void fail(struct zvmm *vm)
{
    vm->failed = true;
}

/* Before anything runs, and before a new log is begun. */
static int check_replay_to(const struct zvmm_config *config, struct zvmm_error *error)
{
    uint64_t events;
    if (config->replay_path == NULL)
        return 0;
    if (runlog_count(config->replay_path, &events, error) != 0)
        return -1;
    if (config->replay_to > events)
        return error_set(error, "replay: %s has no event %llu; the last one is %llu",
                         config->replay_path, (unsigned long long)config->replay_to,
                         (unsigned long long)events);
    return 0;
}

int determinism_new(struct zvmm *vm, struct zvmm_error *error)
{
    struct determinism *state = calloc(1, sizeof(*state));
    if (state == NULL)
        return error_set(error, "out of memory");
    vm->determinism = state;
    vm->config.deterministic = true;
    input_script_init(&state->input);
    preempt_init(&state->preempt);
    return 0;
}

int determinism_create(struct zvmm *vm, struct zvmm_error *error)
{
    if (determinism_new(vm, error) != 0 || check_replay_to(&vm->config, error) != 0)
        return -1;
    if (vm->config.input_path == NULL)
        return 0;
    return input_script_load(&vm->determinism->input, vm->config.input_path, error);
}

/* Whoever preempts user code that does not enter the kernel by itself. */
static int begin_limit(struct zvmm *vm, struct zvmm_error *error)
{
    struct determinism *state = vm->determinism;
    const struct zvmm_config *config = &vm->config;
    struct instruction_limit *limit = &state->exact.limit;
    const struct counter_provider *provider =
        config->preempt == ZVMM_PREEMPT_STEP ? &counter_step : &counter_pmu;
    bool counted = config->preempt != ZVMM_PREEMPT_TIME && config->gdb == NULL;
    if (counted && instruction_limit_open(limit, provider, &vm->kvm, config->preempt_period)) {
        instruction_limit_resume(limit, state->instructions, state->looked_at);
        return 0;
    }
    if (counted && config->preempt != ZVMM_PREEMPT_AUTO)
        return error_set(error,
                         "--preempt %s: this host cannot count a guest's instructions in that way; "
                         "use --preempt time",
                         provider->name);
    return preempt_begin(&state->preempt, vm->thread, error);
}

int determinism_begin(struct zvmm *vm, struct zvmm_error *error)
{
    struct determinism *state = vm->determinism;
    vm->shared->input_tsc = input_script_next(&state->input, state->taken);
    determinism_plan_stop(vm, state->events);
    if (record_begin(&state->record, vm, error) != 0)
        return -1;
    vm->shared->stepping = 0;
    return begin_limit(vm, error);
}

void determinism_destroy(struct zvmm *vm)
{
    if (vm->determinism == NULL)
        return;
    preempt_destroy(&vm->determinism->preempt);
    instruction_limit_close(&vm->determinism->exact.limit);
    input_script_free(&vm->determinism->input);
    record_close(&vm->determinism->record);
    free(vm->determinism);
    vm->determinism = NULL;
}

/*
 * In the kernel interrupts are off, and the kernel always comes back. User code may run as long as
 * it likes while nobody else wants to: then there is no deadline.
 */
void determinism_before_run(struct zvmm *vm)
{
    struct determinism *state = vm->determinism;
    bool wanted = *(volatile uint64_t *)&vm->shared->deadline_tsc != UINT64_MAX;
    bool in_user = vm->kvm.run->if_flag != 0;
    if (state->exact.limit.provider != NULL) {
        if (exact_before_run(&state->exact, vm, wanted))
            interrupt_raise(vm, INTERRUPT_EVENT, 0);
    } else if (preempt_due(&state->preempt, determinism_clock(vm), in_user && wanted)) {
        state->preemptions++;
        interrupt_raise(vm, INTERRUPT_EVENT, 0);
    }
    interrupt_deliver(vm);
    if (state->exact.window)
        vm->kvm.run->request_interrupt_window = 1;
}

bool determinism_stepped(struct zvmm *vm)
{
    return exact_stepped(&vm->determinism->exact);
}

/* ---- Hypercalls ----------------------------------------------------------------------------- */

int64_t determinism_console_read(struct zvmm *vm, uint8_t *to, uint64_t length)
{
    struct determinism *state = vm->determinism;
    int64_t got = input_script_read(&state->input, state->taken, determinism_clock(vm), to, length);
    if (got > 0)
        state->taken += (uint64_t)got;
    vm->shared->input_tsc = input_script_next(&state->input, state->taken);
    return got < 0 ? ZV_EEOF : got;
}

/* Looks at the machine if anybody wants to know; NULL `what`: only the log does. */
static void note_digest(struct zvmm *vm, const char *what, const char *name, int64_t number)
{
    struct determinism *state = vm->determinism;
    struct runlog_digest digest = {.event = state->events, .tsc = determinism_clock(vm)};
    char text[DIGEST_TEXT];
    bool print = vm->config.digest && what != NULL;
    if (!print && !record_is_active(&state->record))
        return;
    if (digest_take(vm, &digest.digest, &vm->error) != 0 ||
        record_digest(&state->record, &digest, &vm->error) != 0) {
        fail(vm);
        return;
    }
    digest_text(&digest.digest, text);
    if (print)
        fprintf(stderr, "zvmm: digest %s %s %s=%lld time=%llu events=%llu\n", text, what, name,
                (long long)number, (unsigned long long)digest.tsc,
                (unsigned long long)digest.event);
}

int64_t determinism_events(struct zvmm *vm, const struct zv_call *call)
{
    struct determinism *state = vm->determinism;
    uint64_t count = call->u.events.count, total = call->u.events.total;
    const struct zv_event *events;
    if (count > ZV_EVENTS_MAX || total != state->events + count ||
        call->u.events.paddr % sizeof(uint64_t) != 0)
        return ZV_EINVAL;
    events = memory_at(&vm->memory, gpa(call->u.events.paddr), count * sizeof(*events));
    if (events == NULL)
        return ZV_EFAULT;
    state->events = total;
    if (record_events(&state->record, events, count, &vm->error) != 0)
        fail(vm);
    else if (count == ZV_EVENTS_MAX)
        note_digest(vm, NULL, NULL, 0);
    return ZV_OK;
}

int64_t determinism_stuck(struct zvmm *vm)
{
    if (vm->mark != NULL) { /* a harness goes back and goes on */
        vm_end(vm, ZVMM_END_STOP, ZVMM_STOP_STUCK);
        return ZV_OK;
    }
    error_set(&vm->error,
              "deterministic run: every thread waits, without a deadline, and no input is left, so "
              "that nothing can ever happen; give the program more --input");
    fail(vm);
    return ZV_OK;
}

void determinism_marker(struct zvmm *vm, uint32_t id)
{
    note_digest(vm, "marker", "id", id);
}

static void end_record(struct zvmm *vm)
{
    struct determinism *state = vm->determinism;
    struct runlog_end end = {.events = state->events,
                             .tsc = determinism_clock(vm),
                             .code = vm->result.code,
                             .end = vm->result.end,
                             .preemptions = state->preemptions};
    bool compare = vm->result.end == ZVMM_END_EXIT;
    if (record_end(&state->record, &end, compare, &vm->error) != 0)
        fail(vm);
}

void determinism_end(struct zvmm *vm)
{
    struct determinism *state = vm->determinism;
    if (!vm->failed && vm->result.end == ZVMM_END_EXIT)
        note_digest(vm, "exit", "code", vm->result.code);
    if (!vm->failed)
        end_record(vm);
    if (state->exact.limit.missed != 0)
        fprintf(stderr,
                "zvmm: note: the counter of instructions was too late %llu times; this run is not "
                "guaranteed to repeat\n",
                (unsigned long long)state->exact.limit.missed);
    if (state->preemptions != 0)
        fprintf(
            stderr,
            "zvmm: note: user code ran for %u ms without entering the kernel and was preempted, "
            "%u times; this run is not guaranteed to repeat\n",
            PREEMPT_LIMIT_MS, state->preemptions);
}
