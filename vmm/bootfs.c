/* bootfs.c - ZBI containers and the boot file system: read one, merge a directory, write one. */
#include "bootfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

#define ZBI_TYPE_CONTAINER  0x544f4f42u /* "BOOT" */
#define ZBI_TYPE_BOOTFS     0x42534642u /* "BFSB" */
#define ZBI_TYPE_DISCARD    0x50494b53u /* "SKIP" */
#define ZBI_CONTAINER_MAGIC 0x868cf7e6u
#define ZBI_ITEM_MAGIC      0xb5781729u
#define ZBI_FLAG_VERSION    0x00010000u
#define ZBI_FLAG_COMPRESSED 0x00000001u
#define ZBI_NO_CRC          0x4a87e8d6u

#define BOOTFS_MAGIC    0xa56d3ff9u
#define BOOTFS_NAME_MAX 256u /* with the NUL */

enum { MAX_DEPTH = 32 };

struct zbi_header {
    uint32_t type, length, extra, flags;
    uint32_t reserved0, reserved1, magic, crc32;
};
_Static_assert(sizeof(struct zbi_header) == 32, "zbi_header");

struct bootfs_header {
    uint32_t magic, dirsize, reserved0, reserved1;
};

struct bootfs_entry {
    uint32_t name_len, data_len, data_off;
};

static uint64_t align8(uint64_t value)
{
    return (value + 7) & ~7ull;
}

static uint64_t align4(uint64_t value)
{
    return (value + 3) & ~3ull;
}

void bootfs_init(struct bootfs *bootfs)
{
    memset(bootfs, 0, sizeof(*bootfs));
}

/* Append a file; takes over `name` and `path` (also on failure). */
static int append(struct bootfs *bootfs, struct bootfs_file file, struct zvmm_error *error)
{
    if (file.name == NULL || (file.data == NULL && file.path == NULL && file.length != 0))
        goto no_memory;
    if (bootfs->count == bootfs->room) {
        uint32_t room = bootfs->room == 0 ? 64 : bootfs->room * 2;
        struct bootfs_file *files = reallocarray(bootfs->files, room, sizeof(*files));
        if (files == NULL)
            goto no_memory;
        bootfs->files = files;
        bootfs->room = room;
    }
    file.sequence = bootfs->count;
    bootfs->files[bootfs->count++] = file;
    return 0;

no_memory:
    free(file.name);
    free(file.path);
    return error_set(error, "boot file system: out of memory");
}

int bootfs_add_bytes(struct bootfs *bootfs, const char *name, const void *data, uint32_t length,
                     struct zvmm_error *error)
{
    if (name[0] == '\0' || strlen(name) >= BOOTFS_NAME_MAX)
        return error_set(error, "boot file system: a name must have 1 to %u bytes: '%.40s'",
                         BOOTFS_NAME_MAX - 1, name);
    return append(
        bootfs, (struct bootfs_file){.name = strdup(name), .data = data, .length = length}, error);
}

int bootfs_check_zbi(const uint8_t *data, uint64_t length, const char *name,
                     struct zvmm_error *error)
{
    struct zbi_header header;
    if (length < sizeof(header))
        return error_set(error, "%s: is too short to be a ZBI", name);
    memcpy(&header, data, sizeof(header));
    if (header.type != ZBI_TYPE_CONTAINER || header.extra != ZBI_CONTAINER_MAGIC ||
        header.magic != ZBI_ITEM_MAGIC)
        return error_set(error, "%s: is not a ZBI: its container header is missing", name);
    if (header.length > length - sizeof(header))
        return error_set(error, "%s: is truncated: the ZBI says %llu bytes and %llu are there",
                         name, (unsigned long long)header.length + sizeof(header),
                         (unsigned long long)length);
    return 0;
}

