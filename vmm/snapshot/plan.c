/* plan.c - when a running machine takes a snapshot by itself: --snapshot-at, SIGUSR1, a panic. */
#include "snapshot/plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gdb/gdb.h"
#include "hypercall.h"
#include "pause.h"
#include "signals.h"
#include "snapshot/file.h"
#include "snapshot/state.h"
#include "snapshot/take.h"
#include "vm.h"

enum { PROCESS_NAME_MAX = 31 }; /* longer names are cut by the kernel */

#define EVENT_HELP                                                                                 \
    "marker:NAME, marker:NUMBER, time:DURATION, exits:COUNT, start:PROGRAM, exit:PROGRAM, "        \
    "event:NUMBER, "                                                                               \
    "end or panic"

/* ---- Events -----------------------------------------------------------------------------------
 */

static int parse_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0)
        return -1;
    *number = value;
    return 0;
}

/* "250ms", "1.5s", "40us", "7ns"; without a unit, seconds. */
static int parse_duration(const char *text, uint64_t *ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"", 1e9}};
    char *end;
    double value = strtod(text, &end);
    if (!isdigit((unsigned char)text[0]) || !(value >= 0))
        return -1;
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        if (value * units[i].ns >= 1e18)
            return -1;
        *ns = (uint64_t)(value * units[i].ns);
        return 0;
    }
    return -1;
}

static int parse_marker(struct plan *plan, const char *text)
{
    if (text[0] == '\0')
        return -1;
    if (parse_number(text, &plan->number) != 0)
        plan->name = text;
    return plan->name == NULL && plan->number > UINT32_MAX ? -1 : 0;
}

static int parse_program(struct plan *plan, const char *text)
{
    plan->name = text;
    return text[0] != '\0' ? 0 : -1;
}

static int parse_time(struct plan *plan, const char *text)
{
    return parse_duration(text, &plan->number);
}

static int parse_count(struct plan *plan, const char *text)
{
    return parse_number(text, &plan->number);
}

static int parse_event(struct plan *plan, const char *text)
{
    return parse_number(text, &plan->number) == 0 && plan->number != 0 ? 0 : -1;
}

static int parse_nothing(struct plan *plan, const char *text)
{
    (void)plan;
    return text[0] == '\0' ? 0 : -1;
}

int plan_parse(struct plan *plan, const char *event, struct zvmm_error *error)
{
    static const struct {
        const char *name;
        enum plan_kind kind;
        int (*parse)(struct plan *plan, const char *text);
    } kinds[] = {
        {"marker:", PLAN_MARKER, parse_marker}, {"time:", PLAN_TIME, parse_time},
        {"exits:", PLAN_EXITS, parse_count},    {"start:", PLAN_START, parse_program},
        {"exit:", PLAN_EXIT, parse_program},    {"panic", PLAN_PANIC, parse_nothing},
        {"event:", PLAN_EVENT, parse_event},    {"end", PLAN_END, parse_nothing},
    };
    *plan = (struct plan){.kind = PLAN_NEVER};
    if (event == NULL)
        return 0;
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t length = strlen(kinds[i].name);
        if (strncmp(event, kinds[i].name, length) != 0)
            continue;
        plan->kind = kinds[i].kind;
        if (kinds[i].parse(plan, event + length) == 0)
            return 0;
    }
    return error_set(error, "--snapshot-at: '%.80s' is not an event; use " EVENT_HELP, event);
}

