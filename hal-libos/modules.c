/* modules.c - boot modules: built in (guest/modules.S), from files, and the merged boot file
 * system. */
#include "modules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootfs.h"
#include "frame.h"
#include "machine.h"

#define MODULE_MAX_BYTES (1ull << 30)

extern const uint8_t zv_module_vdso_start[], zv_module_vdso_end[];
extern const uint8_t zv_module_userboot_start[], zv_module_userboot_end[];
extern const uint8_t zv_module_zbi_start[], zv_module_zbi_end[];

/* A module's bytes in host memory, where they stay. */
struct content {
    const uint8_t *data;
    uint64_t length;
};

#define BUILT_IN(name)                                                                             \
    ((struct content){zv_module_##name##_start,                                                    \
                      (uint64_t)(zv_module_##name##_end - zv_module_##name##_start)})

static struct content map_file(const char *path, const char *option)
{
    struct content content;
    struct stat status;
    void *map;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        machine_fail("%s: cannot open it: %s; give %s a readable file", path, strerror(errno),
                     option);
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
        (uint64_t)status.st_size > MODULE_MAX_BYTES)
        machine_fail("%s: %s needs a regular file of 1 byte to 1 GiB", path, option);
    content.length = (uint64_t)status.st_size;
    map = mmap(NULL, content.length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        machine_fail("%s: cannot map it: %s; copy it to a local file", path, strerror(errno));
    close(fd);
    content.data = map;
    return content;
}

static struct content find_elf(const char *path, const char *option, struct content built_in)
{
    struct content content;

    if (!path)
        return built_in;
    content = map_file(path, option);
    if (content.length < 64 || memcmp(content.data, "\177ELF", 4) != 0)
        machine_fail("%s: is not an ELF file, but %s needs one", path, option);
    return content;
}

static struct content find_zbi(const char *path)
{
    struct zvmm_error error;
    struct content content;

    if (!path)
        return BUILT_IN(zbi);
    content = map_file(path, "--zbi");
    if (bootfs_check_zbi(content.data, content.length, path, &error) != 0)
        machine_fail("%s", error.text);
    return content;
}

static struct hal_module make_room(uint64_t length, const char *what)
{
    struct hal_module module = {.length = length};

    module.paddr = frame_take_module((size_t)((length + HAL_PAGE_MASK) / HAL_PAGE_SIZE));
    if (module.paddr == 0)
        machine_fail("%s: %llu KiB do not fit into memory; use a larger --memory", what,
                     (unsigned long long)(length >> 10));
    return module;
}

static struct hal_module copy(struct content content, const char *what)
{
    struct hal_module module = {0, 0};

    if (content.length == 0)
        return module;
    module = make_room(content.length, what);
    memcpy(machine_direct(module.paddr), content.data, content.length);
    return module;
}

/* Packs the directory over the base ZBI straight into physical memory. */
static struct hal_module merge(struct content base, const char *directory)
{
    struct hal_module module = {0, 0};
    struct zvmm_error error;
    struct bootfs bootfs;
    uint64_t length = 0;

    bootfs_init(&bootfs);
    if ((base.length != 0 && bootfs_add_zbi(&bootfs, base.data, base.length, &error) != 0) ||
        bootfs_add_directory(&bootfs, directory, &error) != 0 ||
        bootfs_finish(&bootfs, &length, &error) != 0)
        machine_fail("%s", error.text);
    module = make_room(length, directory);
    if (bootfs_write(&bootfs, machine_direct(module.paddr), &error) != 0)
        machine_fail("%s", error.text);
    bootfs_free(&bootfs);
    return module;
}

void modules_load(struct hal_boot *boot)
{
    const struct machine_config *config = machine.config;
    struct content zbi = find_zbi(config->zbi_path);

    boot->vdso = copy(find_elf(config->vdso_path, "--vdso", BUILT_IN(vdso)), "--vdso");
    boot->userboot =
        copy(find_elf(config->userboot_path, "--userboot", BUILT_IN(userboot)), "--userboot");
    boot->zbi = config->bootfs_dir ? merge(zbi, config->bootfs_dir) : copy(zbi, "--zbi");
}
