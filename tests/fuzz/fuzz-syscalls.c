/*
 * fuzz-syscalls.c - a libFuzzer target: the input is a sequence of system calls, made by whichever
 * thread the input picks, mixed with faults, time, console input, kills and failing allocations.
 * docs/fuzzing.md describes the encoding and what is checked after each step (check.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zircon/errors.h>

#include "args.h"
#include "aspace.h"
#include "check.h"
#include "debug.h"
#include "dispatch.h"
#include "heap.h"
#include "record.h"
#include "world.h"

#define MAX_STEPS 400u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct step {
    struct input *in;
    uint8_t what;
};

/* With FUZZ_TRACE set every call is printed: how a crash is read. */
static bool tracing(void)
{
    static int trace = -1;

    if (trace < 0)
        trace = getenv("FUZZ_TRACE") != NULL;
    return trace;
}

static void trace_call(const struct thread *thread, uint32_t number, const uint64_t args[8])
{
    fprintf(stderr, "thread %llu: %s(", (unsigned long long)thread->object.koid,
            syscall_name(number));
    for (int i = 0; i < 8; i++)
        fprintf(stderr, "%s%llx", i ? ", " : "", (unsigned long long)args[i]);
    fprintf(stderr, ")");
}

static void trace_result(const struct thread *thread)
{
    if (thread->state == THREAD_BLOCKED)
        fprintf(stderr, " blocks in %s\n", thread->wait.kind->name);
    else
        fprintf(stderr, " = %lld\n", (long long)thread->context.regs.rax);
}

/* ---- What a thread does in user mode --------------------------------------------------------- */

/* As at any instruction of the program, an injected failure hits what comes next. */
static void fail_something(uint8_t what, uint64_t n)
{
    if (what == STEP_FAIL_HEAP)
        heap_fail_nth(n);
    else if (what == STEP_FAIL_FRAME)
        fake_fail_frame(n);
    else
        fake_fail_map(n);
}

static void fail_nothing(void)
{
    heap_fail_nth(0);
    fake_fail_frame(0);
    fake_fail_map(0);
}

static void make_call(struct thread *thread, struct input *in, uint8_t what, uint8_t failing,
                      uint64_t nth)
{
    uint64_t args[8] = {0};
    uint32_t number = what % CALL_COUNT;

    if (!args_make(in, thread, number, args))
        return;
    if (tracing())
        trace_call(thread, number, args);
    if (failing)
        fail_something(failing, nth);
    world_syscall(thread, number, args);
    fail_nothing();
    if (tracing() && !world.exited)
        trace_result(thread);
}

static void make_fault(struct thread *thread, struct input *in, uint8_t what)
{
    uint8_t access = take8(in) & (HAL_FAULT_WRITE | HAL_FAULT_EXECUTE);
    struct hal_trap trap = {.kind = HAL_TRAP_PAGE_FAULT, .vector = 14, .access = access};

    if (what == STEP_FAULT) {
        trap.address = args_address(in, thread);
    } else {
        trap.kind = HAL_TRAP_EXCEPTION;
        trap.vector = take8(in) & 31;
    }
    if (tracing())
        fprintf(stderr, "thread %llu: trap %u at %llx\n", (unsigned long long)thread->object.koid,
                trap.vector, (unsigned long long)trap.address);
    thread_fault(thread, &trap);
}

static void user_step(struct thread *thread, void *arg)
{
    const struct step *step = arg;
    uint8_t what = step->what, failing = 0;
    uint64_t nth = 0;

    if (what >= STEP_FAIL_MAP && what <= STEP_FAIL_HEAP) {
        failing = what;
        nth = (take8(step->in) & 7) + 1u;
        what = take8(step->in);
    }
    if (what == STEP_FAULT || what == STEP_EXCEPTION)
        make_fault(thread, step->in, what);
    else if (what < STEP_FIRST)
        make_call(thread, step->in, what, failing, nth);
}

/* ---- Steps --------------------------------------------------------------------------------- */

/* Somebody has to be able to go on. False: nobody can any more. */
static bool make_ready(void)
{
    if (world_ready_thread(0))
        return true;
    if (world_idle())
        return true;
    return world_rescue();
}

static void kill_something(uint8_t what, struct thread *thread)
{
    if (tracing())
        fprintf(stderr, "kill %llu\n", (unsigned long long)thread->object.koid);
    if (what == STEP_KILL_THREAD)
        thread_kill(thread);
    else
        process_kill(thread->process, -1);
}

static void thread_step(struct input *in, uint8_t which, uint8_t what)
{
    struct thread *thread = world_ready_thread(which);
    struct step step = {in, what};

    if (!thread)
        return;
    if (what == STEP_KILL_THREAD || what == STEP_KILL_PROCESS)
        kill_something(what, thread);
    else
        world_turn(thread, what == STEP_SETTLE ? NULL : user_step, &step);
}

static void one_step(struct input *in)
{
    uint8_t what = take8(in), thread = take8(in);

    switch (what) {
    case STEP_ADVANCE:
        world_advance(take8(in));
        break;
    case STEP_DEADLINE:
        world_idle();
        break;
    case STEP_RUN_ALL:
        world_run_all();
        break;
    case STEP_CONSOLE:
        fake_console_clear();
        fake_console_input("x", false);
        hal_events();
        console_input_ready();
        break;
    default:
        thread_step(in, thread, what);
        break;
    }
}

/* The fake console takes 4096 bytes of input; each CONSOLE step adds one. */
_Static_assert(MAX_STEPS <= 4096, "console");

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;

    world_setup();
    check_world();
    for (unsigned i = 0; i < MAX_STEPS && data < end && !world.exited && make_ready(); i++) {
        size_t length = end - data < RECORD_BYTES ? (size_t)(end - data) : RECORD_BYTES;
        struct input record = {data, data + length};

        one_step(&record);
        if (!world.exited)
            check_world();
        data += length;
    }
    world_teardown();
    return 0;
}
