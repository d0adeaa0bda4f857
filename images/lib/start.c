/*
 * From the first instruction to main: relocate the program, receive the start-up message, give the
 * first thread its thread block, run the constructors.
 *
 * A small program shall touch few pages, so the message is kept on the stack, where it is received.
 */
#include "relocate.h"
#include "musl.h"
#include "startup.h"
#include "thread.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zircon/errors.h>
#include <zircon/object.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/vm.h>

#define FIRST_TRY_BYTES   512
#define FIRST_TRY_HANDLES 24

/* Exit status of a program that cannot be started. */
#define EXIT_NO_START 126

int main(int argc, char **argv, char **environment);

extern void (*const __init_array_start[])(int, char **, char **)
    __attribute__((weak, visibility("hidden")));
extern void (*const __init_array_end[])(int, char **, char **)
    __attribute__((weak, visibility("hidden")));

/* musl's, behind environ and program_invocation_name. */
extern char **__environ __attribute__((visibility("hidden")));
extern char *__progname __attribute__((visibility("hidden")));
extern char *__progname_full __attribute__((visibility("hidden")));

void zx_start(zx_handle_t bootstrap, const void *vdso_image)
    __attribute__((noreturn, visibility("hidden")));

/* No stdio here: it is not there yet, and would stay in every program. */
static void __attribute__((noreturn)) give_up(const char *what, const char *detail)
{
    char line[128];
    size_t size = strlcpy(line, what, sizeof(line) - 1);

    size += strlcpy(line + size, detail, sizeof(line) - 1 - size);
    if (size > sizeof(line) - 2)
        size = sizeof(line) - 2;
    line[size++] = '\n';
    zx_debug_write(line, size);
    zx_process_exit(EXIT_NO_START);
}

/* The first thread's block. Small TLS data has room in it, more is put into memory of its own. */
static union {
    struct thread thread;
    struct {
        char tls[64];
        struct thread thread;
    } with_tls;
} first __attribute__((aligned(64)));

static struct thread *allocate_first_block(void)
{
    size_t alignment;
    size_t tls_size = thread_tls_size(&alignment);
    zx_handle_t vmo;
    zx_vaddr_t address;

    if (tls_size == 0)
        return &first.thread;
    if (tls_size <= sizeof(first.with_tls.tls) && alignment <= sizeof(first.with_tls.tls))
        return &first.with_tls.thread;
    size_t size = (tls_size + alignment + sizeof(struct thread) + ZX_PAGE_MASK) & ~ZX_PAGE_MASK;
    if (zx_vmo_create(size, 0, &vmo) != ZX_OK ||
        zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, size,
                    &address) != ZX_OK)
        give_up("no memory for thread-local data", "");
    zx_handle_close(vmo);
    return (struct thread *)((address + tls_size + alignment - 1) & -alignment);
}

static void set_thread_pointer(zx_handle_t thread)
{
    struct thread *block = allocate_first_block();
    uintptr_t address = (uintptr_t)block;

    thread_block_init(block, 1);
    block->handle = thread;
    if (zx_object_set_property(thread, ZX_PROP_REGISTER_FS, &address, sizeof(address)) != ZX_OK)
        give_up("cannot set the thread pointer", "");
}

/* The strings of a table as a NULL-terminated vector; vector has count + 1 elements. */
static void split_strings(char *at, const char *end, size_t count, char **vector)
{
    for (size_t i = 0; i < count; i++) {
        vector[i] = at;
        at = memchr(at, '\0', (size_t)(end - at));
        if (!at++)
            give_up("bad start-up message: ", "a string has no end");
    }
    vector[count] = NULL;
}

static void check_message(const zx_proc_args_t *args, uint32_t size, uint32_t handle_count)
{
    if (size < sizeof(*args) || args->protocol != ZX_PROCARGS_PROTOCOL ||
        args->version != ZX_PROCARGS_VERSION || args->handle_info_off % sizeof(uint32_t) != 0 ||
        args->handle_info_off > size || args->args_off > size || args->environ_off > size ||
        handle_count > (size - args->handle_info_off) / sizeof(uint32_t) || args->args_num > size ||
        args->environ_num > size)
        give_up("bad start-up message", "");
}

static void __attribute__((noreturn))
run(char *message, uint32_t size, zx_handle_t *handles, uint32_t handle_count)
{
    zx_proc_args_t *args = (zx_proc_args_t *)message;

    check_message(args, size, handle_count);
    startup_handles_set(handles, (uint32_t *)(message + args->handle_info_off), handle_count);
    set_thread_pointer(zx_get_startup_handle(PA_HND(PA_THREAD_SELF, 0)));

    char **argv = __builtin_alloca((args->args_num + 1) * sizeof(char *));
    split_strings(message + args->args_off, message + size, args->args_num, argv);
    __environ = __builtin_alloca((args->environ_num + 1) * sizeof(char *));
    split_strings(message + args->environ_off, message + size, args->environ_num, __environ);
    if (argv[0]) {
        char *slash = strrchr(argv[0], '/');
        __progname_full = argv[0];
        __progname = slash ? slash + 1 : argv[0];
    }
    __libc.page_size = ZX_PAGE_SIZE;

    int argc = (int)args->args_num;
    for (size_t i = 0; &__init_array_start[i] < __init_array_end; i++)
        __init_array_start[i](argc, argv, __environ);
    exit(main(argc, argv, __environ));
}

void zx_start(zx_handle_t bootstrap, const void *vdso_image)
{
    const char *missing = relocate_self(vdso_image);
    char first_try[FIRST_TRY_BYTES] __attribute__((aligned(8)));
    zx_handle_t first_handles[FIRST_TRY_HANDLES];
    char *message = first_try;
    zx_handle_t *handles = first_handles;
    uint32_t size, handle_count;

    if (missing)
        give_up("this vDSO lacks a function: ", missing);
    zx_status_t status = zx_channel_read(bootstrap, 0, message, handles, FIRST_TRY_BYTES,
                                         FIRST_TRY_HANDLES, &size, &handle_count);
    if (status == ZX_ERR_BUFFER_TOO_SMALL) {
        message = __builtin_alloca(size);
        handles = __builtin_alloca(handle_count * sizeof(*handles));
        status = zx_channel_read(bootstrap, 0, message, handles, size, handle_count, &size,
                                 &handle_count);
    }
    if (status != ZX_OK)
        give_up("cannot read the start-up message: ", zx_status_get_string(status));
    zx_handle_close(bootstrap);
    run(message, size, handles, handle_count);
}