/* Read the item header at `offset` of the container; 1 = there is one, 0 = end, -1 = broken. */
static int next_item(const uint8_t *zbi, uint64_t end, uint64_t offset, struct zbi_header *item)
{
    if (offset >= end)
        return 0;
    if (end - offset < sizeof(*item))
        return -1;
    memcpy(item, zbi + offset, sizeof(*item));
    return item->length <= end - offset - sizeof(*item) ? 1 : -1;
}

static int add_entries(struct bootfs *bootfs, const uint8_t *payload, uint64_t length,
                       struct zvmm_error *error)
{
    struct bootfs_header header;
    if (length < sizeof(header))
        goto broken;
    memcpy(&header, payload, sizeof(header));
    if (header.magic != BOOTFS_MAGIC || header.dirsize > length - sizeof(header))
        goto broken;
    const uint8_t *directory = payload + sizeof(header);
    for (uint64_t at = 0; at + sizeof(struct bootfs_entry) <= header.dirsize;) {
        struct bootfs_entry entry;
        memcpy(&entry, directory + at, sizeof(entry));
        const char *name = (const char *)directory + at + sizeof(entry);
        if (entry.name_len < 2 || entry.name_len > BOOTFS_NAME_MAX ||
            entry.name_len > header.dirsize - at - sizeof(entry) ||
            strnlen(name, entry.name_len) != entry.name_len - 1 || entry.data_off > length ||
            entry.data_len > length - entry.data_off)
            goto broken;
        if (bootfs_add_bytes(bootfs, name, payload + entry.data_off, entry.data_len, error) != 0)
            return -1;
        at += align4(sizeof(entry) + entry.name_len);
    }
    return 0;

broken:
    return error_set(error, "the ZBI's boot file system is damaged; build the image again");
}

int bootfs_add_zbi(struct bootfs *bootfs, const uint8_t *data, uint64_t length,
                   struct zvmm_error *error)
{
    struct zbi_header item;
    int more;
    if (bootfs_check_zbi(data, length, "the base of --bootfs", error) != 0)
        return -1;
    memcpy(&item, data, sizeof(item));
    uint64_t end = sizeof(item) + item.length;
    for (uint64_t at = sizeof(item); (more = next_item(data, end, at, &item)) > 0;
         at += sizeof(item) + align8(item.length)) {
        if (item.type != ZBI_TYPE_BOOTFS)
            continue;
        if ((item.flags & ZBI_FLAG_COMPRESSED) != 0)
            return error_set(error, "the ZBI's boot file system is compressed, so --bootfs cannot "
                                    "be merged into it; use an uncompressed one");
        if (add_entries(bootfs, data + at + sizeof(item), item.length, error) != 0)
            return -1;
    }
    if (more < 0)
        return error_set(error, "the ZBI has a damaged item; build the image again");
    bootfs->zbi = data;
    bootfs->zbi_length = end;
    return 0;
}

static int add_tree(struct bootfs *bootfs, const char *path, const char *name, int depth,
                    struct zvmm_error *error);

static int add_children(struct bootfs *bootfs, const char *path, const char *name, int depth,
                        struct zvmm_error *error)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return error_set(error, "%s: cannot read the directory: %s", path, strerror(errno));
    int result = 0;
    for (struct dirent *child; result == 0 && (child = readdir(directory)) != NULL;) {
        char *child_path = NULL, *child_name = NULL;
        if (strcmp(child->d_name, ".") == 0 || strcmp(child->d_name, "..") == 0)
            continue;
        if (asprintf(&child_path, "%s/%s", path, child->d_name) < 0)
            child_path = NULL;
        if (asprintf(&child_name, "%s%s%s", name, name[0] == '\0' ? "" : "/", child->d_name) < 0)
            child_name = NULL;
        if (child_path == NULL || child_name == NULL)
            result = error_set(error, "%s: out of memory", path);
        else
            result = add_tree(bootfs, child_path, child_name, depth + 1, error);
        free(child_path);
        free(child_name);
    }
    closedir(directory);
    return result;
}

