/* take.c - taking a snapshot of a machine that goes on. */
#include "snapshot/take.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "replay/determinism.h"
#include "snapshot/file.h"
#include "snapshot/host.h"
#include "snapshot/pages.h"
#include "snapshot/state.h"
#include "snapshot/write.h"
#include "vm.h"

/* What the writer says, in memory shared with it. */
struct report {
    bool done;
    struct zvmm_error error;
};

struct take {
    pid_t child;
    struct report *report;
    char *path, *parent, *label; /* owned */
    bool quick;
    struct vcpu_state state;
    struct zsnap_machine machine;
    uint8_t uuid[16];
    uint8_t input[CONSOLE_INPUT_BYTES];
    uint64_t input_bytes;
};

/* ---- In the machine's process: read the state ------------------------------------------------ */

static void copy_input(struct take *take, struct console *console)
{
    pthread_mutex_lock(&console->lock);
    take->input_bytes = console->in_head - console->in_tail;
    for (uint64_t i = 0; i < take->input_bytes; i++)
        take->input[i] = console->in[(console->in_tail + i) % CONSOLE_INPUT_BYTES];
    take->machine.console_ended = console->in_ended;
    take->machine.console_announced = console->announced;
    pthread_mutex_unlock(&console->lock);
}

static void describe_machine(struct take *take, struct zvmm *vm)
{
    struct zsnap_machine *machine = &take->machine;
    const struct boot_block *boot = &vm->boot;
    *machine = (struct zsnap_machine){
        .tsc = clock_guest_tsc(&vm->clock),
        .tsc_khz = vm->clock.khz,
        .quirks = vm->quirks,
        .features = vm->features,
        .pending = atomic_load(&vm->pending),
        .timer_fired = vm->timer.fired,
        .console_tail = vm->console.out_tail,
        .info = boot->info,
        .gdt = boot->gdt,
        .cmdline = boot->cmdline,
        .shared = boot->shared,
        .stack = boot->stack,
        .stack_top = boot->stack_top,
        .tables = boot->tables,
        .end = boot->end,
        .entry = vm->image.entry,
        .num_ranges = vm->layout.count,
        .num_modules = vm->modules.count,
    };
    if (vm->determinism != NULL) {
        machine->tsc = determinism_clock(vm);
        machine->tsc_khz = DETERMINISTIC_KHZ;
    }
    memcpy(machine->ranges, vm->layout.ranges, sizeof(machine->ranges));
    memcpy(machine->modules, vm->modules.entries, sizeof(machine->modules));
}

static void take_free(struct take *take)
{
    if (take == NULL)
        return;
    if (take->report != NULL)
        munmap(take->report, sizeof(*take->report));
    free(take->path);
    free(take->parent);
    free(take->label);
    free(take);
}

