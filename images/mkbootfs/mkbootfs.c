/*
 * mkbootfs: packs files into a boot image (ZBI) that holds one uncompressed boot file system. The
 * payload is placed at a page boundary, so that userboot can clone it instead of copying it.
 *
 *     mkbootfs OUTPUT NAME=FILE...
 *
 * Runs on the build host, which is little-endian as the format is.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zircon/zbi.h>

struct file {
    const char *name; /* in the boot file system */
    const char *path; /* on the host */
    uint32_t size;
    uint32_t offset;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static struct file parse(char *argument)
{
    char *equals = strchr(argument, '=');
    struct stat status;

    if (!equals)
        errx(2, "usage: mkbootfs OUTPUT NAME=FILE...");
    *equals = '\0';
    if (argument[0] == '\0' || argument[0] == '/' || strlen(argument) >= ZBI_BOOTFS_MAX_NAME_LEN)
        errx(1, "'%s' is no name for a file", argument);
    if (stat(equals + 1, &status) != 0)
        err(1, "%s", equals + 1);
    if (status.st_size > INT32_MAX)
        errx(1, "%s: too big", equals + 1);
    return (struct file){.name = argument, .path = equals + 1, .size = (uint32_t)status.st_size};
}

static void write_bytes(FILE *out, const void *bytes, size_t size)
{
    if (fwrite(bytes, 1, size, out) != size)
        err(1, "cannot write");
}

/* Zeroes up to a position. */
static void pad_to(FILE *out, uint64_t position)
{
    while ((uint64_t)ftell(out) < position) {
        if (putc(0, out) == EOF)
            err(1, "cannot write");
    }
}

static void write_item(FILE *out, uint32_t type, uint32_t length, uint32_t extra)
{
    const zbi_header_t header = {
        .type = type,
        .length = length,
        .extra = extra,
        .flags = ZBI_FLAG_VERSION,
        .magic = ZBI_ITEM_MAGIC,
        .crc32 = ZBI_ITEM_NO_CRC32,
    };

    write_bytes(out, &header, sizeof(header));
}

static void write_directory(FILE *out, const struct file *files, size_t count, uint32_t size)
{
    const zbi_bootfs_header_t header = {.magic = ZBI_BOOTFS_MAGIC, .dirsize = size};

    write_bytes(out, &header, sizeof(header));
    for (size_t i = 0; i < count; i++) {
        uint32_t name_length = (uint32_t)strlen(files[i].name) + 1;
        const zbi_bootfs_dirent_t entry = {
            .name_len = name_length, .data_len = files[i].size, .data_off = files[i].offset};
        uint64_t start = (uint64_t)ftell(out);
        write_bytes(out, &entry, sizeof(entry));
        write_bytes(out, files[i].name, name_length);
        pad_to(out, start + ZBI_BOOTFS_DIRENT_SIZE(name_length));
    }
}

static void copy_file(FILE *out, const struct file *file)
{
    static char buffer[65536];
    FILE *in = fopen(file->path, "rb");
    uint32_t copied = 0;
    size_t n;

    if (!in)
        err(1, "%s", file->path);
    while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0) {
        write_bytes(out, buffer, n);
        copied += (uint32_t)n;
    }
    if (ferror(in))
        err(1, "%s", file->path);
    if (copied != file->size)
        errx(1, "%s: changed while it was read", file->path);
    fclose(in);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        errx(2, "usage: mkbootfs OUTPUT NAME=FILE...");
    size_t count = (size_t)argc - 2;
    struct file *files = calloc(count + 1, sizeof(*files));
    if (!files)
        err(1, "no memory");
    for (size_t i = 0; i < count; i++)
        files[i] = parse(argv[i + 2]);
    qsort(files, count, sizeof(*files), by_name);

    uint32_t directory_size = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(files[i].name, files[i - 1].name) == 0)
            errx(1, "%s: given twice", files[i].name);
        directory_size += (uint32_t)ZBI_BOOTFS_DIRENT_SIZE(strlen(files[i].name) + 1);
    }
    uint64_t end = ZBI_BOOTFS_PAGE_ALIGN(sizeof(zbi_bootfs_header_t) + directory_size);
    for (size_t i = 0; i < count; i++) {
        files[i].offset = (uint32_t)end;
        end += ZBI_BOOTFS_PAGE_ALIGN((uint64_t)files[i].size);
    }
    if (end > INT32_MAX)
        errx(1, "more than 2 GiB of files");

    /* The container, an item to skip, and the BOOTFS item, whose payload starts the second page. */
    const uint32_t payload = ZBI_BOOTFS_PAGE_SIZE, header = sizeof(zbi_header_t);
    FILE *out = fopen(argv[1], "wb");
    if (!out)
        err(1, "%s", argv[1]);
    write_item(out, ZBI_TYPE_CONTAINER, payload - header + (uint32_t)end, ZBI_CONTAINER_MAGIC);
    write_item(out, ZBI_TYPE_DISCARD, payload - 3 * header, 0);
    pad_to(out, payload - header);
    write_item(out, ZBI_TYPE_STORAGE_BOOTFS, (uint32_t)end, (uint32_t)end);
    write_directory(out, files, count, directory_size);
    for (size_t i = 0; i < count; i++) {
        pad_to(out, payload + files[i].offset);
        copy_file(out, &files[i]);
    }
    pad_to(out, payload + end);
    if (fclose(out) != 0)
        err(1, "%s", argv[1]);
    free(files);
    return 0;
}