static int add_host_file(struct bootfs *bootfs, const char *path, const char *name, off_t size,
                         struct zvmm_error *error)
{
    if (size > (1 << 30))
        return error_set(error, "%s: is larger than 1 GiB", path);
    if (strlen(name) >= BOOTFS_NAME_MAX)
        return error_set(error, "%s: its name in the boot file system has more than %u bytes", path,
                         BOOTFS_NAME_MAX - 1);
    return append(
        bootfs,
        (struct bootfs_file){.name = strdup(name), .path = strdup(path), .length = (uint32_t)size},
        error);
}

/* Add `path`, a file or a directory, as `name`. */
static int add_tree(struct bootfs *bootfs, const char *path, const char *name, int depth,
                    struct zvmm_error *error)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set(error, "%s: cannot examine it: %s", path, strerror(errno));
    if (S_ISREG(status.st_mode))
        return add_host_file(bootfs, path, name, status.st_size, error);
    if (!S_ISDIR(status.st_mode))
        return error_set(error, "%s: is neither a file nor a directory; remove it", path);
    if (depth > MAX_DEPTH)
        return error_set(error, "%s: is nested more than %d deep; is a link circular?", path,
                         MAX_DEPTH);
    return add_children(bootfs, path, name, depth, error);
}

int bootfs_add_directory(struct bootfs *bootfs, const char *directory, struct zvmm_error *error)
{
    struct stat status;
    if (stat(directory, &status) != 0)
        return error_set(error, "%s: cannot examine it: %s; give --bootfs a directory", directory,
                         strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return error_set(error, "%s: is not a directory, but --bootfs needs one", directory);
    return add_children(bootfs, directory, "", 0, error);
}

static int compare_files(const void *left, const void *right)
{
    const struct bootfs_file *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    if (order != 0)
        return order;
    return a->sequence < b->sequence ? -1 : 1;
}

/* Keep the last of each run of files with one name. */
static void drop_replaced(struct bootfs *bootfs)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < bootfs->count; i++) {
        struct bootfs_file *file = &bootfs->files[i];
        if (i + 1 < bootfs->count && strcmp(file->name, file[1].name) == 0) {
            free(file->name);
            free(file->path);
            continue;
        }
        bootfs->files[kept++] = *file;
    }
    bootfs->count = kept;
}

/* Bytes of the container header and of the items that are kept as they are. */
static uint64_t kept_bytes(const struct bootfs *bootfs)
{
    struct zbi_header item;
    uint64_t kept = sizeof(item);
    for (uint64_t at = sizeof(item);
         bootfs->zbi != NULL && next_item(bootfs->zbi, bootfs->zbi_length, at, &item) > 0;
         at += sizeof(item) + align8(item.length))
        if (item.type != ZBI_TYPE_BOOTFS && item.type != ZBI_TYPE_DISCARD)
            kept += sizeof(item) + align8(item.length);
    return kept;
}

int bootfs_finish(struct bootfs *bootfs, uint64_t *bytes, struct zvmm_error *error)
{
    if (bootfs->count != 0)
        qsort(bootfs->files, bootfs->count, sizeof(bootfs->files[0]), compare_files);
    drop_replaced(bootfs);
    bootfs->directory_bytes = 0;
    uint64_t data = 0;
    for (uint32_t i = 0; i < bootfs->count; i++) {
        bootfs->directory_bytes +=
            align4(sizeof(struct bootfs_entry) + strlen(bootfs->files[i].name) + 1);
        data += page_up(bootfs->files[i].length);
    }
    bootfs->payload_bytes = page_up(sizeof(struct bootfs_header) + bootfs->directory_bytes) + data;
    /* A discarded item's header must fit in front of the BOOTFS header. */
    bootfs->prefix_bytes =
        page_up(kept_bytes(bootfs) + 2 * sizeof(struct zbi_header)) - sizeof(struct zbi_header);
    *bytes = bootfs->prefix_bytes + sizeof(struct zbi_header) + bootfs->payload_bytes;
    if (*bytes > UINT32_MAX)
        return error_set(error, "boot file system: %llu MiB are more than its format can hold",
                         (unsigned long long)(*bytes >> 20));
    return 0;
}

