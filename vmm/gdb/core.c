/* core.c - zvmm core: an ELF core file of a snapshot. */
#include "gdb/core.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/kernel.h"
#include "snapshot/temporary.h"

enum { TABLES_MAX = 1 << 17, THREAD_REGISTERS = 20 };

struct arguments {
    const char *snapshot, *guest, *output;
    bool force, help;
};

struct core {
    struct snapshot_file *file;
    struct target target;
    struct core_ranges ranges;
    struct core_notes notes;
    uint64_t memory_offset; /* of RAM in the core file */
    struct temporary output;
};

/* ---- Command line --------------------------------------------------------------------------- */

static int print_usage(void)
{
    puts("usage: zvmm core [--guest FILE] [--force] SNAPSHOT -o FILE\n"
         "Write an ELF core file of a snapshot, for gdb: gdb guest.elf FILE. Its threads are the\n"
         "vCPU (1) and the kernel's threads by their koids, with their user registers.\n"
         "--guest FILE  the guest kernel, if it is no more where the snapshot says\n"
         "--force       use a guest kernel of another build all the same");
    return 0;
}

static int parse(struct arguments *arguments, int argc, char *argv[], struct zvmm_error *error)
{
    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "--guest") == 0 ? &arguments->guest
                             : strcmp(argv[i], "-o") == 0    ? &arguments->output
                                                             : NULL;
        if (value != NULL && i + 1 == argc)
            return error_set(error, "core: %s needs a value", argv[i]);
        if (value != NULL)
            *value = argv[++i];
        else if (strcmp(argv[i], "--force") == 0)
            arguments->force = true;
        else if (strcmp(argv[i], "--help") == 0)
            arguments->help = true;
        else if (argv[i][0] == '-')
            return error_set(error, "core: unknown option '%.80s': see zvmm core --help", argv[i]);
        else if (arguments->snapshot == NULL)
            arguments->snapshot = argv[i];
        else
            return error_set(error, "core: '%.80s' is one word too many", argv[i]);
    }
    if (arguments->help || (arguments->snapshot != NULL && arguments->output != NULL))
        return 0;
    return error_set(error, "core: %s: usage: zvmm core SNAPSHOT -o FILE",
                     arguments->snapshot == NULL ? "no snapshot named" : "no -o FILE");
}

/* ---- What is in it -------------------------------------------------------------------------- */

/* The registers that a thread has saved: struct hal_regs, in the order of its members. */
static bool read_thread(struct inspector *inspector, const struct value *thread, uint64_t regs[])
{
    static const char *const names[THREAD_REGISTERS] = {
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",    "r8",      "r9",
        "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags", "fs_base", "gs_base"};
    for (unsigned i = 0; i < THREAD_REGISTERS; i++) {
        char path[32];
        struct value at;
        snprintf(path, sizeof(path), "context.regs.%s", names[i]);
        if (!value_path(inspector, thread, path, &at) || !value_read(inspector, &at, &regs[i]))
            return false;
    }
    return true;
}

/* The page table of a process is reached by the kernel's address of its top-level page. */
static int add_process(struct core *core, struct inspector *inspector, const struct value *process,
                       uint32_t rank)
{
    gpa_t table;
    uint64_t address = value_number(inspector, process, "aspace->table");
    const struct target *target = &core->target;
    if (address == 0 || target_translate(target, target->sregs.cr3, address, &table, NULL) != 0 ||
        table.value == (target->sregs.cr3 & ~0xfffull))
        return 0; /* dead, damaged, or there already: it was running */
    return core_ranges_add(&core->ranges, target, table.value, false, rank);
}

static void lament(const struct zvmm_error *reason)
{
    fprintf(stderr, "zvmm: core: it has only the vCPU, not the kernel's threads: %s\n",
            reason->text);
}

static int add_tasks(struct core *core, struct inspector *inspector)
{
    struct zvmm_error reason;
    inspector->error = &reason;
    struct census *census = census_of(inspector);
    uint64_t regs[THREAD_REGISTERS];
    if (census == NULL) {
        lament(&reason);
        return 0;
    }
    for (size_t i = 0; i < census_count(census); i++) {
        const struct object *object = census_object(census, i);
        struct value value = object_value(inspector, object);
        if (object_is(object, "thread") && read_thread(inspector, &value, regs))
            core_note_thread(&core->notes, (uint32_t)object->koid, regs);
        if (object_is(object, "process") &&
            add_process(core, inspector, &value, (uint32_t)(i + 2)) != 0)
            return -1;
    }
    return 0;
}

