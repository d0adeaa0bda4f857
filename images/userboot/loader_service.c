/*
 * The loader service of a program with a dynamic linker.
 */
#include "loader_service.h"
#include "console.h"

#include <string.h>
#include <zircon/errors.h>
#include <zircon/object.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>
#include <zircon/vm.h>

/* Method numbers; clients of the time used one or the other of two generations. */
#define DONE_OLD        0x501635da00000000u
#define DONE_NEW        0x63ba6b76d3671001u
#define LOAD_OBJECT_OLD 0x18d35e6000000000u
#define LOAD_OBJECT_NEW 0x48c5a151d6df2853u
#define CONFIG_OLD      0x1adeb78d00000000u
#define CONFIG_NEW      0x6a8a1a1464632841u

#define STRING_MAX     0x3dfu
#define HANDLE_PRESENT 0xffffffffu

struct request {
    uint32_t transaction;
    uint32_t flags;
    uint64_t method;
    uint64_t length; /* of the string; these fields only in requests that carry one */
    uint64_t present;
    char string[STRING_MAX + 1];
};

struct reply {
    uint32_t transaction;
    uint32_t flags;
    uint64_t method;
    int32_t status;
    uint32_t handle; /* HANDLE_PRESENT, 0 for none */
};

/* Appends to a path of ZBI_BOOTFS_MAX_NAME_LEN bytes; false if there is no room. */
static bool append(char *path, const char *string)
{
    if (strlen(path) + strlen(string) >= ZBI_BOOTFS_MAX_NAME_LEN)
        return false;
    strcat(path, string);
    return true;
}

static zx_status_t find_library(const struct loader_service *service, const char *folder,
                                const char *name, struct bootfs_entry *entry)
{
    char path[ZBI_BOOTFS_MAX_NAME_LEN];

    if (!options_path(service->options, "lib/", path, sizeof(path)) || !append(path, folder) ||
        !append(path, *folder ? "/" : "") || !append(path, name))
        return ZX_ERR_NOT_FOUND;
    return bootfs_find(service->bootfs, path, entry);
}

/* The file as an executable VMO of its own. */
static zx_status_t open_file(const struct loader_service *service, const struct bootfs_entry *entry,
                             zx_handle_t *vmo)
{
    zx_status_t status = zx_vmo_create_child(
        service->bootfs, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, entry->offset, entry->size, vmo);
    if (status != ZX_OK)
        return status;
    zx_object_set_property(*vmo, ZX_PROP_NAME, entry->name, strlen(entry->name));
    status = zx_handle_replace(
        *vmo, ZX_RIGHTS_BASIC | ZX_RIGHT_READ | ZX_RIGHT_MAP | ZX_RIGHT_GET_PROPERTY, vmo);
    return status == ZX_OK ? zx_vmo_replace_as_executable(*vmo, ZX_HANDLE_INVALID, vmo) : status;
}

void loader_service_start(struct loader_service *service, struct new_process *p,
                          const struct bootfs_entry *program, const struct elf_headers *headers,
                          zx_handle_t root_resource)
{
    static const uint32_t infos[] = {
        PA_HND(PA_VMO_EXECUTABLE, 0), PA_HND(PA_FD, 0),          PA_HND(PA_PROC_SELF, 0),
        PA_HND(PA_VMAR_ROOT, 0),      PA_HND(PA_VMAR_LOADED, 0), PA_HND(PA_THREAD_SELF, 0),
        PA_HND(PA_LDSVC_LOADER, 0),
    };
    enum { COUNT = sizeof(infos) / sizeof(infos[0]) };
    const Elf64_Phdr *interp = elf_find(headers, PT_INTERP);
    char name[64] = "";
    struct bootfs_entry linker;
    struct elf_headers linker_headers;
    zx_handle_t handles[COUNT];
    uint32_t buffer[64];
    struct procargs message;

    if (interp->p_filesz == 0 || interp->p_filesz > sizeof(name))
        fail("cannot load", program->name, ZX_ERR_NOT_SUPPORTED);
    check(zx_vmo_read(service->bootfs, name, program->offset + interp->p_offset, interp->p_filesz),
          "cannot read", program->name);
    name[sizeof(name) - 1] = '\0';
    if (find_library(service, "", name, &linker) == ZX_ERR_NOT_FOUND)
        fail_because(name, "dynamic linker not found in lib/ of the boot file system",
                     USERBOOT_EXIT_NOT_FOUND);

    const struct elf_file file = {.vmo = service->bootfs, .offset = linker.offset};
    check(elf_read(&file, &linker_headers), "not a program:", linker.name);
    check(new_process_load(p, &file, &linker_headers, &handles[4]), "cannot load", linker.name);
    check(open_file(service, program, &handles[0]), "cannot open", program->name);
    check(zx_debuglog_create(root_resource, 0, &handles[1]), "cannot open", "debug log");
    check(new_process_self_handles(p, &handles[2], &handles[5]), "cannot duplicate handles of",
          program->name);
    check(zx_handle_duplicate(p->root_vmar, ZX_RIGHT_SAME_RIGHTS, &handles[3]),
          "cannot duplicate handles of", program->name);
    check(zx_channel_create(0, &service->channel, &handles[6]), "cannot create", "loader service");
    /* The borrowed one goes to the program, with the main message. */
    check(zx_handle_duplicate(service->bootfs, ZX_RIGHT_SAME_RIGHTS, &service->bootfs),
          "cannot duplicate", "boot file system");
    procargs_begin(&message, buffer, sizeof(buffer), infos, COUNT);
    check(new_process_send(p, &message, handles, COUNT), "cannot send message to", linker.name);
}