static void put_item(uint8_t *to, uint32_t type, uint64_t length, uint32_t extra)
{
    struct zbi_header header = {
        .type = type,
        .length = (uint32_t)length,
        .extra = extra,
        .flags = ZBI_FLAG_VERSION,
        .magic = ZBI_ITEM_MAGIC,
        .crc32 = ZBI_NO_CRC,
    };
    memcpy(to, &header, sizeof(header));
}

/* Container header, kept items, then a discarded item up to the BOOTFS item. */
static void write_prefix(const struct bootfs *bootfs, uint8_t *to)
{
    struct zbi_header item;
    uint64_t total = bootfs->prefix_bytes + sizeof(item) + bootfs->payload_bytes;
    uint64_t out = sizeof(item);
    put_item(to, ZBI_TYPE_CONTAINER, total - sizeof(item), ZBI_CONTAINER_MAGIC);
    for (uint64_t at = sizeof(item);
         bootfs->zbi != NULL && next_item(bootfs->zbi, bootfs->zbi_length, at, &item) > 0;
         at += sizeof(item) + align8(item.length)) {
        if (item.type == ZBI_TYPE_BOOTFS || item.type == ZBI_TYPE_DISCARD)
            continue;
        memcpy(to + out, bootfs->zbi + at, sizeof(item) + item.length);
        out += sizeof(item) + align8(item.length);
    }
    put_item(to + out, ZBI_TYPE_DISCARD, bootfs->prefix_bytes - out - sizeof(item), 0);
    put_item(to + bootfs->prefix_bytes, ZBI_TYPE_BOOTFS, bootfs->payload_bytes,
             (uint32_t)bootfs->payload_bytes);
}

static int write_data(const struct bootfs_file *file, uint8_t *to, struct zvmm_error *error)
{
    if (file->path == NULL) {
        memcpy(to, file->data, file->length);
        return 0;
    }
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, "%s: cannot open it: %s", file->path, strerror(errno));
    uint32_t done = 0;
    while (done < file->length) {
        ssize_t got = read(fd, to + done, file->length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (uint32_t)got;
    }
    close(fd);
    if (done < file->length)
        return error_set(error, "%s: cannot read all of it; it changed while zvmm started",
                         file->path);
    return 0;
}

int bootfs_write(const struct bootfs *bootfs, uint8_t *to, struct zvmm_error *error)
{
    write_prefix(bootfs, to);
    uint8_t *payload = to + bootfs->prefix_bytes + sizeof(struct zbi_header);
    struct bootfs_header header = {.magic = BOOTFS_MAGIC,
                                   .dirsize = (uint32_t)bootfs->directory_bytes};
    memcpy(payload, &header, sizeof(header));
    uint64_t at = sizeof(header);
    uint64_t data = page_up(sizeof(header) + bootfs->directory_bytes);
    for (uint32_t i = 0; i < bootfs->count; i++) {
        const struct bootfs_file *file = &bootfs->files[i];
        struct bootfs_entry entry = {.name_len = (uint32_t)strlen(file->name) + 1,
                                     .data_len = file->length,
                                     .data_off = (uint32_t)data};
        memcpy(payload + at, &entry, sizeof(entry));
        memcpy(payload + at + sizeof(entry), file->name, entry.name_len);
        at += align4(sizeof(entry) + entry.name_len);
        if (write_data(file, payload + data, error) != 0)
            return -1;
        data += page_up(file->length);
    }
    return 0;
}

void bootfs_free(struct bootfs *bootfs)
{
    for (uint32_t i = 0; i < bootfs->count; i++) {
        free(bootfs->files[i].name);
        free(bootfs->files[i].path);
    }
    free(bootfs->files);
    bootfs_init(bootfs);
}