static int collect(struct core *core, const struct arguments *arguments, struct zvmm_error *error)
{
    uint64_t length = 0;
    struct inspector *inspector;
    struct zvmm_error reason;
    const struct target *target = &core->target;
    const void *xsave = snapshot_section(core->file, ZSNAP_XSAVE, &length);
    core->ranges.tables_left = TABLES_MAX;
    core_note_vcpu(&core->notes, target, length >= 512 ? xsave : NULL);
    int result = core_ranges_add(&core->ranges, target, target->sregs.cr3, true, 0);
    if (result == 0)
        result = core_ranges_add(&core->ranges, target, target->sregs.cr3, false, 1);
    if (inspector_open(target, arguments->guest, arguments->force, &inspector, &reason) != 0) {
        lament(&reason);
    } else {
        if (result == 0)
            result = add_tasks(core, inspector);
        inspector_close(inspector);
    }
    if (result != 0 || core->notes.failed)
        return error_set(error, "core: out of memory");
    core_ranges_sort(&core->ranges);
    return 0;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static int put_headers(struct core *core, struct zvmm_error *error)
{
    size_t count = core->ranges.count + 1;
    uint64_t notes_offset = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);
    Elf64_Phdr *headers = calloc(count, sizeof(*headers));
    const Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (Elf64_Half)count,
    };
    if (headers == NULL)
        return error_set(error, "core: out of memory");
    core->memory_offset = page_up(notes_offset + core->notes.length);
    headers[0] =
        (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = notes_offset, .p_filesz = core->notes.length};
    for (size_t i = 1; i < count; i++) {
        const struct core_range *range = &core->ranges.range[i - 1];
        headers[i] = (Elf64_Phdr){
            .p_type = PT_LOAD,
            .p_flags = range->flags,
            .p_offset = core->memory_offset + range->paddr,
            .p_vaddr = range->vaddr,
            .p_paddr = range->paddr,
            .p_filesz = range->bytes,
            .p_memsz = range->bytes,
            .p_align = PAGE_BYTES,
        };
    }
    int result = temporary_write(&core->output, &header, sizeof(header), 0, error);
    if (result == 0)
        result = temporary_write(&core->output, headers, count * sizeof(*headers), sizeof(header),
                                 error);
    if (result == 0)
        result = temporary_write(&core->output, core->notes.bytes, core->notes.length, notes_offset,
                                 error);
    free(headers);
    return result;
}

/* Mark which pages the snapshot, and before it its parents, have. */
static void mark_pages(const struct snapshot_file *file, uint8_t *present)
{
    uint64_t count;
    if (snapshot_parent(file) != NULL)
        mark_pages(snapshot_parent(file), present);
    const struct zsnap_run *runs = snapshot_runs(file, &count);
    for (uint64_t i = 0; i < count; i++)
        memset(present + runs[i].paddr / PAGE_BYTES, (runs[i].flags & ZSNAP_RUN_ZERO) == 0,
               runs[i].length / PAGE_BYTES);
}

/* RAM; pages that the snapshot does not have become holes. */
static int put_memory(struct core *core, struct zvmm_error *error)
{
    uint64_t pages = core->target.memory_bytes / PAGE_BYTES, end;
    uint8_t *present = calloc(pages + 1, 1);
    int result = 0;
    if (present == NULL)
        return error_set(error, "core: out of memory");
    mark_pages(core->file, present);
    for (uint64_t at = 0; at < pages && result == 0; at = end) {
        for (end = at; present[end] != 0; end++)
            ;
        result =
            temporary_write(&core->output, core->target.memory + at * PAGE_BYTES,
                            (end - at) * PAGE_BYTES, core->memory_offset + at * PAGE_BYTES, error);
        while (end < pages && present[end] == 0)
            end++;
    }
    free(present);
    if (result == 0 &&
        ftruncate(core->output.fd, (off_t)(core->memory_offset + core->target.memory_bytes)) != 0)
        return error_set(error, "%s: cannot make the core file that long: %s", core->output.path,
                         strerror(errno));
    return result;
}

static int write_file(struct core *core, const char *path, struct zvmm_error *error)
{
    struct zvmm_error reason;
    if (temporary_create(&core->output, path, &reason) != 0)
        return error_set(error, "cannot make the core file: %s", reason.text);
    int result = put_headers(core, error);
    if (result == 0)
        result = put_memory(core, error);
    if (result == 0)
        result = temporary_finish(&core->output, false, error);
    temporary_close(&core->output);
    return result;
}

int core_command(int argc, char *argv[])
{
    struct arguments arguments = {.snapshot = NULL};
    struct core core = {.file = NULL};
    struct zvmm_error error;
    if (parse(&arguments, argc, argv, &error) != 0)
        error_fatal(&error);
    if (arguments.help)
        return print_usage();
    if (snapshot_open(&core.file, arguments.snapshot, &error) != 0 ||
        snapshot_target(core.file, &core.target, &error) != 0 ||
        collect(&core, &arguments, &error) != 0 || write_file(&core, arguments.output, &error) != 0)
        error_fatal(&error);
    free(core.ranges.range);
    free(core.notes.bytes);
    snapshot_close(core.file);
    return 0;
}
