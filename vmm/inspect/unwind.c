/*
 * unwind.c - stacks by libdwfl, which is told how to read the target's memory.
 *
 * A program's ELF file is the VMO that its first page is mapped from, so it needs no file on the
 * host; one with debugging information is looked for by build id in the folder of --symbols.
 */
#include "inspect/unwind.h"

#include <dirent.h>
#include <elfutils/libdwfl.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inspect/pages.h"

#define IMAGE_MAX (64ull << 20)
enum { THREAD_ID = 1, DWARF_REGISTERS = 17, MODULES_MAX = 16, PATH_BYTES = 1024 };

struct unwinder {
    struct inspector *inspector;
    const struct object *process; /* NULL: the kernel */
    const struct kvm_regs *regs;
    Dwfl *dwfl;
    unsigned modules;
    struct stack *stack;
};

/* ---- libdwfl's questions ------------------------------------------------------------------- */

static int no_elf(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, char **file,
                  Elf **elf)
{
    (void)module, (void)user, (void)name, (void)base, (void)file, (void)elf;
    return -1;
}

static int no_debuginfo(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                        const char *file, const char *link, GElf_Word crc, char **out)
{
    (void)module, (void)user, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)out;
    return -1;
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
    (void)dwfl;
    if (*thread != NULL)
        return 0;
    *thread = arg;
    return THREAD_ID;
}

static bool get_thread(Dwfl *dwfl, pid_t id, void *arg, void **thread)
{
    (void)dwfl, (void)id;
    *thread = arg;
    return true;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *result, void *arg)
{
    struct unwinder *unwinder = arg;
    (void)dwfl;
    if (unwinder->process == NULL)
        return read_kernel(unwinder->inspector, address, result, sizeof(*result));
    return process_read(unwinder->inspector, unwinder->process, address, result, sizeof(*result)) ==
           sizeof(*result);
}

/* In DWARF's order of the x86-64 registers. */
static bool set_registers(Dwfl_Thread *thread, void *arg)
{
    const struct unwinder *unwinder = arg;
    const struct kvm_regs *r = unwinder->regs;
    const Dwarf_Word values[DWARF_REGISTERS] = {r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi,
                                                r->rbp, r->rsp, r->r8,  r->r9,  r->r10, r->r11,
                                                r->r12, r->r13, r->r14, r->r15, r->rip};
    dwfl_thread_state_register_pc(thread, r->rip);
    return dwfl_thread_state_registers(thread, 0, DWARF_REGISTERS, values);
}

static const Dwfl_Callbacks file_callbacks = {.find_elf = no_elf, .find_debuginfo = no_debuginfo};
static const Dwfl_Thread_Callbacks thread_callbacks = {.next_thread = next_thread,
                                                       .get_thread = get_thread,
                                                       .memory_read = read_word,
                                                       .set_initial_registers = set_registers};

/* ---- Programs ------------------------------------------------------------------------------ */

static bool file_has_id(const char *path, const void *id, size_t length)
{
    const void *its;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf *elf = fd >= 0 ? elf_begin(fd, ELF_C_READ_MMAP, NULL) : NULL;
    bool same = elf != NULL && dwelf_elf_gnu_build_id(elf, &its) == (ssize_t)length &&
                memcmp(its, id, length) == 0;
    if (elf != NULL)
        elf_end(elf);
    if (fd >= 0)
        close(fd);
    return same;
}

