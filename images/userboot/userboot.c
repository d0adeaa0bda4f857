/*
 * userboot: the first user process. The kernel starts it with one message that holds the command
 * line and the kernel's handles; it finds the boot file system in the boot image, starts the
 * program the command line names with those handles, waits for it, and exits with its return code.
 * What it says on that way is nothing, unless something fails.
 *
 * It has no writable data and no relocations: everything it remembers is on its stack, and vDSO
 * functions are found by name (start.S).
 */
#include "bootdata.h"
#include "console.h"
#include "loader_service.h"
#include "options.h"

#include <zvmm/bootfs.h>
#include "new_process.h"
#include "vdso_symbol.h"

#include <string.h>
#include <zircon/errors.h>
#include <zircon/limits.h>
#include <zircon/object.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>

/* The handles in the kernel's message, in its order, and the two that userboot adds. */
enum {
    PROCESS_SELF,
    VMAR_ROOT,
    ROOT_JOB,
    ROOT_RESOURCE,
    BOOT_IMAGE,
    VDSO,
    VDSO_TEST_1,
    VDSO_TEST_2,
    DECOMPRESSOR,
    CRASHLOG,
    COUNTER_NAMES,
    COUNTERS,
    INSTRUMENTATION,
    FROM_KERNEL = INSTRUMENTATION + 3,
    THREAD_SELF = FROM_KERNEL,
    BOOTFS,
    TO_CHILD,
};

static const uint32_t handle_infos[TO_CHILD] = {
    [PROCESS_SELF] = PA_HND(PA_PROC_SELF, 0),
    [VMAR_ROOT] = PA_HND(PA_VMAR_ROOT, 0),
    [ROOT_JOB] = PA_HND(PA_JOB_DEFAULT, 0),
    [ROOT_RESOURCE] = PA_HND(PA_RESOURCE, 0),
    [BOOT_IMAGE] = PA_HND(PA_VMO_BOOTDATA, 0),
    [VDSO] = PA_HND(PA_VMO_VDSO, 0),
    [VDSO_TEST_1] = PA_HND(PA_VMO_VDSO, 1),
    [VDSO_TEST_2] = PA_HND(PA_VMO_VDSO, 2),
    [DECOMPRESSOR] = PA_HND(PA_VMO_KERNEL_FILE, 0),
    [CRASHLOG] = PA_HND(PA_VMO_KERNEL_FILE, 1),
    [COUNTER_NAMES] = PA_HND(PA_VMO_KERNEL_FILE, 2),
    [COUNTERS] = PA_HND(PA_VMO_KERNEL_FILE, 3),
    [INSTRUMENTATION] = PA_HND(PA_VMO_KERNEL_FILE, 4),
    [INSTRUMENTATION + 1] = PA_HND(PA_VMO_KERNEL_FILE, 5),
    [INSTRUMENTATION + 2] = PA_HND(PA_VMO_KERNEL_FILE, 6),
    [THREAD_SELF] = PA_HND(PA_THREAD_SELF, 0),
    [BOOTFS] = PA_HND(PA_VMO_BOOTFS, 0),
};

#define COMMAND_LINE_MAX 4096

/* Linker script: the end of the image, page-aligned. The kernel maps the vDSO there. */
extern const char userboot_end[];

uintptr_t userboot_vdso_function(const char *name);
void userboot_main(zx_handle_t bootstrap) __attribute__((noreturn));

/* Called by every vDSO function's stub. */
uintptr_t userboot_vdso_function(const char *name)
{
    struct vdso vdso;

    vdso_open(&vdso, userboot_end);
    uintptr_t function = vdso_symbol(&vdso, name);
    if (!function)
        __builtin_trap(); /* this vDSO lacks a function, and without it nothing can be said */
    return function;
}

static size_t receive(zx_handle_t bootstrap, char *words, zx_handle_t *handles)
{
    uint32_t size, handle_count;

    check(zx_channel_read(bootstrap, 0, words, handles, COMMAND_LINE_MAX, TO_CHILD, &size,
                          &handle_count),
          "cannot read", "bootstrap message");
    /* The channel is left open: it holds nothing more, and ends with us. */
    if (handle_count != FROM_KERNEL)
        fail_because("bootstrap message", "wrong number of handles", USERBOOT_EXIT_FAILED);
    if (size == 0 || words[size - 1] != '\0')
        fail_because("kernel command line", "unterminated", USERBOOT_EXIT_FAILED);
    return size;
}

/*
 * The main start-up message. argument_0 is the program's path; the other arguments and the
 * environment are the command line's words.
 */
static void send_main_message(const struct new_process *p, const zx_handle_t *handles,
                              const char *argument_0, char *words, size_t size)
{
    uint32_t buffer[(COMMAND_LINE_MAX + 1024) / sizeof(uint32_t)];
    const char *end = words + size;
    struct procargs message;
    char *next, *value;

    procargs_begin(&message, buffer, sizeof(buffer), handle_infos, TO_CHILD);
    for (char *word = words; word; word = next_word(word, end)) {
        if (*word && !argument_value(word))
            procargs_add_environment(&message, word);
    }
    procargs_add_argument(&message, argument_0);
    for (char *word = words; word; word = next) {
        next = next_word(word, end); /* before unescaping makes this word shorter */
        if ((value = argument_value(word))) {
            unescape(value);
            procargs_add_argument(&message, value);
        }
    }
    check(new_process_send(p, &message, handles, TO_CHILD), "cannot send message to", argument_0);
}

/*
 * A machine that is kept at this point gets its command line when it goes on: one line of words.
 * Returns its size in bytes, as receive() does.
 */
