/* restore.c - a machine out of a snapshot file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "replay/determinism.h"
#include "snapshot/host.h"
#include "snapshot/restore.h"
#include "snapshot/state.h"
#include "snapshot/take.h"
#include "snapshot/time.h"
#include "vm.h"

/* What the steps of a restore hand on to each other. */
struct restore {
    struct zvmm *vm;
    const struct snapshot_file *file;
    const struct zsnap_machine *machine;
    struct vcpu_state state;
    struct zvmm_error *error;
};

static int damaged(const struct restore *restore, const char *what)
{
    return error_set(restore->error, "%s: is damaged: %s; copy it again",
                     snapshot_path(restore->file), what);
}

/* ---- What zvmm knows of the machine -----------------------------------------------------------
 */

static bool inside(const struct restore *restore, uint64_t paddr, uint64_t length)
{
    uint64_t bytes = snapshot_header(restore->file)->memory_bytes;
    return paddr <= bytes && length <= bytes - paddr;
}

/* The fields that later code relies on; the others are only handed on to the next snapshot. */
static int check_machine(struct restore *restore)
{
    const struct zsnap_machine *machine = restore->machine;
    uint64_t end = 0;
    if (machine->num_ranges > ZV_BOOT_RANGES || machine->num_modules > ZV_BOOT_MODULES)
        return damaged(restore, "its tables are too long");
    for (uint32_t i = 0; i < machine->num_ranges; i++) {
        const struct zv_memory_range *range = &machine->ranges[i];
        if (range->base % PAGE_BYTES != 0 || range->length % PAGE_BYTES != 0 || range->base < end ||
            !inside(restore, range->base, range->length))
            return damaged(restore, "its memory map makes no sense");
        end = range->base + range->length;
    }
    if (machine->shared % PAGE_BYTES != 0 ||
        !inside(restore, machine->shared, sizeof(struct zv_shared_page)) ||
        machine->info % 8 != 0 || !inside(restore, machine->info, sizeof(struct zv_boot_info)))
        return damaged(restore, "its boot block lies outside its memory");
    if ((machine->features & ZV_FEATURE_DETERMINISTIC) != 0 &&
        (machine->features & ZV_FEATURE_LAPIC) != 0)
        return damaged(restore, "a deterministic machine has no interrupt controller");
    if (machine->tsc_khz == 0)
        return damaged(restore, "its clock stands still");
    return 0;
}

static int read_machine(struct restore *restore)
{
    restore->machine =
        snapshot_need(restore->file, ZSNAP_MACHINE, sizeof(*restore->machine), restore->error);
    if (restore->machine == NULL || check_machine(restore) != 0)
        return -1;
    struct zvmm *vm = restore->vm;
    const struct zsnap_machine *machine = restore->machine;
    vm->quirks = machine->quirks;
    vm->features = machine->features;
    vm->boot = (struct boot_block){
        .info = machine->info,
        .gdt = machine->gdt,
        .cmdline = machine->cmdline,
        .shared = machine->shared,
        .stack = machine->stack,
        .stack_top = machine->stack_top,
        .tables = machine->tables,
        .end = machine->end,
    };
    vm->image.entry = machine->entry;
    vm->layout.count = machine->num_ranges;
    memcpy(vm->layout.ranges, machine->ranges, sizeof(vm->layout.ranges));
    vm->modules.count = machine->num_modules;
    memcpy(vm->modules.entries, machine->modules, sizeof(vm->modules.entries));
    return 0;
}

/* Texts live in the file, which the machine keeps open. */
static void adopt_texts(struct restore *restore)
{
    struct zvmm *vm = restore->vm;
    const struct zsnap_header *header = snapshot_header(restore->file);
    const char *guest = snapshot_text(restore->file, ZSNAP_GUEST);
    if (vm->config.guest_path == NULL && guest[0] != '\0')
        vm->config.guest_path = guest;
    vm->config.cmdline = snapshot_text(restore->file, ZSNAP_CMDLINE);
    vm->config.memory_bytes = header->memory_bytes;
    vm->image.build_id_bytes = header->build_id_bytes;
    memcpy(vm->image.build_id, header->build_id, sizeof(vm->image.build_id));
}

