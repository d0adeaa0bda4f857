/* determinism.c - zvmm's side of deterministic mode. */
#include "determinism.h"

#include <stdio.h>
#include <stdlib.h>

#include "digest.h"
#include "interrupt.h"
#include "preempt.h"
#include "vm.h"

struct determinism {
    struct input_script input;
    uint64_t taken; /* bytes of it */
    struct preempt preempt;
    uint64_t preemptions;
    uint64_t events; /* those that the guest has reported */
};

static uint64_t virtual_tsc(const struct zvmm *vm)
{
    return *(volatile uint64_t *)&vm->shared->virtual_tsc;
}

static void fail(struct zvmm *vm)
{
    vm->failed = true;
}

int determinism_create(struct zvmm *vm, struct zvmm_error *error)
{
    struct determinism *state = calloc(1, sizeof(*state));
    if (state == NULL)
        return error_set(error, "out of memory");
    vm->determinism = state;
    input_script_init(&state->input);
    preempt_init(&state->preempt);
    if (vm->config.input_path == NULL)
        return 0;
    return input_script_load(&state->input, vm->config.input_path, error);
}

int determinism_begin(struct zvmm *vm, struct zvmm_error *error)
{
    struct determinism *state = vm->determinism;
    vm->shared->input_tsc = input_script_next(&state->input, 0);
    return preempt_begin(&state->preempt, vm->thread, error);
}

void determinism_destroy(struct zvmm *vm)
{
    if (vm->determinism == NULL)
        return;
    preempt_destroy(&vm->determinism->preempt);
    input_script_free(&vm->determinism->input);
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
    if (preempt_due(&state->preempt, virtual_tsc(vm), in_user && wanted)) {
        state->preemptions++;
        interrupt_raise(vm, INTERRUPT_EVENT, 0);
    }
    interrupt_deliver(vm);
}

/* ---- Hypercalls ----------------------------------------------------------------------------- */

int64_t determinism_console_read(struct zvmm *vm, uint8_t *to, uint64_t length)
{
    struct determinism *state = vm->determinism;
    int64_t got = input_script_read(&state->input, state->taken, virtual_tsc(vm), to, length);
    if (got > 0)
        state->taken += (uint64_t)got;
    vm->shared->input_tsc = input_script_next(&state->input, state->taken);
    return got < 0 ? ZV_EEOF : got;
}

int64_t determinism_events(struct zvmm *vm, const struct zv_call *call)
{
    const struct zv_event *events;
    uint64_t count = call->u.events.count;
    if (count > ZV_EVENTS_MAX || call->u.events.paddr % sizeof(uint64_t) != 0)
        return ZV_EINVAL;
    events = memory_at(&vm->memory, gpa(call->u.events.paddr), count * sizeof(*events));
    if (events == NULL)
        return ZV_EFAULT;
    vm->determinism->events = call->u.events.total;
    return ZV_OK;
}

int64_t determinism_stuck(struct zvmm *vm)
{
    error_set(&vm->error,
              "deterministic run: every thread waits, without a deadline, and no input is left, so "
              "that nothing can ever happen; give the program more --input");
    fail(vm);
    return ZV_OK;
}

/* ---- Digests -------------------------------------------------------------------------------- */

static void print_digest(struct zvmm *vm, const char *what, const char *name, int64_t number)
{
    struct digest digest;
    char text[DIGEST_TEXT];
    if (digest_take(vm, &digest, &vm->error) != 0) {
        fail(vm);
        return;
    }
    digest_text(&digest, text);
    fprintf(stderr, "zvmm: digest %s %s %s=%lld time=%llu events=%llu\n", text, what, name,
            (long long)number, (unsigned long long)virtual_tsc(vm),
            (unsigned long long)vm->determinism->events);
}

void determinism_marker(struct zvmm *vm, uint32_t id, uint64_t value)
{
    (void)value;
    if (vm->config.digest)
        print_digest(vm, "marker", "id", id);
}

void determinism_end(struct zvmm *vm)
{
    struct determinism *state = vm->determinism;
    if (vm->config.digest && !vm->failed && vm->result.end == ZVMM_END_EXIT)
        print_digest(vm, "exit", "code", vm->result.code);
    if (state->preemptions != 0)
        fprintf(
            stderr,
            "zvmm: note: user code ran for %u ms without entering the kernel and was preempted, "
            "%llu times; this run is not guaranteed to repeat\n",
            PREEMPT_LIMIT_MS, (unsigned long long)state->preemptions);
}