static zx_status_t load_object(const struct loader_service *service, const char *name,
                               zx_handle_t *vmo)
{
    struct bootfs_entry entry;
    zx_status_t status = ZX_ERR_NOT_FOUND;

    if (service->config[0] != '\0')
        status = find_library(service, service->config, name, &entry);
    if (status == ZX_ERR_NOT_FOUND && !service->exclusive)
        status = find_library(service, "", name, &entry);
    return status == ZX_OK ? open_file(service, &entry, vmo) : status;
}

static zx_status_t set_config(struct loader_service *service, const char *name)
{
    size_t length = strlen(name);

    if (length >= sizeof(service->config))
        return ZX_ERR_INVALID_ARGS;
    service->exclusive = length > 0 && name[length - 1] == '!';
    memcpy(service->config, name, length + 1);
    if (service->exclusive)
        service->config[length - 1] = '\0';
    return ZX_OK;
}

/* The request's string, terminated, or NULL if it has none. */
static const char *request_string(struct request *request, uint32_t size)
{
    if (size < offsetof(struct request, string) || request->length > STRING_MAX ||
        size - offsetof(struct request, string) < request->length)
        return NULL;
    request->string[request->length] = '\0';
    return request->string;
}

/* Answers one request; false if the conversation is over. */
static bool serve(struct loader_service *service, struct request *request, uint32_t size)
{
    struct reply reply = {.transaction = request->transaction, .method = request->method};
    zx_handle_t vmo = ZX_HANDLE_INVALID;
    const char *string = request_string(request, size);

    switch (request->method) {
    case DONE_OLD:
    case DONE_NEW:
        return false;
    case LOAD_OBJECT_OLD:
    case LOAD_OBJECT_NEW:
        reply.status = string ? load_object(service, string, &vmo) : ZX_ERR_INVALID_ARGS;
        reply.handle = reply.status == ZX_OK ? HANDLE_PRESENT : 0;
        break;
    case CONFIG_OLD:
    case CONFIG_NEW:
        reply.status = string ? set_config(service, string) : ZX_ERR_INVALID_ARGS;
        break;
    default:
        reply.status = ZX_ERR_NOT_SUPPORTED;
    }
    return zx_channel_write(service->channel, 0, &reply, sizeof(reply), &vmo,
                            reply.handle ? 1 : 0) == ZX_OK;
}

void loader_service_run(struct loader_service *service)
{
    struct request request;
    zx_handle_t handle;
    uint32_t size, handle_count;
    bool more = service->channel != ZX_HANDLE_INVALID;

    while (more) {
        check(zx_object_wait_one(service->channel, ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED,
                                 ZX_TIME_INFINITE, NULL),
              "cannot wait for", "dynamic linker");
        zx_status_t status = zx_channel_read(service->channel, 0, &request, &handle,
                                             sizeof(request) - 1, 1, &size, &handle_count);
        if (status == ZX_OK && handle_count > 0)
            zx_handle_close(handle); /* no request of ours carries one */
        more = status == ZX_OK && size >= offsetof(struct request, length) &&
               serve(service, &request, size);
    }
    zx_handle_close(service->channel);
}
