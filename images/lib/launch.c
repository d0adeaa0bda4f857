/*
 * Starting programs from the boot file system.
 */
#include <zvmm/bootfs.h>
#include "new_process.h"
#include "startup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zircon/errors.h>
#include <zircon/object.h>
#include <zircon/process.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>
#include <zvmm/launch.h>

extern char **environ;

/* The handles of the start-up message while they are being collected. */
struct parcel {
    zx_handle_t handles[STARTUP_HANDLES_MAX];
    uint32_t infos[STARTUP_HANDLES_MAX];
    size_t count;
};

static zx_status_t add(struct parcel *parcel, zx_handle_t handle, uint32_t info)
{
    if (parcel->count == STARTUP_HANDLES_MAX) {
        zx_handle_close(handle);
        return ZX_ERR_OUT_OF_RANGE;
    }
    parcel->handles[parcel->count] = handle;
    parcel->infos[parcel->count++] = info;
    return ZX_OK;
}

static zx_status_t add_duplicate(struct parcel *parcel, zx_handle_t handle, uint32_t info)
{
    zx_handle_t duplicate;

    zx_status_t status = zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &duplicate);
    return status == ZX_OK ? add(parcel, duplicate, info) : status;
}

/* Also on failure the parcel owns all it holds. */
static zx_status_t collect(struct parcel *parcel, const struct new_process *p, zx_handle_t job)
{
    zx_status_t status;

    parcel->count +=
        startup_handles_duplicate(parcel->handles + parcel->count, parcel->infos + parcel->count,
                                  STARTUP_HANDLES_MAX - parcel->count);
    if ((status = add_duplicate(parcel, p->process, PA_HND(PA_PROC_SELF, 0))) != ZX_OK ||
        (status = add_duplicate(parcel, p->thread, PA_HND(PA_THREAD_SELF, 0))) != ZX_OK ||
        (status = add_duplicate(parcel, p->root_vmar, PA_HND(PA_VMAR_ROOT, 0))) != ZX_OK)
        return status;
    return add_duplicate(parcel, job, PA_HND(PA_JOB_DEFAULT, 0));
}

static size_t strings_size(const char *const *strings)
{
    size_t size = 0;

    for (; *strings; strings++)
        size += strlen(*strings) + 1;
    return size;
}

/* The parcel's handles are gone afterwards. */
static zx_status_t send(const struct new_process *p, struct parcel *parcel, const char *const *argv,
                        const char *const *envp)
{
    size_t capacity = sizeof(zx_proc_args_t) + parcel->count * sizeof(uint32_t) +
                      strings_size(argv) + strings_size(envp);
    struct procargs message;
    void *buffer = malloc(capacity);

    if (!buffer) {
        zx_handle_close_many(parcel->handles, parcel->count);
        return ZX_ERR_NO_MEMORY;
    }
    procargs_begin(&message, buffer, capacity, parcel->infos, parcel->count);
    for (; *argv; argv++)
        procargs_add_argument(&message, *argv);
    for (; *envp; envp++)
        procargs_add_environment(&message, *envp);
    zx_status_t status = new_process_send(p, &message, parcel->handles, parcel->count);
    free(buffer);
    return status;
}

static zx_status_t load(struct new_process *p, const struct elf_file *file)
{
    struct elf_headers headers;

    zx_status_t status = elf_read(file, &headers);
    if (status != ZX_OK)
        return status;
    if (elf_find(&headers, PT_INTERP))
        return ZX_ERR_NOT_SUPPORTED;
    status = new_process_load(p, file, &headers, NULL);
    if (status != ZX_OK)
        return status;
    return new_process_load_vdso(p, zx_get_startup_handle(PA_HND(PA_VMO_VDSO, 0)));
}

static zx_status_t launch(const struct launch_args *args, struct new_process *p,
                          struct parcel *parcel)
{
    zx_handle_t job = args->job != ZX_HANDLE_INVALID ? args->job : zx_job_default();
    zx_handle_t bootfs = zx_get_startup_handle(PA_HND(PA_VMO_BOOTFS, 0));
    struct bootfs_entry program;

    zx_status_t status = bootfs_find_program(bootfs, args->program, &program);
    if (status != ZX_OK)
        return status;
    const char *const path_alone[] = {program.name, NULL};
    const struct elf_file file = {.vmo = bootfs, .offset = program.offset};
    if ((status = new_process_create(p, job, program.name)) != ZX_OK ||
        (status = load(p, &file)) != ZX_OK || (status = collect(parcel, p, job)) != ZX_OK)
        return status;
    status = send(p, parcel, args->argv ? args->argv : path_alone,
                  args->envp ? args->envp : (const char *const *)environ);
    parcel->count = 0;
    return status == ZX_OK ? new_process_start(p) : status;
}

zx_status_t zx_launch(const struct launch_args *args, zx_handle_t *process)
{
    struct new_process p = {0};
    struct parcel parcel = {.count = 0};
    zx_status_t status = ZX_OK;

    for (size_t i = 0; i < args->handle_count; i++) {
        zx_status_t added = add(&parcel, args->handles[i].handle, args->handles[i].info);
        status = status == ZX_OK ? added : status;
    }
    if (status == ZX_OK)
        status = launch(args, &p, &parcel);
    zx_handle_close_many(parcel.handles, parcel.count);
    new_process_close(&p);
    if (status == ZX_OK)
        *process = p.process;
    else
        zx_handle_close(p.process); /* a process that was never started ends with its last handle */
    return status;
}

zx_status_t zx_launch_wait(zx_handle_t process, int64_t *return_code)
{
    zx_info_process_t info;

    zx_status_t status = zx_object_wait_one(process, ZX_PROCESS_TERMINATED, ZX_TIME_INFINITE, NULL);
    if (status == ZX_OK)
        status = zx_object_get_info(process, ZX_INFO_PROCESS, &info, sizeof(info), NULL, NULL);
    if (status == ZX_OK)
        *return_code = info.return_code;
    return status;
}
