/* modules.c - boot modules: built in, from files, and the merged boot file system. */
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootfs.h"

#define MODULE_MAX_BYTES (1ull << 30)

/* Where a module's bytes are: in guest memory (file pages, built in) or still in a host mapping. */
struct content {
    const uint8_t *data;
    uint64_t length;
};

static const char *kind_option(uint32_t kind)
{
    static const char *const names[] = {
        [ZV_MODULE_VDSO] = "--vdso",
        [ZV_MODULE_USERBOOT] = "--userboot",
        [ZV_MODULE_ZBI] = "--zbi",
    };
    return names[kind];
}

static const char *kind_path(const struct zvmm_config *config, uint32_t kind)
{
    switch (kind) {
    case ZV_MODULE_VDSO:
        return config->vdso_path;
    case ZV_MODULE_USERBOOT:
        return config->userboot_path;
    default:
        return config->zbi_path;
    }
}

static void list_module(struct modules *modules, uint32_t kind, uint64_t paddr, uint64_t length,
                        uint32_t flags)
{
    modules->entries[modules->count++] =
        (struct zv_module){.paddr = paddr, .length = length, .kind = kind, .flags = flags};
}

/* Find and claim room for `length` bytes. */
static int claim_room(struct layout *layout, uint64_t length, uint64_t *paddr, const char *what,
                      struct zvmm_error *error)
{
    *paddr = layout_find(layout, page_up(length), true);
    if (*paddr == UINT64_MAX || layout_claim(layout, *paddr, page_up(length), ZV_MEM_MODULE) != 0)
        return error_set(error, "%s: %llu KiB do not fit into guest memory; use a larger --memory",
                         what, (unsigned long long)(length >> 10));
    return 0;
}

/* Refuse a file that cannot be what its option says, before a guest trips over it. */
static int check_content(const char *path, uint32_t kind, const uint8_t *data, uint64_t length,
                         struct zvmm_error *error)
{
    if (kind == ZV_MODULE_ZBI)
        return bootfs_check_zbi(data, length, path, error);
    if (length < 64 || memcmp(data, "\177ELF", 4) != 0)
        return error_set(error, "%s: is not an ELF file, but %s needs one", path,
                         kind_option(kind));
    return 0;
}

/* Open a module's file and learn its size; returns the descriptor. */
static int open_file(const char *path, uint32_t kind, uint64_t *length, struct zvmm_error *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, "%s: cannot open it: %s; give %s a readable file", path,
                         strerror(errno), kind_option(kind));
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
        (uint64_t)status.st_size > MODULE_MAX_BYTES) {
        close(fd);
        return error_set(error, "%s: %s needs a regular file of 1 byte to 1 GiB", path,
                         kind_option(kind));
    }
    *length = (uint64_t)status.st_size;
    return fd;
}

/* Map a file over free guest memory; the rest of its last page reads as zero. */
static int load_file(struct modules *modules, uint32_t kind, const char *path,
                     struct memory *memory, struct layout *layout, struct zvmm_error *error)
{
    uint64_t length = 0, paddr = 0;
    int fd = open_file(path, kind, &length, error);
    if (fd < 0)
        return -1;
    int result = claim_room(layout, length, &paddr, path, error);
    if (result == 0) {
        uint8_t *to = memory_at(memory, gpa(paddr), page_up(length));
        if (to == NULL || mmap(to, page_up(length), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                               fd, 0) == MAP_FAILED)
            result = error_set(error, "%s: cannot map it: %s; copy it to a local file", path,
                               strerror(errno));
        else
            result = check_content(path, kind, to, length, error);
    }
    close(fd);
    if (result == 0)
        list_module(modules, kind, paddr, length, 0);
    return result;
}

/* Pack the directory over the base ZBI straight into guest memory. */
static int load_bootfs(struct modules *modules, const char *directory, struct content base,
                       struct memory *memory, struct layout *layout, struct zvmm_error *error)
{
    struct bootfs bootfs;
    uint64_t paddr = 0;
    bootfs_init(&bootfs);
    int result = base.length == 0 ? 0 : bootfs_add_zbi(&bootfs, base.data, base.length, error);
    if (result == 0)
        result = bootfs_add_directory(&bootfs, directory, error);
    uint64_t length = 0;
    if (result == 0)
        result = bootfs_finish(&bootfs, &length, error);
    if (result == 0)
        result = claim_room(layout, length, &paddr, directory, error);
    if (result == 0)
        result = bootfs_write(&bootfs, memory_at(memory, gpa(paddr), length), error);
    bootfs_free(&bootfs);
    if (result == 0)
        list_module(modules, ZV_MODULE_ZBI, paddr, length, 0);
    return result;
}

/* A ZBI file that is only the base of a merge is mapped outside the guest. */
static int load_merged(struct modules *modules, const struct zvmm_config *config,
                       const struct loader_image *image, struct memory *memory,
                       struct layout *layout, struct zvmm_error *error)
{
    uint64_t length = image->note.module[ZV_MODULE_ZBI - 1].length;
    struct content base = {.length = length};
    if (config->zbi_path == NULL) {
        base.data = memory_at(memory, gpa(image->note.module[ZV_MODULE_ZBI - 1].paddr), length);
        return load_bootfs(modules, config->bootfs_dir, base, memory, layout, error);
    }
    int fd = open_file(config->zbi_path, ZV_MODULE_ZBI, &base.length, error);
    if (fd < 0)
        return -1;
    void *map = mmap(NULL, base.length, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return error_set(error, "%s: cannot map it: %s; copy it to a local file", config->zbi_path,
                         strerror(errno));
    base.data = map;
    int result = check_content(config->zbi_path, ZV_MODULE_ZBI, base.data, base.length, error);
    if (result == 0)
        result = load_bootfs(modules, config->bootfs_dir, base, memory, layout, error);
    munmap(map, base.length);
    return result;
}

int modules_load(struct modules *modules, const struct zvmm_config *config,
                 const struct loader_image *image, struct memory *memory, struct layout *layout,
                 struct zvmm_error *error)
{
    modules->count = 0;
    for (uint32_t kind = ZV_MODULE_VDSO; kind < ZV_MODULE_KINDS; kind++) {
        const char *path = kind_path(config, kind);
        uint64_t paddr = image->note.module[kind - 1].paddr;
        uint64_t length = image->note.module[kind - 1].length;
        int result = 0;
        if (kind == ZV_MODULE_ZBI && config->bootfs_dir != NULL)
            result = load_merged(modules, config, image, memory, layout, error);
        else if (path != NULL)
            result = load_file(modules, kind, path, memory, layout, error);
        else if (length != 0)
            list_module(modules, kind, paddr, length, ZV_MODULE_BUILTIN);
        if (result != 0)
            return -1;
    }
    return 0;
}