static int restore_console(struct restore *restore)
{
    struct console *console = &restore->vm->console;
    uint64_t length = 0;
    const uint8_t *input = snapshot_section(restore->file, ZSNAP_CONSOLE, &length);
    if (length > CONSOLE_INPUT_BYTES)
        return damaged(restore, "more console input than there is room for");
    if (input != NULL)
        memcpy(console->in, input, length);
    console->in_head = (uint32_t)length;
    console->announced = restore->machine->console_announced != 0;
    console->out_tail = restore->machine->console_tail;
    return 0;
}

/* ---- The vCPU ---------------------------------------------------------------------------------
 */

/* A section of fixed size into its place in the state. */
static int read_part(struct restore *restore, uint32_t type, void *to, uint64_t length)
{
    const void *bytes = snapshot_need(restore->file, type, length, restore->error);
    if (bytes == NULL)
        return -1;
    memcpy(to, bytes, length);
    return 0;
}

/* A section that is a table of at most `room` entries of `size` bytes; *count is what it has. */
static int read_table(struct restore *restore, uint32_t type, void *to, uint64_t size,
                      uint64_t room, uint32_t *count)
{
    uint64_t length = 0;
    const void *bytes = snapshot_section(restore->file, type, &length);
    if (bytes == NULL || length % size != 0 || length / size > room)
        return damaged(restore, "a table of its processor is missing or too long");
    memcpy(to, bytes, length);
    *count = (uint32_t)(length / size);
    return 0;
}

static int read_state(struct restore *restore)
{
    struct vcpu_state *state = &restore->state;
    state->has_xcrs = (restore->machine->features & ZV_FEATURE_XSAVE) != 0;
    state->has_irqchip = (restore->machine->features & ZV_FEATURE_LAPIC) != 0;
    if (read_part(restore, ZSNAP_REGS, &state->regs, sizeof(state->regs)) != 0 ||
        read_part(restore, ZSNAP_SREGS, &state->sregs, sizeof(state->sregs)) != 0 ||
        read_part(restore, ZSNAP_XSAVE, &state->xsave, sizeof(state->xsave)) != 0 ||
        read_part(restore, ZSNAP_DEBUGREGS, &state->debugregs, sizeof(state->debugregs)) != 0 ||
        read_part(restore, ZSNAP_EVENTS, &state->events, sizeof(state->events)) != 0 ||
        read_part(restore, ZSNAP_MP_STATE, &state->mp_state, sizeof(state->mp_state)) != 0 ||
        read_table(restore, ZSNAP_MSRS, state->msrs, sizeof(state->msrs[0]), STATE_MSRS,
                   &state->num_msrs) != 0 ||
        read_table(restore, ZSNAP_CPUID, state->cpuid, sizeof(state->cpuid[0]), STATE_CPUID,
                   &state->num_cpuid) != 0)
        return -1;
    if (state->has_xcrs && read_part(restore, ZSNAP_XCRS, &state->xcrs, sizeof(state->xcrs)) != 0)
        return -1;
    if (!state->has_irqchip)
        return 0;
    return read_part(restore, ZSNAP_LAPIC, &state->lapic, sizeof(state->lapic));
}

static int map_memory(struct restore *restore)
{
    struct memory *memory = &restore->vm->memory;
    if (snapshot_map(restore->file, &memory->base, restore->error) != 0)
        return -1;
    memory->bytes = snapshot_header(restore->file)->memory_bytes;
    memory->restored = true;
    restore->vm->shared =
        memory_at(memory, gpa(restore->machine->shared), sizeof(*restore->vm->shared));
    return 0;
}

