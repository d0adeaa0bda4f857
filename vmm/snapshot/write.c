/* write.c - writing snapshot files. */
#include "snapshot/write.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "snapshot/temporary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MEMORY_ALIGN (64ull << 10) /* the small sections before the memory usually fit into it */

/* A file being written. */
struct writer {
    struct temporary file;
    struct snapshot_image *image;
    uint64_t memory_offset;
    struct zsnap_run *runs; /* owned */
    uint64_t num_runs, room;
    struct zvmm_error *error;
};

static int no_memory(const struct writer *writer)
{
    return error_set(writer->error, "%s: out of memory", writer->file.path);
}

static int write_at(struct writer *writer, const void *data, uint64_t length, uint64_t offset)
{
    return temporary_write(&writer->file, data, length, offset, writer->error);
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
    struct zsnap_run *runs =
        array_grow(writer->runs, writer->num_runs, &writer->room, sizeof(*runs));
    if (runs == NULL)
        return no_memory(writer);
    writer->runs = runs;
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
        return no_memory(writer);
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
    /* A last byte, as a hole at the end would not make the file any longer. */
    if (bytes == 0 ? write_at(writer, "", 1, end - 1) : write_at(writer, writer->runs, bytes, end))
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

int snapshot_write(const char *path, struct snapshot_image *image, struct zvmm_error *error)
{
    struct writer writer = {.image = image, .error = error};
    int result = temporary_create(&writer.file, path, error);
    if (result == 0)
        result = write_contents(&writer);
    if (result == 0)
        result = temporary_finish(&writer.file, image->sync, error);
    temporary_close(&writer.file);
    free(writer.runs);
    return result;
}
