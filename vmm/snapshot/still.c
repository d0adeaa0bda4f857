/* still.c - what a snapshot needs of a machine that stands still, and the file made of it. */
#include "snapshot/still.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "replay/determinism.h"
#include "snapshot/backed.h"
#include "snapshot/host.h"
#include "snapshot/write.h"
#include "vm.h"

/* ---- Reading ------------------------------------------------------------------------------------
 */

static void copy_input(struct still *still, struct console *console)
{
    pthread_mutex_lock(&console->lock);
    still->input_bytes = console->in_head - console->in_tail;
    for (uint64_t i = 0; i < still->input_bytes; i++)
        still->input[i] = console->in[(console->in_tail + i) % CONSOLE_INPUT_BYTES];
    still->machine.console_ended = console->in_ended;
    still->machine.console_announced = console->announced;
    pthread_mutex_unlock(&console->lock);
}

static void describe_machine(struct still *still, struct zvmm *vm)
{
    struct zsnap_machine *machine = &still->machine;
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

int still_read(struct still *still, struct zvmm *vm, struct zvmm_error *error)
{
    if (state_save(&still->state, &vm->kvm, (vm->features & ZV_FEATURE_XSAVE) != 0, error) != 0)
        return -1;
    describe_machine(still, vm);
    copy_input(still, &vm->console);
    return 0;
}

/* ---- Which pages --------------------------------------------------------------------------------
 */

/*
 * The pages that can differ from the parent, or from zero without one. In a machine that was
 * restored from that very parent these are the pages that have been copied since.
 */
static int choose_pages(struct page_set *set, const struct composition *composition,
                        struct zvmm_error *error)
{
    const struct zvmm *vm = composition->vm;
    const struct snapshot_file *parent = composition->parent;
    bool from_parent =
        parent != NULL && vm->origin != NULL &&
        memcmp(snapshot_header(parent)->uuid, snapshot_header(vm->origin)->uuid, 16) == 0;
    if (page_set_init(set, vm->memory.bytes) != 0)
        return error_set(error, "snapshot: out of memory");
    if (composition->known) {
        memcpy(set->words, vm->track.since_base.set.words, set->pages / 64 * 8);
        return 0;
    }
    if (!from_parent) {
        page_set_add_backed(set, vm);
        page_set_add_runs(set, parent);
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

/* ---- The small sections -------------------------------------------------------------------------
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
static const char *name_parent(const struct composition *composition, char absolute[PATH_MAX])
{
    const char *child = strrchr(composition->path, '/'),
               *parent = strrchr(composition->parent_path, '/');
    size_t child_folder = child != NULL ? (size_t)(child - composition->path) : 0;
    size_t parent_folder = parent != NULL ? (size_t)(parent - composition->parent_path) : 0;
    if ((child == NULL) == (parent == NULL) && child_folder == parent_folder &&
        strncmp(composition->path, composition->parent_path, child_folder) == 0)
        return parent != NULL ? parent + 1 : composition->parent_path;
    return realpath(composition->parent_path, absolute) != NULL ? absolute
                                                                : composition->parent_path;
}

static uint64_t utc_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void fill_header(struct zsnap_header *header, const struct composition *composition)
{
    const struct zvmm *vm = composition->vm;
    header->memory_bytes = vm->memory.bytes;
    header->utc_ns = utc_ns();
    memcpy(header->uuid, composition->uuid, sizeof(header->uuid));
    if (composition->parent != NULL)
        memcpy(header->parent, snapshot_header(composition->parent)->uuid, sizeof(header->parent));
    header->build_id_bytes = vm->image.build_id_bytes;
    memcpy(header->build_id, vm->image.build_id, sizeof(header->build_id));
    snprintf(header->zvmm_version, sizeof(header->zvmm_version), "%s", ZVMM_VERSION);
}

static int write_file(const struct composition *composition, const uint8_t *parent_memory,
                      const struct snapshot_extent *extents, uint64_t count,
                      struct zvmm_error *error)
{
    char guest[PATH_MAX], parent_name[PATH_MAX], host[HOST_ID_ROOM];
    const struct zvmm *vm = composition->vm;
    const struct still *still = composition->still;
    struct parts parts = {.count = 0};
    struct zsnap_determinism determinism;
    add_part(&parts, ZSNAP_MACHINE, &still->machine, sizeof(still->machine));
    if (vm->config.guest_path != NULL)
        add_text(&parts, ZSNAP_GUEST,
                 realpath(vm->config.guest_path, guest) != NULL ? guest : vm->config.guest_path);
    add_text(&parts, ZSNAP_CMDLINE, vm->config.cmdline);
    if (composition->parent != NULL)
        add_text(&parts, ZSNAP_PARENT, name_parent(composition, parent_name));
    add_text(&parts, ZSNAP_LABEL, composition->label);
    if (still->input_bytes != 0)
        add_part(&parts, ZSNAP_CONSOLE, still->input, still->input_bytes);
    add_text(&parts, ZSNAP_HOST, host_id(host));
    add_vcpu(&parts, &still->state);
    add_determinism(&parts, vm, &determinism);
    struct snapshot_image image = {.parts = parts.list,
                                   .num_parts = parts.count,
                                   .extents = extents,
                                   .num_extents = count,
                                   .parent = parent_memory,
                                   .sync = composition->sync};
    fill_header(&image.header, composition);
    return snapshot_write(composition->path, &image, error);
}

/* From the memory that this process has. */
static int compose_memory(const struct composition *composition, const uint8_t *parent_memory,
                          struct zvmm_error *error)
{
    struct page_set set = {0};
    struct snapshot_extent *extents = NULL;
    uint64_t count = 0;
    int result = choose_pages(&set, composition, error);
    if (result == 0)
        result = list_extents(&set, &composition->vm->memory, &extents, &count, error);
    if (result == 0)
        result = write_file(composition, parent_memory, extents, count, error);
    free(extents);
    page_set_free(&set);
    return result;
}

int still_compose(const struct composition *composition, struct zvmm_error *error)
{
    const struct aside *aside = composition->aside;
    uint8_t *parent_memory = NULL;
    int result = 0;
    if (composition->parent != NULL)
        result = snapshot_map(composition->parent, &parent_memory, error);
    if (result == 0 && aside != NULL)
        result = write_file(composition, parent_memory, aside->extents, aside->num_extents, error);
    else if (result == 0)
        result = compose_memory(composition, parent_memory, error);
    if (parent_memory != NULL)
        munmap(parent_memory, composition->vm->memory.bytes);
    return result;
}