/* An unstripped copy of the program with that build id, or -1. */
static int find_program(struct inspector *inspector, const void *id, size_t length)
{
    const char *folder = inspector->programs_folder;
    char path[PATH_BYTES];
    int fd = -1;
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    for (struct dirent *entry; fd < 0 && dir != NULL && (entry = readdir(dir)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (entry->d_type != DT_DIR && file_has_id(path, id, length))
            fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (dir != NULL)
        closedir(dir);
    return fd;
}

/* How long the file is, from its header; 0 if it is none that can be used. */
static uint64_t image_length(const Elf64_Ehdr *header)
{
    uint64_t end;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64)
        return 0;
    if (__builtin_add_overflow(header->e_shoff, (uint64_t)header->e_shnum * header->e_shentsize,
                               &end))
        return 0;
    if (header->e_shoff == 0)
        end = 16 * PAGE_BYTES;
    return end <= IMAGE_MAX ? end : 0;
}

/* A copy of the ELF file that begins at `offset` of a VMO, as a file of this process; or -1. */
static int copy_image(struct inspector *inspector, const struct value *vmo, uint64_t offset)
{
    Elf64_Ehdr header;
    if (vmo_read(inspector, vmo, offset, &header, sizeof(header)) != sizeof(header))
        return -1;
    uint64_t length = image_length(&header);
    uint8_t *bytes = length != 0 ? malloc(length) : NULL;
    int fd = bytes != NULL ? memfd_create("program", MFD_CLOEXEC) : -1;
    uint64_t had = fd >= 0 ? vmo_read(inspector, vmo, offset, bytes, length) : 0;
    if (fd >= 0 && write(fd, bytes, had) != (ssize_t)had) {
        close(fd);
        fd = -1;
    }
    free(bytes);
    return fd;
}

/* The unstripped copy if there is one. */
static int better_image(struct inspector *inspector, int fd)
{
    const void *id;
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    ssize_t length = elf != NULL ? dwelf_elf_gnu_build_id(elf, &id) : -1;
    int better = length > 0 ? find_program(inspector, id, (size_t)length) : -1;
    if (elf != NULL)
        elf_end(elf);
    if (better < 0)
        return fd;
    close(fd);
    return better;
}

/* libdwfl closes `fd` if it takes the module. */
static void report_module(struct unwinder *unwinder, const char *name, int fd, uint64_t base)
{
    if (dwfl_report_elf(unwinder->dwfl, name, name, fd, base, false) == NULL)
        close(fd);
    else
        unwinder->modules++;
}

static void add_program(void *arg, const struct mapped *mapped, unsigned depth)
{
    struct unwinder *unwinder = arg;
    uint8_t magic[SELFMAG];
    char name[64] = "";
    (void)depth;
    if (mapped->pages == NULL || unwinder->modules == MODULES_MAX)
        return;
    struct value pages = object_value(unwinder->inspector, mapped->pages);
    if (vmo_read(unwinder->inspector, &pages, mapped->offset, magic, sizeof(magic)) !=
            sizeof(magic) ||
        memcmp(magic, ELFMAG, SELFMAG) != 0)
        return;
    int fd = copy_image(unwinder->inspector, &pages, mapped->offset);
    if (fd < 0)
        return;
    fd = better_image(unwinder->inspector, fd);
    object_name(unwinder->inspector, mapped->pages, name, sizeof(name));
    if (strncmp(name, "vdso", 4) != 0)
        object_name(unwinder->inspector, unwinder->process, name, sizeof(name));
    report_module(unwinder, name, fd, mapped->base);
}

/* ---- Frames -------------------------------------------------------------------------------- */

static void name_frame(struct unwinder *unwinder, struct frame *frame, uint64_t lookup)
{
    Dwfl_Module *module = dwfl_addrmodule(unwinder->dwfl, lookup);
    GElf_Off offset;
    GElf_Sym symbol;
    int line;
    if (module == NULL)
        return;
    const char *text = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    snprintf(frame->module, sizeof(frame->module), "%s", text != NULL ? text : "");
    text = dwfl_module_addrinfo(module, lookup, &offset, &symbol, NULL, NULL, NULL);
    snprintf(frame->function, sizeof(frame->function), "%s", text != NULL ? text : "");
    Dwfl_Line *source = dwfl_module_getsrc(module, lookup);
    text = source != NULL ? dwfl_lineinfo(source, NULL, &line, NULL, NULL, NULL) : NULL;
    if (text != NULL) {
        snprintf(frame->file, sizeof(frame->file), "%s", text);
        frame->line = line;
    }
}

static int take_frame(Dwfl_Frame *state, void *arg)
{
    struct unwinder *unwinder = arg;
    struct stack *stack = unwinder->stack;
    bool activation;
    Dwarf_Addr pc;
    if (stack->count == FRAMES_MAX || !dwfl_frame_pc(state, &pc, &activation))
        return DWARF_CB_ABORT;
    struct frame *frame = &stack->frame[stack->count++];
    *frame = (struct frame){.pc = pc};
    /* A return address may be the next line's, or even the next function's. */
    name_frame(unwinder, frame, activation ? pc : pc - 1);
    return pc != 0 ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static void run(struct unwinder *unwinder)
{
    dwfl_report_end(unwinder->dwfl, NULL, NULL);
    if (unwinder->modules > 0 &&
        dwfl_attach_state(unwinder->dwfl, NULL, THREAD_ID, &thread_callbacks, unwinder))
        dwfl_getthread_frames(unwinder->dwfl, THREAD_ID, take_frame, unwinder);
    struct stack *stack = unwinder->stack;
    if (stack->count == 0)
        stack->frame[stack->count++] = (struct frame){.pc = unwinder->regs->rip};
    if (stack->count > 1 && stack->frame[stack->count - 1].pc == 0)
        stack->count--;
}

void unwind_kernel(struct inspector *inspector, struct stack *out)
{
    struct unwinder unwinder = {
        .inspector = inspector, .regs = &inspector->target->regs, .stack = out};
    out->count = 0;
    unwinder.dwfl = dwfl_begin(&file_callbacks);
    if (unwinder.dwfl == NULL)
        return;
    int fd = inspector->guest_path != NULL ? open(inspector->guest_path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0)
        report_module(&unwinder, "kernel", fd, 0);
    run(&unwinder);
    dwfl_end(unwinder.dwfl);
}

void unwind_user(struct inspector *inspector, const struct object *process,
                 const struct kvm_regs *regs, struct stack *out)
{
    struct unwinder unwinder = {
        .inspector = inspector, .process = process, .regs = regs, .stack = out};
    struct value value = object_value(inspector, process), root;
    out->count = 0;
    unwinder.dwfl = dwfl_begin(&file_callbacks);
    if (unwinder.dwfl == NULL)
        return;
    if (value_path(inspector, &value, "aspace->root->", &root))
        mappings_visit(inspector, &root, add_program, &unwinder);
    run(&unwinder);
    dwfl_end(unwinder.dwfl);
}

/* ---- No network ---------------------------------------------------------------------------- */

/*
 * libdw's client of symbol servers loads a library at run time, which a static program should not
 * do, and asks the network, which zvmm never does. These stand in for it.
 */
int __libdwfl_debuginfod_find_executable(Dwfl *dwfl, const unsigned char *id, size_t length);
int __libdwfl_debuginfod_find_debuginfo(Dwfl *dwfl, const unsigned char *id, size_t length);
void __libdwfl_debuginfod_end(debuginfod_client *client);

int __libdwfl_debuginfod_find_executable(Dwfl *dwfl, const unsigned char *id, size_t length)
{
    (void)dwfl, (void)id, (void)length;
    return -1;
}

int __libdwfl_debuginfod_find_debuginfo(Dwfl *dwfl, const unsigned char *id, size_t length)
{
    (void)dwfl, (void)id, (void)length;
    return -1;
}

void __libdwfl_debuginfod_end(debuginfod_client *client)
{
    (void)client;
}

debuginfod_client *dwfl_get_debuginfod_client(Dwfl *dwfl)
{
    (void)dwfl;
    return NULL;
}