bool plan_needs_processes(const struct plan *plan)
{
    bool named =
        plan->kind == PLAN_MARKER && plan->name != NULL && strncmp(plan->name, "process-", 8) == 0;
    return plan->kind == PLAN_START || plan->kind == PLAN_EXIT || named ||
           (plan->kind == PLAN_MARKER && plan->name == NULL &&
            (plan->number == ZV_MARKER_PROCESS_START || plan->number == ZV_MARKER_PROCESS_EXIT));
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* A process has its program's name, with its folder or without. */
static bool is_program(const struct plan *plan, const char *name)
{
    return name != NULL && strncmp(last_part(plan->name), last_part(name), PROCESS_NAME_MAX) == 0;
}

static bool is_marker(const struct plan *plan, uint32_t id, const char *name)
{
    static const char *const names[] = {
        [ZV_MARKER_KERNEL_ENTRY] = "kernel-entry",
        [ZV_MARKER_FIRST_USER] = "first-user",
        [ZV_MARKER_PROCESS_START] = "process-start",
        [ZV_MARKER_PROCESS_EXIT] = "process-exit",
    };
    if (plan->name == NULL)
        return plan->number == id;
    if (id < sizeof(names) / sizeof(names[0]) && names[id] != NULL &&
        strcmp(plan->name, names[id]) == 0)
        return true;
    return name != NULL && strcmp(plan->name, name) == 0;
}

static void fall_due(struct zvmm *vm)
{
    vm->plan.due = true;
    pause_want(vm);
}

static bool is_met_by_marker(const struct plan *plan, uint32_t id, const char *name)
{
    switch (plan->kind) {
    case PLAN_MARKER:
        return is_marker(plan, id, name);
    case PLAN_START:
        return id == ZV_MARKER_PROCESS_START && is_program(plan, name);
    case PLAN_EXIT:
        return id == ZV_MARKER_PROCESS_EXIT && is_program(plan, name);
    default:
        return false;
    }
}

void plan_see_marker(struct zvmm *vm, uint32_t id, uint64_t value, const char *name)
{
    if (is_met_by_marker(&vm->stop, id, name))
        vm_end(vm, ZVMM_END_STOP, (int64_t)value);
    if (!vm->plan.met && is_met_by_marker(&vm->plan, id, name))
        fall_due(vm);
}

static bool is_met_by_exit(const struct zvmm *vm, const struct plan *plan)
{
    return (plan->kind == PLAN_EXITS && vm->stats.runs >= plan->number) ||
           (plan->kind == PLAN_TIME && clock_monotonic_ns() >= plan->deadline_ns);
}

/* Whether SIGUSR1 has come, and can be served. */
static bool is_asked(const struct zvmm *vm)
{
    if (!vm->config.own_process || !signals_take_snapshot())
        return false;
    if (vm->sandboxed)
        fputs("zvmm: --sandbox lets no snapshot be written; run without it\n", stderr);
    return !vm->sandboxed;
}

void plan_see_exit(struct zvmm *vm)
{
    bool asked = is_asked(vm);
    if (asked || (!vm->plan.met && is_met_by_exit(vm, &vm->plan)))
        fall_due(vm);
    if (!vm->ended && vm->limit_ns != 0 && clock_monotonic_ns() >= vm->limit_ns)
        vm_end(vm, ZVMM_END_STOP, ZVMM_STOP_LATE);
    if (!vm->ended && !vm->stop.met && is_met_by_exit(vm, &vm->stop)) {
        vm->stop.met = true;
        vm_end(vm, ZVMM_END_STOP, 0);
    }
}

/* ---- Snapshots --------------------------------------------------------------------------------
 */

/* Where it goes: -o, or GUEST.zsnap in the current folder. */
static void choose_path(const struct zvmm *vm, const char *suffix, char *path, size_t room)
{
    const char *guest = vm->config.guest_path, *slash = guest ? strrchr(guest, '/') : NULL;
    if (vm->config.snapshot_path != NULL)
        snprintf(path, room, "%s", vm->config.snapshot_path);
    else
        snprintf(path, room, "%s%s",
                 slash != NULL   ? slash + 1
                 : guest != NULL ? guest
                                 : "guest",
                 suffix);
}

static int wait_for_writer(struct zvmm *vm, struct zvmm_error *error)
{
    struct take *take = vm->plan.take;
    vm->plan.take = NULL;
    return take != NULL ? take_end(take, error) : 0;
}

/* What --snapshot-at, -o and --parent ask for, as far as that can be done ahead. */
static int prepare(struct zvmm *vm, struct take **take, struct zvmm_error *error)
{
    char path[4096];
    choose_path(vm, ".zsnap", path, sizeof(path));
    struct take_request request = {.path = path,
                                   .parent = vm->config.snapshot_parent,
                                   .label = vm->config.snapshot_at};
    return take_new(vm, &request, take, error);
}

static int begin_take(struct zvmm *vm, struct zvmm_error *error)
{
    struct take *take = vm->plan.next;
    vm->plan.next = NULL;
    if (take == NULL && prepare(vm, &take, error) != 0)
        return -1;
    if (wait_for_writer(vm, error) != 0) {
        take_free(take);
        return -1;
    }
    if (take_begin(take, error) != 0)
        return -1;
    vm->plan.take = take;
    return 0;
}

void plan_serve(struct zvmm *vm)
{
    struct plan *plan = &vm->plan;
    char path[4096];
    if (!plan->due)
        return;
    plan->due = false;
    plan->met = true;
    choose_path(vm, ".zsnap", path, sizeof(path));
    if (begin_take(vm, &vm->error) != 0)
        vm->failed = true;
    else
        vm_remark(vm, "snapshot %s: the guest stood still for %llu us", path,
                  (unsigned long long)vm->stats.snapshot_pause_ns / 1000);
}

uint64_t plan_event(const struct zvmm *vm)
{
    return vm->plan.kind == PLAN_EVENT && !vm->plan.met ? vm->plan.number : 0;
}

int plan_take_here(struct zvmm *vm)
{
    if (vm_settle(vm, &vm->error) != 0)
        return -1;
    gdb_hide(vm);
    vm->plan.due = true;
    plan_serve(vm);
    return vm->failed ? -1 : 0;
}

static int check_parent(const char *path, struct zvmm_error *error)
{
    struct snapshot_file *file;
    if (path == NULL)
        return 0;
    if (snapshot_open(&file, path, error) != 0)
        return -1;
    snapshot_close(file);
    return 0;
}

/* Better before a long run than after it. */
static int check_folder(const char *path, struct zvmm_error *error)
{
    char folder[4096];
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    if (path == NULL)
        return 0;
    snprintf(folder, sizeof(folder), "%.*s",
             slash == NULL ? 1 : (int)(slash - path + (slash == path)), slash == NULL ? "." : path);
    if (access(folder, W_OK | X_OK) == 0)
        return 0;
    return error_set(error,
                     "%s: cannot create the snapshot: %s; name a file in a folder that you may "
                     "write to",
                     path, strerror(errno));
}

static int no_timer(struct zvmm_error *error)
{
    return error_set(error, "the host has no timer left; raise the limit of pending signals "
                            "(ulimit -i)");
}

/* The vCPU's thread is woken by the same signal as for the guest's own timer. */
static int set_alarm(struct zvmm *vm, struct plan *plan, struct zvmm_error *error)
{
    plan->deadline_ns = clock_monotonic_ns() + plan->number;
    if (plan->kind != PLAN_TIME || timer_alarm(vm, plan->number) == 0)
        return 0;
    return no_timer(error);
}

int plan_begin(struct zvmm *vm, struct zvmm_error *error)
{
    bool first = vm->plan.kind == PLAN_NEVER;
    if ((first && plan_parse(&vm->plan, vm->config.snapshot_at, error) != 0) ||
        check_folder(vm->config.snapshot_path, error) != 0)
        return -1;
    bool planned = vm->plan.kind != PLAN_NEVER && vm->plan.kind != PLAN_PANIC && !vm->plan.met;
    if (planned && vm->plan.next == NULL && prepare(vm, &vm->plan.next, error) != 0)
        return -1;
    if (planned)
        state_prepare(&vm->kvm);
    if (!planned && check_parent(vm->config.snapshot_parent, error) != 0)
        return -1;
    if (vm->stop.kind == PLAN_NEVER && plan_parse(&vm->stop, vm->config.stop_at, error) != 0)
        return -1;
    if (set_alarm(vm, &vm->plan, error) != 0 || set_alarm(vm, &vm->stop, error) != 0)
        return -1;
    if (vm->config.stop_after_ns != 0) {
        vm->limit_ns = clock_monotonic_ns() + vm->config.stop_after_ns;
        if (timer_alarm(vm, vm->config.stop_after_ns) != 0)
            return no_timer(error);
    }
    plan_see_exit(vm); /* exits:0 is now */
    return 0;
}

/* The guest has failed. Not writing its state is no reason to hide that. */
static void take_panic(struct zvmm *vm)
{
    struct zvmm_error error;
    char path[4096];
    choose_path(vm, ".panic.zsnap", path, sizeof(path));
    if (vm->kvm.run->exit_reason == KVM_EXIT_IO && vm_settle(vm, &error) != 0) {
        fprintf(stderr, "zvmm: no snapshot of the failure: %s\n", error.text);
        return;
    }
    struct take_request request = {
        .path = path, .parent = vm->config.snapshot_parent, .label = "panic"};
    if (wait_for_writer(vm, &error) != 0 || take_now(vm, &request, &error) != 0)
        fprintf(stderr, "zvmm: no snapshot of the failure: %s\n", error.text);
    else
        fprintf(stderr, "zvmm: its state is in %s; look at it with: zvmm inspect %s summary\n",
                path, path);
    vm->plan.met = true;
}

int plan_end(struct zvmm *vm, struct zvmm_error *error)
{
    const struct plan *plan = &vm->plan;
    bool failed = vm->ended && vm->result.end == ZVMM_END_GUEST;
    if (plan->kind == PLAN_END && vm->ended && vm->result.end == ZVMM_END_EXIT && !vm->failed &&
        plan_take_here(vm) != 0)
        return -1;
    if (failed && (vm->config.panic_snapshot || plan->kind == PLAN_PANIC))
        take_panic(vm);
    take_free(vm->plan.next);
    vm->plan.next = NULL;
    if (wait_for_writer(vm, error) != 0)
        return -1;
    if (plan->kind == PLAN_NEVER || plan->met || vm->failed || vm->result.end == ZVMM_END_STOP)
        return 0;
    return error_set(error,
                     "--snapshot-at %s: the run has ended and this has not happened; there is no "
                     "snapshot",
                     vm->config.snapshot_at);
}
