/* verbs.c - what can be asked of a running machine; one row each. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "inspect/inspect.h"
#include "interrupt.h"
#include "snapshot/file.h"
#include "snapshot/take.h"
#include "vm.h"

/* ---- snapshot ---------------------------------------------------------------------------------
 */

struct snapshot_call {
    struct take *take;
    struct zvmm_error *error;
    int result;
};

static void begin_snapshot(struct zvmm *vm, void *argument)
{
    struct snapshot_call *call = argument;
    (void)vm;
    call->result = take_begin(call->take, call->error);
}

/* The machine stands still only until the writer has its copy; the answer comes with the file. */
static int take(struct zvmm *vm, const char *path, const char *parent, FILE *out,
                struct zvmm_error *error)
{
    struct take_request request = {.path = path, .parent = parent, .label = "control socket"};
    struct snapshot_call call = {.error = error};
    struct pause_job job = {.run = begin_snapshot, .argument = &call};
    if (take_new(vm, &request, &call.take, error) != 0)
        return -1;
    if (!pause_do(vm, &job)) {
        take_free(call.take);
        return error_set(error, "the machine has ended");
    }
    if (call.result != 0)
        return -1;
    uint64_t pause_us = vm->stats.snapshot_pause_ns / 1000;
    if (take_end(call.take, error) != 0)
        return -1;
    fprintf(out, "%s: the guest stood still for %llu us\n", path, (unsigned long long)pause_us);
    return 0;
}

static int run_snapshot(struct zvmm *vm, struct control_request *request, struct zvmm_error *error)
{
    bool has_parent = request->argc == 4 && strcmp(request->argv[2], "--parent") == 0;
    if (request->argc != 2 && !has_parent)
        return error_set(error, "usage: zvmm ctl SOCK snapshot FILE [--parent FILE]");
    char *path = control_file(request, request->argv[1]);
    char *parent = has_parent ? control_file(request, request->argv[3]) : NULL;
    int result = -1;
    if (path == NULL || (has_parent && parent == NULL))
        error_set(error, "out of memory");
    else
        result = take(vm, path, parent, request->out, error);
    free(parent);
    free(path);
    return result;
}

/* ---- inspect ------------------------------------------------------------------------------- */

static int run_inspect(struct zvmm *vm, struct control_request *request, struct zvmm_error *error)
{
    struct target target;
    struct inspector *inspector;
    if (target_from_vm(vm, &target, error) != 0 ||
        inspector_open(&target, NULL, false, &inspector, error) != 0)
        return -1;
    int failed =
        inspect_answer(inspector, request->argc - 1, request->argv + 1, request->out, error);
    inspector_close(inspector);
    return failed;
}

/* ---- others -----------------------------------------------------------------------------------
 */

static int run_status(struct zvmm *vm, struct control_request *request, struct zvmm_error *error)
{
    const struct zvmm_stats *stats = &vm->stats;
    (void)error;
    fprintf(request->out,
            "pid=%d guest=%s memory_mib=%llu runs=%llu hypercalls=%llu console_bytes=%llu "
            "snapshots=%llu up_ms=%llu\n",
            (int)getpid(), vm->config.guest_path, (unsigned long long)vm->memory.bytes >> 20,
            (unsigned long long)stats->runs, (unsigned long long)stats->hypercalls,
            (unsigned long long)stats->console_bytes, (unsigned long long)stats->snapshots,
            (unsigned long long)(clock_monotonic_ns() - stats->created_ns) / 1000000);
    return 0;
}

static int run_quit(struct zvmm *vm, struct control_request *request, struct zvmm_error *error)
{
    (void)request;
    (void)error;
    atomic_store(&vm->quit, true);
    interrupt_kick(vm);
    return 0;
}

const struct control_verb control_verbs[] = {
    {"snapshot", "FILE [--parent FILE]", false, run_snapshot},
    {"inspect", "[COMMAND ...]", true, run_inspect},
    {"status", "", true, run_status},
    {"quit", "", false, run_quit},
    {NULL, NULL, false, NULL},
};