static struct take *take_new(const struct take_request *request)
{
    struct take *take = calloc(1, sizeof(*take));
    if (take == NULL)
        return NULL;
    take->path = strdup(request->path);
    take->parent = strdup(request->parent != NULL ? request->parent : "");
    take->label = strdup(request->label != NULL ? request->label : "");
    take->quick = request->quick;
    void *report = mmap(NULL, sizeof(*take->report), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    take->report = report != MAP_FAILED ? report : NULL;
    if (take->path == NULL || take->parent == NULL || take->label == NULL || take->report == NULL ||
        getrandom(take->uuid, sizeof(take->uuid), 0) != sizeof(take->uuid)) {
        take_free(take);
        return NULL;
    }
    return take;
}

/* ---- In the writer: memory as it was at the fork ----------------------------------------------
 */

static void add_runs(struct page_set *set, const struct snapshot_file *file)
{
    for (; file != NULL; file = snapshot_parent(file)) {
        uint64_t count;
        const struct zsnap_run *runs = snapshot_runs(file, &count);
        for (uint64_t i = 0; i < count; i++)
            page_set_add(set, runs[i].paddr, runs[i].length);
    }
}

void take_add_backed(struct page_set *set, const struct zvmm *vm)
{
    add_runs(set, vm->origin);
    for (uint32_t i = 0; i < vm->layout.count; i++)
        if (vm->origin == NULL && (vm->layout.ranges[i].type == ZV_MEM_KERNEL ||
                                   vm->layout.ranges[i].type == ZV_MEM_MODULE))
            page_set_add(set, vm->layout.ranges[i].base, vm->layout.ranges[i].length);
}

/*
 * The pages that can differ from the parent, or from zero without one. In a machine that was
 * restored from that very parent these are the pages that have been copied since.
 */
static int choose_pages(struct page_set *set, const struct zvmm *vm,
                        const struct snapshot_file *parent, struct zvmm_error *error)
{
    bool from_parent =
        parent != NULL && vm->origin != NULL &&
        memcmp(snapshot_header(parent)->uuid, snapshot_header(vm->origin)->uuid, 16) == 0;
    if (page_set_init(set, vm->memory.bytes) != 0)
        return error_set(error, "snapshot: out of memory");
    if (!from_parent) {
        take_add_backed(set, vm);
        add_runs(set, parent);
    }
    if (page_set_add_present(set, &vm->memory, from_parent) != 0)
        return error_set(error, "snapshot: cannot read /proc/self/pagemap: %s; mount /proc",
                         strerror(errno));
    return 0;
}

static int list_extents(const struct page_set *set, const struct memory *memory,
                        struct snapshot_extent **out, uint64_t *count, struct zvmm_error *error)
{
    uint64_t at = 0, end = 0, number = 0;
    while (page_set_next(set, &at, &end)) {
        number++;
        at = end;
    }
    struct snapshot_extent *extents = calloc(number + 1, sizeof(*extents));
    if (extents == NULL)
        return error_set(error, "snapshot: out of memory");
    *count = 0;
    for (at = 0; page_set_next(set, &at, &end); at = end)
        extents[(*count)++] = (struct snapshot_extent){.paddr = at * PAGE_BYTES,
                                                       .length = (end - at) * PAGE_BYTES,
                                                       .data = memory->base + at * PAGE_BYTES};
    *out = extents;
    return 0;
}

/* ---- In the writer: the small sections --------------------------------------------------------
 */

enum { PARTS_MAX = 24 };

struct parts {
    struct snapshot_part list[PARTS_MAX];
    uint32_t count;
};

static void add_part(struct parts *parts, uint32_t type, const void *bytes, uint64_t length)
{
    parts->list[parts->count++] =
        (struct snapshot_part){.type = type, .bytes = bytes, .length = length};
}

static void add_text(struct parts *parts, uint32_t type, const char *text)
{
    if (text[0] != '\0')
        add_part(parts, type, text, strlen(text));
}

static void add_vcpu(struct parts *parts, const struct vcpu_state *state)
{
    add_part(parts, ZSNAP_REGS, &state->regs, sizeof(state->regs));
    add_part(parts, ZSNAP_SREGS, &state->sregs, sizeof(state->sregs));
    add_part(parts, ZSNAP_XSAVE, &state->xsave, sizeof(state->xsave));
    if (state->has_xcrs)
        add_part(parts, ZSNAP_XCRS, &state->xcrs, sizeof(state->xcrs));
    add_part(parts, ZSNAP_DEBUGREGS, &state->debugregs, sizeof(state->debugregs));
    add_part(parts, ZSNAP_EVENTS, &state->events, sizeof(state->events));
    add_part(parts, ZSNAP_MP_STATE, &state->mp_state, sizeof(state->mp_state));
    add_part(parts, ZSNAP_MSRS, state->msrs, state->num_msrs * sizeof(state->msrs[0]));
    add_part(parts, ZSNAP_CPUID, state->cpuid, state->num_cpuid * sizeof(state->cpuid[0]));
    if (state->has_irqchip)
        add_part(parts, ZSNAP_LAPIC, &state->lapic, sizeof(state->lapic));
}

static void add_determinism(struct parts *parts, const struct zvmm *vm,
                            struct zsnap_determinism *saved)
{
    if (vm->determinism == NULL)
        return;
    const struct input_script *input = determinism_save(vm, saved);
    add_part(parts, ZSNAP_DETERMINISM, saved, sizeof(*saved));
    if (input->count == 0)
        return;
    add_part(parts, ZSNAP_INPUT, input->bytes, input_script_bytes(input));
    add_part(parts, ZSNAP_INPUT_TEXTS, input->texts, input->count * sizeof(input->texts[0]));
}

/* A parent in the same folder is named without it, so that both can move together. */
static const char *name_parent(const struct take *take, char absolute[PATH_MAX])
{
    const char *child = strrchr(take->path, '/'), *parent = strrchr(take->parent, '/');
    size_t child_folder = child != NULL ? (size_t)(child - take->path) : 0;
    size_t parent_folder = parent != NULL ? (size_t)(parent - take->parent) : 0;
    if ((child == NULL) == (parent == NULL) && child_folder == parent_folder &&
        strncmp(take->path, take->parent, child_folder) == 0)
        return parent != NULL ? parent + 1 : take->parent;
    return realpath(take->parent, absolute) != NULL ? absolute : take->parent;
}

static uint64_t utc_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fill_header(struct zsnap_header *header, const struct take *take, const struct zvmm *vm,
                        const struct snapshot_file *parent)
{
    header->memory_bytes = vm->memory.bytes;
    header->utc_ns = utc_ns();
    memcpy(header->uuid, take->uuid, sizeof(header->uuid));
    if (parent != NULL)
        memcpy(header->parent, snapshot_header(parent)->uuid, sizeof(header->parent));
    header->build_id_bytes = vm->image.build_id_bytes;
    memcpy(header->build_id, vm->image.build_id, sizeof(header->build_id));
    snprintf(header->zvmm_version, sizeof(header->zvmm_version), "%s", ZVMM_VERSION);
}

static int write_file(const struct take *take, const struct zvmm *vm,
                      const struct snapshot_file *parent, const uint8_t *parent_memory,
                      const struct snapshot_extent *extents, uint64_t count,
                      struct zvmm_error *error)
{
    char guest[PATH_MAX], parent_name[PATH_MAX], host[HOST_ID_ROOM];
    struct parts parts = {.count = 0};
    struct zsnap_determinism determinism;
    add_part(&parts, ZSNAP_MACHINE, &take->machine, sizeof(take->machine));
    if (vm->config.guest_path != NULL)
        add_text(&parts, ZSNAP_GUEST,
                 realpath(vm->config.guest_path, guest) != NULL ? guest : vm->config.guest_path);
    add_text(&parts, ZSNAP_CMDLINE, vm->config.cmdline);
    if (parent != NULL)
        add_text(&parts, ZSNAP_PARENT, name_parent(take, parent_name));
    add_text(&parts, ZSNAP_LABEL, take->label);
    if (take->input_bytes != 0)
        add_part(&parts, ZSNAP_CONSOLE, take->input, take->input_bytes);
    add_text(&parts, ZSNAP_HOST, host_id(host));
    add_vcpu(&parts, &take->state);
    add_determinism(&parts, vm, &determinism);
    struct snapshot_image image = {.parts = parts.list,
                                   .num_parts = parts.count,
                                   .extents = extents,
                                   .num_extents = count,
                                   .parent = parent_memory,
                                   .sync = !take->quick};
    fill_header(&image.header, take, vm, parent);
    return snapshot_write(take->path, &image, error);
}

static int open_parent(const struct take *take, const struct zvmm *vm,
                       struct snapshot_file **parent, uint8_t **memory, struct zvmm_error *error)
{
    if (take->parent[0] == '\0')
        return 0;
    if (snapshot_open(parent, take->parent, error) != 0)
        return -1;
    if (snapshot_header(*parent)->memory_bytes != vm->memory.bytes)
        return error_set(error,
                         "%s: is a snapshot of %llu MiB and cannot be the parent of one of "
                         "%llu MiB",
                         take->parent,
                         (unsigned long long)(snapshot_header(*parent)->memory_bytes >> 20),
                         (unsigned long long)(vm->memory.bytes >> 20));
    return snapshot_map(*parent, memory, error);
}

static int write_all(const struct take *take, const struct zvmm *vm, struct zvmm_error *error)
{
    struct snapshot_file *parent = NULL;
    uint8_t *parent_memory = NULL;
    struct page_set set = {0};
    struct snapshot_extent *extents = NULL;
    uint64_t count = 0;
    int result = open_parent(take, vm, &parent, &parent_memory, error);
    if (result == 0)
        result = choose_pages(&set, vm, parent, error);
    if (result == 0)
        result = list_extents(&set, &vm->memory, &extents, &count, error);
    if (result == 0)
        result = write_file(take, vm, parent, parent_memory, extents, count, error);
    free(extents);
    page_set_free(&set);
    if (parent_memory != NULL)
        munmap(parent_memory, vm->memory.bytes);
    snapshot_close(parent);
    return result;
}

/* ---- Both -------------------------------------------------------------------------------------
 */

int take_begin(struct zvmm *vm, const struct take_request *request, struct take **out,
               struct zvmm_error *error)
{
    uint64_t begin = clock_monotonic_ns();
    struct take *take = take_new(request);
    if (take == NULL)
        return error_set(error, "snapshot: out of memory");
    if (state_save(&take->state, &vm->kvm, (vm->features & ZV_FEATURE_XSAVE) != 0, error) != 0) {
        take_free(take);
        return -1;
    }
    describe_machine(take, vm);
    copy_input(take, &vm->console);
    take->child = fork();
    if (take->child == 0) {
        prctl(PR_SET_NAME, "zvmm-snapshot");
        int result = write_all(take, vm, &take->report->error);
        take->report->done = true;
        _exit(result == 0 ? 0 : ZVMM_EXIT_HOST);
    }
    if (take->child < 0) {
        error_set(error, "snapshot: cannot fork: %s; raise the limit of processes or free memory",
                  strerror(errno));
        take_free(take);
        return -1;
    }
    vm->stats.snapshots++;
    vm->stats.snapshot_pause_ns = clock_monotonic_ns() - begin;
    *out = take;
    return 0;
}

int take_end(struct take *take, struct zvmm_error *error)
{
    int status = 0, result = 0;
    pid_t pid;
    do
        pid = waitpid(take->child, &status, 0);
    while (pid < 0 && errno == EINTR);
    if (!take->report->done)
        result =
            error_set(error, "%s: the process that writes the snapshot was killed (status %#x)",
                      take->path, status);
    else if (take->report->error.text[0] != '\0') {
        *error = take->report->error;
        result = -1;
    }
    take_free(take);
    return result;
}
