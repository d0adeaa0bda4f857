/* write.c - writing snapshot files. */
#include "snapshot/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MEMORY_ALIGN (64ull << 10) /* the small sections before the memory usually fit into it */

/* A file being written. */
struct writer {
    const char *path;
    char *temporary;
    int fd;
    struct snapshot_image *image;
    uint64_t memory_offset;
    struct zsnap_run *runs; /* owned */
    uint64_t num_runs, room;
    struct zvmm_error *error;
};

#define FAIL(writer, format, ...)                                                                  \
    error_set((writer)->error, "%s: " format, (writer)->path, ##__VA_ARGS__)

static int explain_write_failure(struct writer *writer, int reason)
{
    return FAIL(writer, "cannot write the snapshot: %s%s", strerror(reason),
                reason == ENOSPC || reason == EDQUOT
                    ? "; make room or write it elsewhere (what was there before is untouched)"
                    : "; write it elsewhere");
}

static int write_at(struct writer *writer, const void *data, uint64_t length, uint64_t offset)
{
    const uint8_t *from = data;
    while (length != 0) {
        ssize_t written = pwrite(writer->fd, from, length, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return explain_write_failure(writer, errno);
        from += written;
        offset += (uint64_t)written;
        length -= (uint64_t)written;
    }
    return 0;
}

/* ---- Memory --------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *page)
{
    const uint64_t *words = (const uint64_t *)page;
    for (unsigned i = 0; i < ZSNAP_PAGE / 8; i += 8)
        if ((words[i] | words[i + 1] | words[i + 2] | words[i + 3] | words[i + 4] | words[i + 5] |
             words[i + 6] | words[i + 7]) != 0)
            return false;
    return true;
}

enum page_kind { PAGE_SKIP, PAGE_ZERO, PAGE_DATA };

/* What becomes of one page. A page that is zero hides the parent's only if the latter is not. */
static enum page_kind classify(const struct snapshot_image *image, uint64_t paddr,
                               const uint8_t *data)
{
    const uint8_t *parent = image->parent != NULL ? image->parent + paddr : NULL;
    if (image->exact)
        return data != NULL ? PAGE_DATA : PAGE_ZERO;
    if (data == NULL || is_zero(data))
        return parent == NULL || is_zero(parent) ? PAGE_SKIP : PAGE_ZERO;
    if (parent != NULL && memcmp(parent, data, ZSNAP_PAGE) == 0)
        return PAGE_SKIP;
    return PAGE_DATA;
}

/* List and write [paddr, paddr + length), all of one kind. */
static int emit(struct writer *writer, uint64_t paddr, uint64_t length, const uint8_t *data)
{
    if (writer->num_runs == writer->room) {
        uint64_t room = writer->room == 0 ? 1024 : 2 * writer->room;
        struct zsnap_run *runs = realloc(writer->runs, room * sizeof(*runs));
        if (runs == NULL)
            return FAIL(writer, "out of memory");
        writer->runs = runs;
        writer->room = room;
    }
    writer->runs[writer->num_runs++] = (struct zsnap_run){
        .paddr = paddr,
        .length = length,
        .checksum = data != NULL ? XXH3_64bits(data, length) : 0,
        .flags = data != NULL ? 0 : ZSNAP_RUN_ZERO,
    };
    return data != NULL ? write_at(writer, data, length, writer->memory_offset + paddr) : 0;
}

/* Cut an extent into runs of pages of one kind. */
static int write_extent(struct writer *writer, const struct snapshot_extent *extent)
{
    uint64_t begin = 0;
    enum page_kind kind = PAGE_SKIP;
    for (uint64_t at = 0;; at += ZSNAP_PAGE) {
        enum page_kind next = at == extent->length
                                  ? PAGE_SKIP
                                  : classify(writer->image, extent->paddr + at,
                                             extent->data != NULL ? extent->data + at : NULL);
        if (at != 0 && (next != kind || at == extent->length) && kind != PAGE_SKIP &&
            emit(writer, extent->paddr + begin, at - begin,
                 kind == PAGE_DATA ? extent->data + begin : NULL) != 0)
            return -1;
        if (at == extent->length)
            return 0;
        if (next != kind)
            begin = at;
        kind = next;
    }
}

/* ---- The rest ------------------------------------------------------------------------------- */

static void list_section(struct writer *writer, uint32_t type, uint64_t offset, const void *bytes,
                         uint64_t length)
{
    struct zsnap_header *header = &writer->image->header;
    header->sections[header->section_count++] = (struct zsnap_section){
        .type = type,
        .flags = ZSNAP_NEEDED,
        .offset = offset,
        .length = length,
        .checksum = type != ZSNAP_MEMORY ? XXH3_64bits(bytes, length) : 0,
    };
}

static uint64_t part_space(uint64_t length)
{
    return (length + 7) & ~7ull;
}

/* The header and the small sections, in one piece. */
static int write_front(struct writer *writer)
{
    struct snapshot_image *image = writer->image;
    uint8_t *front = calloc(1, writer->memory_offset);
    uint64_t at = sizeof(image->header);
    if (front == NULL)
        return FAIL(writer, "out of memory");
    for (uint32_t i = 0; i < image->num_parts; i++) {
        const struct snapshot_part *part = &image->parts[i];
        memcpy(front + at, part->bytes, part->length);
        list_section(writer, part->type, at, front + at, part->length);
        at += part_space(part->length);
    }
    image->header.checksum = XXH3_64bits(&image->header, offsetof(struct zsnap_header, checksum));
    memcpy(front, &image->header, sizeof(image->header));
    int result = write_at(writer, front, at, 0);
    free(front);
    return result;
}

static int write_contents(struct writer *writer)
{
    struct snapshot_image *image = writer->image;
    struct zsnap_header *header = &image->header;
    uint64_t front = sizeof(*header);
    for (uint32_t i = 0; i < image->num_parts; i++)
        front += part_space(image->parts[i].length);
    writer->memory_offset = (front + MEMORY_ALIGN - 1) & ~(MEMORY_ALIGN - 1);
    for (uint64_t i = 0; i < image->num_extents; i++)
        if (write_extent(writer, &image->extents[i]) != 0)
            return -1;
    uint64_t end = writer->memory_offset + header->memory_bytes;
    uint64_t bytes = writer->num_runs * sizeof(struct zsnap_run);
    if (ftruncate(writer->fd, (off_t)(end + bytes)) != 0)
        return explain_write_failure(writer, errno);
    if (write_at(writer, writer->runs, bytes, end) != 0)
        return -1;
    header->magic = ZSNAP_MAGIC;
    header->version = ZSNAP_VERSION;
    header->header_bytes = sizeof(*header);
    header->abi_version = ZV_ABI_VERSION;
    header->file_bytes = end + bytes;
    header->section_count = 0;
    list_section(writer, ZSNAP_MEMORY, writer->memory_offset, NULL, header->memory_bytes);
    list_section(writer, ZSNAP_RUNS, end, writer->runs, bytes);
    return write_front(writer);
}

/* The name itself has to reach the disk too. Failing is harmless: the file is whole. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path + 1));
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

static int finish(struct writer *writer)
{
    if (writer->image->sync && fsync(writer->fd) != 0)
        return explain_write_failure(writer, errno);
    if (rename(writer->temporary, writer->path) != 0)
        return FAIL(writer, "cannot give the snapshot its name: %s; write it elsewhere",
                    strerror(errno));
    if (writer->image->sync)
        sync_folder(writer->path);
    return 0;
}

static int create(struct writer *writer)
{
    struct stat status;
    if (stat(writer->path, &status) == 0 && !S_ISREG(status.st_mode))
        return FAIL(writer, "is there and no regular file; name another file for the snapshot");
    if (asprintf(&writer->temporary, "%s.XXXXXX", writer->path) < 0) {
        writer->temporary = NULL;
        return FAIL(writer, "out of memory");
    }
    writer->fd = mkostemp(writer->temporary, O_CLOEXEC);
    if (writer->fd < 0)
        return FAIL(writer,
                    "cannot create the snapshot: %s; name a file in a folder that you may "
                    "write to",
                    strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    fchmod(writer->fd, 0666 & ~mask); /* a snapshot is a file like any other */
    return 0;
}

int snapshot_write(const char *path, struct snapshot_image *image, struct zvmm_error *error)
{
    struct writer writer = {.path = path, .fd = -1, .image = image, .error = error};
    int result = create(&writer);
    if (result == 0)
        result = write_contents(&writer);
    if (result == 0)
        result = finish(&writer);
    if (result != 0 && writer.fd >= 0)
        unlink(writer.temporary);
    if (writer.fd >= 0)
        close(writer.fd);
    free(writer.temporary);
    free(writer.runs);
    return result;
}