static size_t receive_warm(zx_handle_t root_resource, char *words)
{
    static const char marker[] = "marker warm";
    size_t size = 0, actual;

    check(zx_debug_send_command(root_resource, marker, sizeof(marker) - 1), "cannot set",
          "marker warm");
    while (size == 0 || words[size - 1] != '\n') {
        check(zx_debug_read(root_resource, words + size, COMMAND_LINE_MAX - size, &actual),
              "cannot read", "command line");
        if (size + actual == COMMAND_LINE_MAX && words[size + actual - 1] != '\n')
            fail_because("command line", "too long", USERBOOT_EXIT_FAILED);
        size += actual;
    }
    for (size_t i = 0; i < size; i++)
        if (words[i] == ' ' || words[i] == '\n')
            words[i] = '\0';
    return size;
}

static void find_program(const struct options *options, zx_handle_t bootfs,
                         struct bootfs_entry *entry)
{
    char path[ZBI_BOOTFS_MAX_NAME_LEN];

    zx_status_t status = options_path(options, options->program, path, sizeof(path))
                             ? bootfs_find_program(bootfs, path, entry)
                             : ZX_ERR_NOT_FOUND;
    if (status == ZX_ERR_NOT_FOUND)
        fail_because(options->program, "not found in the boot file system",
                     USERBOOT_EXIT_NOT_FOUND);
    check(status, "cannot read", "boot file system");
}

/* Makes the process and loads the program, or its dynamic linker, which *loader then serves. */
static void load(struct new_process *p, const struct options *options, const zx_handle_t *handles,
                 const struct bootfs_entry *program, struct loader_service *loader)
{
    const struct elf_file file = {.vmo = handles[BOOTFS], .offset = program->offset};
    struct elf_headers headers;

    check(elf_read(&file, &headers), "not a program:", program->name);
    check(new_process_create(p, handles[ROOT_JOB], program->name), "cannot create", program->name);
    *loader = (struct loader_service){.bootfs = handles[BOOTFS], .options = options};
    if (elf_find(&headers, PT_INTERP))
        loader_service_start(loader, p, program, &headers, handles[ROOT_RESOURCE]);
    else
        check(new_process_load(p, &file, &headers, NULL), "cannot load", program->name);
    check(new_process_load_vdso(p, handles[VDSO]), "cannot load", "vDSO");
}

static int64_t wait_for(zx_handle_t process, const char *name)
{
    zx_info_process_t info;

    check(zx_object_wait_one(process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL),
          "cannot wait for", name);
    check(zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL),
          "cannot get the exit status of", name);
    return info.return_code;
}

static void power_down(const struct options *options, zx_handle_t root_resource)
{
    static const zx_duration_t delay = 3000000000;

    if (options->reboot) {
        static const char message[] = "userboot: rebooting in 3 seconds\n";
        zx_debug_write(message, sizeof(message) - 1);
        zx_nanosleep(zx_deadline_after(delay));
        check(zx_system_powerctl(root_resource, ZX_SYSTEM_POWERCTL_REBOOT, NULL), "cannot",
              "reboot");
    }
    if (options->shutdown)
        check(zx_system_powerctl(root_resource, ZX_SYSTEM_POWERCTL_SHUTDOWN, NULL), "cannot",
              "shut down");
}

void userboot_main(zx_handle_t bootstrap)
{
    char words[COMMAND_LINE_MAX];
    zx_handle_t handles[TO_CHILD] = {ZX_HANDLE_INVALID};
    zx_handle_t root_resource = ZX_HANDLE_INVALID, log = ZX_HANDLE_INVALID;
    struct options options;
    struct bootfs_entry program;
    struct loader_service loader;
    struct new_process child;

    size_t size = receive(bootstrap, words, handles);
    options_parse(&options, words, size);
    if (options.warm) { /* nothing that comes later can be said without the boot file system */
        handles[BOOTFS] =
            bootdata_take_bootfs(handles[BOOT_IMAGE], handles[VMAR_ROOT], handles[ROOT_RESOURCE]);
        size = receive_warm(handles[ROOT_RESOURCE], words);
        options_parse(&options, words, size);
    }
    if (options.verbose)
        check(zx_debuglog_create(handles[ROOT_RESOURCE], 0, &log), "cannot open", "debug log");
    if (options.shutdown || options.reboot)
        check(zx_handle_duplicate(handles[ROOT_RESOURCE], ZX_RIGHT_SAME_RIGHTS, &root_resource),
              "cannot duplicate", "root resource");
    else /* when userboot ends, everything does */
        check(zx_job_set_critical(handles[ROOT_JOB], 0, handles[PROCESS_SELF]),
              "cannot become critical", "");

    if (handles[BOOTFS] == ZX_HANDLE_INVALID)
        handles[BOOTFS] =
            bootdata_take_bootfs(handles[BOOT_IMAGE], handles[VMAR_ROOT], handles[ROOT_RESOURCE]);
    find_program(&options, handles[BOOTFS], &program);
    log_line(log, "starting", program.name);
    load(&child, &options, handles, &program, &loader);

    /* userboot keeps the handles of its own process and address space: the child gets its own. */
    check(new_process_self_handles(&child, &handles[PROCESS_SELF], &handles[THREAD_SELF]),
          "cannot duplicate handles of", program.name);
    handles[VMAR_ROOT] = child.root_vmar;
    child.root_vmar = ZX_HANDLE_INVALID; /* moves with the message */
    send_main_message(&child, handles, program.name, words, size);
    check(new_process_start(&child), "cannot start", program.name);
    new_process_close(&child);

    loader_service_run(&loader);
    int64_t return_code = wait_for(child.process, program.name);
    log_line(log, "ended:", program.name);
    power_down(&options, root_resource);
    zx_process_exit(return_code);
}