/* A deterministic run asks nothing of the host, and its clock is in its memory. */
static int resume_clock(struct restore *restore)
{
    struct zvmm *vm = restore->vm;
    if ((restore->machine->features & ZV_FEATURE_DETERMINISTIC) != 0) {
        if (determinism_resume(vm, restore->file, restore->error) != 0)
            return -1;
        return clock_init(&vm->clock, &vm->kvm, restore->error);
    }
    if (host_check(restore->file, restore->machine, &restore->state, &vm->kvm, restore->error) != 0)
        return -1;
    vm->native_tsc = time_is_native(vm);
    return time_resume(vm, restore->machine->tsc, restore->error);
}

static int make_vcpu(struct restore *restore)
{
    struct zvmm *vm = restore->vm;
    if (kvm_open(&vm->kvm, vm->config.kvm_path, restore->error) != 0)
        return -1;
    vm->kvm.want_ring = vm->config.resettable || vm->config.incremental;
    if (kvm_create_vm(&vm->kvm, &vm->memory, restore->state.has_irqchip, restore->error) != 0 ||
        resume_clock(restore) != 0 || track_init(vm, restore->error) != 0)
        return -1;
    return state_load(&restore->state, &vm->kvm, restore->error);
}

/* What was under way: the host's timer is not set yet, and the guest must see that. */
static void resume(struct restore *restore)
{
    struct zvmm *vm = restore->vm;
    atomic_store(&vm->pending, restore->machine->pending & 3);
    vm->timer.fired = restore->machine->timer_fired;
    atomic_store((_Atomic uint64_t *)&vm->shared->armed_tsc, UINT64_MAX);
}

int restore_file(const struct zvmm_config *config, struct snapshot_file *file, struct zvmm **out,
                 struct zvmm_error *error)
{
    struct restore restore = {.vm = vm_new(config, error), .file = file, .error = error};
    if (restore.vm == NULL) {
        snapshot_close(file);
        return -1;
    }
    struct zvmm *vm = restore.vm;
    vm->origin = file;
    adopt_texts(&restore);
    if (vm_pin(vm, error) != 0 || read_machine(&restore) != 0 || restore_console(&restore) != 0 ||
        read_state(&restore) != 0 || map_memory(&restore) != 0 || make_vcpu(&restore) != 0)
        goto destroy;
    resume(&restore);
    if (config->digest && vm->determinism == NULL) {
        error_set(error,
                  "%s: was not taken of a deterministic run, which --digest is for; leave "
                  "it out",
                  snapshot_path(file));
        goto destroy;
    }
    if (vm->config.incremental && vm->config.gdb == NULL && vm->determinism == NULL &&
        track_begin_base(vm, snapshot_header(vm->origin)->uuid, error) != 0)
        goto destroy;
    *out = vm;
    return 0;

destroy:
    zvmm_destroy(vm);
    return -1;
}

int zvmm_restore(const struct zvmm_config *config, const char *path, struct zvmm **out,
                 struct zvmm_error *error)
{
    struct snapshot_file *file;
    return snapshot_open(&file, path, error) != 0 ? -1 : restore_file(config, file, out, error);
}

int zvmm_snapshot(struct zvmm *vm, const char *path, const char *parent, struct zvmm_error *error)
{
    struct take_request request = {.path = path, .parent = parent, .quick = true};
    return vm_settle(vm, error) != 0 ? -1 : take_now(vm, &request, error);
}

int zvmm_snapshot_begin(struct zvmm *vm, const char *path, const char *parent, struct take **out,
                        struct zvmm_error *error)
{
    struct take_request request = {.path = path, .parent = parent, .quick = true};
    if (take_new(vm, &request, out, error) != 0)
        return -1;
    state_prepare(&vm->kvm);
    if (vm_settle(vm, error) == 0)
        return take_begin(*out, error);
    take_free(*out);
    return -1;
}

int zvmm_snapshot_end(struct take *take, struct zvmm_error *error)
{
    return take_end(take, error);
}
