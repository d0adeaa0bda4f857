/* transport.c - snapshot files made into others: one file of a chain, small files for transport. */
#include "snapshot/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "snapshot/file.h"
#include "snapshot/pages.h"
#include "snapshot/temporary.h"
#include "snapshot/write.h"

/* ---- flatten -----------------------------------------------------------------------------------
 */

/* The sections that are the same in the new file. */
static uint32_t keep_parts(const struct snapshot_file *file, struct snapshot_part *parts)
{
    const struct zsnap_header *header = snapshot_header(file);
    uint32_t count = 0;
    for (uint32_t i = 0; i < header->section_count; i++) {
        uint32_t type = header->sections[i].type;
        uint64_t length = 0;
        const void *bytes = snapshot_section(file, type, &length);
        if (type != ZSNAP_RUNS && type != ZSNAP_PARENT && bytes != NULL)
            parts[count++] = (struct snapshot_part){.type = type, .bytes = bytes, .length = length};
    }
    return count;
}

/* Everything that the chain has somewhere. */
static int list_chain(const struct snapshot_file *file, const uint8_t *memory,
                      struct snapshot_extent **out, uint64_t *count)
{
    struct page_set set;
    uint64_t at, end, number = 0;
    if (page_set_init(&set, snapshot_header(file)->memory_bytes) != 0)
        return -1;
    for (; file != NULL; file = snapshot_parent(file)) {
        uint64_t runs_count;
        const struct zsnap_run *runs = snapshot_runs(file, &runs_count);
        for (uint64_t i = 0; i < runs_count; i++)
            page_set_add(&set, runs[i].paddr, runs[i].length);
    }
    for (at = 0; page_set_next(&set, &at, &end); at = end)
        number++;
    struct snapshot_extent *extents = calloc(number + 1, sizeof(*extents));
    *count = 0;
    for (at = 0; extents != NULL && page_set_next(&set, &at, &end); at = end)
        extents[(*count)++] = (struct snapshot_extent){.paddr = at * PAGE_BYTES,
                                                       .length = (end - at) * PAGE_BYTES,
                                                       .data = memory + at * PAGE_BYTES};
    page_set_free(&set);
    *out = extents;
    return extents != NULL ? 0 : -1;
}

static int write_flat(const struct snapshot_file *file, const uint8_t *memory, const char *to,
                      struct zvmm_error *error)
{
    struct snapshot_part parts[ZSNAP_SECTIONS];
    struct snapshot_extent *extents = NULL;
    struct snapshot_image image = {.header = *snapshot_header(file), .sync = true};
    memset(image.header.parent, 0, sizeof(image.header.parent));
    memset(image.header.sections, 0, sizeof(image.header.sections));
    image.parts = parts;
    image.num_parts = keep_parts(file, parts);
    if (list_chain(file, memory, &extents, &image.num_extents) != 0)
        return error_set(error, "%s: out of memory", to);
    image.extents = extents;
    int result = snapshot_write(to, &image, error);
    free(extents);
    return result;
}

int snapshot_flatten(const char *from, const char *to, struct zvmm_error *error)
{
    struct snapshot_file *file;
    uint8_t *memory = NULL;
    if (snapshot_open(&file, from, error) != 0)
        return -1;
    int result = snapshot_verify(file, error);
    if (result == 0)
        result = snapshot_map(file, &memory, error);
    if (result == 0) {
        result = write_flat(file, memory, to, error);
        munmap(memory, snapshot_header(file)->memory_bytes);
    }
    snapshot_close(file);
    return result;
}

/* ---- pack --------------------------------------------------------------------------------------
 */

enum { CHUNK = 1 << 17, LEVEL = 3 };

/* A file that is being compressed. */
struct packer {
    struct temporary file;
    ZSTD_CCtx *zstd;
    uint64_t at;
    uint8_t out[CHUNK];
    struct zvmm_error *error;
};

static int compress(struct packer *packer, const void *data, uint64_t length, bool last)
{
    ZSTD_inBuffer in = {.src = data, .size = length};
    for (;;) {
        ZSTD_outBuffer out = {.dst = packer->out, .size = CHUNK};
        size_t left =
            ZSTD_compressStream2(packer->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return error_set(packer->error, "%s: zstd: %s", packer->file.path,
                             ZSTD_getErrorName(left));
        if (temporary_write(&packer->file, packer->out, out.pos, packer->at, packer->error) != 0)
            return -1;
        packer->at += out.pos;
        if (in.pos == in.size && (!last || left == 0))
            return 0;
    }
}

static int compress_runs(struct packer *packer, const struct snapshot_file *file, int fd)
{
    static uint8_t buffer[CHUNK];
    const struct zsnap_header *header = snapshot_header(file);
    uint64_t count, memory = 0;
    const struct zsnap_run *runs = snapshot_runs(file, &count);
    for (uint32_t i = 0; i < header->section_count; i++)
        if (header->sections[i].type == ZSNAP_MEMORY)
            memory = header->sections[i].offset;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t length = (runs[i].flags & ZSNAP_RUN_ZERO) != 0 ? 0 : runs[i].length;
        for (uint64_t done = 0; done < length;) {
            uint64_t piece = length - done < CHUNK ? length - done : CHUNK;
            ssize_t got = pread(fd, buffer, piece, (off_t)(memory + runs[i].paddr + done));
            if (got <= 0)
                return error_set(packer->error, "%s: cannot read it: %s", snapshot_path(file),
                                 got < 0 ? strerror(errno) : "the file became shorter");
            if (compress(packer, buffer, (uint64_t)got, false) != 0)
                return -1;
            done += (uint64_t)got;
        }
    }
    return 0;
}

static int compress_file(struct packer *packer, const struct snapshot_file *file, int fd)
{
    const struct zsnap_header *header = snapshot_header(file);
    if (compress(packer, header, sizeof(*header), false) != 0)
        return -1;
    for (uint32_t i = 0; i < header->section_count; i++) {
        uint64_t length = 0;
        const void *bytes = snapshot_section(file, header->sections[i].type, &length);
        if (header->sections[i].type != ZSNAP_MEMORY && bytes != NULL &&
            compress(packer, bytes, length, false) != 0)
            return -1;
    }
    return compress_runs(packer, file, fd) != 0 ? -1 : compress(packer, NULL, 0, true);
}

int snapshot_pack(const char *from, const char *to, struct zvmm_error *error)
{
    static struct packer packer;
    struct snapshot_file *file;
    if (snapshot_open_one(&file, from, error) != 0)
        return -1;
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? error_set(error, "%s: cannot open it: %s", from, strerror(errno))
                        : snapshot_verify(file, error);
    if (result == 0) {
        packer = (struct packer){.zstd = ZSTD_createCCtx(), .error = error};
        result = temporary_create(&packer.file, to, error);
        if (result == 0 && packer.zstd == NULL)
            result = error_set(error, "%s: out of memory", to);
        if (result == 0) {
            ZSTD_CCtx_setParameter(packer.zstd, ZSTD_c_compressionLevel, LEVEL);
            ZSTD_CCtx_setParameter(packer.zstd, ZSTD_c_checksumFlag, 1);
            result = compress_file(&packer, file, fd);
        }
        if (result == 0)
            result = temporary_finish(&packer.file, true, error);
        temporary_close(&packer.file);
        ZSTD_freeCCtx(packer.zstd);
    }
    if (fd >= 0)
        close(fd);
    snapshot_close(file);
    return result;
}

/* ---- unpack ------------------------------------------------------------------------------------
 */

/* A file that is being decompressed. */
struct unpacker {
    const char *path;
    int fd;
    ZSTD_DCtx *zstd;
    uint8_t in[CHUNK];
    ZSTD_inBuffer buffer;
    struct temporary file;
    struct zvmm_error *error;
};

/* Exactly the next `length` bytes. */
static int decompress(struct unpacker *unpacker, void *to, uint64_t length)
{
    ZSTD_outBuffer out = {.dst = to, .size = length};
    while (out.pos < out.size) {
        if (unpacker->buffer.pos == unpacker->buffer.size) {
            ssize_t got = read(unpacker->fd, unpacker->in, CHUNK);
            if (got <= 0)
                return error_set(unpacker->error, "%s: %s", unpacker->path,
                                 got < 0 ? strerror(errno) : "is truncated; copy it again");
            unpacker->buffer = (ZSTD_inBuffer){.src = unpacker->in, .size = (size_t)got, .pos = 0};
        }
        size_t result = ZSTD_decompressStream(unpacker->zstd, &out, &unpacker->buffer);
        if (ZSTD_isError(result))
            return error_set(unpacker->error, "%s: is no packed snapshot, or damaged: %s",
                             unpacker->path, ZSTD_getErrorName(result));
    }
    return 0;
}

/* Bytes of the stream to their place in the file. */
static int place(struct unpacker *unpacker, uint64_t offset, uint64_t length)
{
    static uint8_t buffer[CHUNK];
    while (length != 0) {
        uint64_t piece = length < CHUNK ? length : CHUNK;
        if (decompress(unpacker, buffer, piece) != 0 ||
            temporary_write(&unpacker->file, buffer, piece, offset, unpacker->error) != 0)
            return -1;
        offset += piece;
        length -= piece;
    }
    return 0;
}

/* The runs say what follows in the stream; the file says the rest once they are in it. */
static int place_runs(struct unpacker *unpacker, const struct zsnap_header *header)
{
    struct snapshot_file *file;
    uint64_t count, memory = 0;
    if (temporary_write(&unpacker->file, header, sizeof(*header), 0, unpacker->error) != 0 ||
        ftruncate(unpacker->file.fd, (off_t)header->file_bytes) != 0 ||
        snapshot_open_one(&file, unpacker->file.name, unpacker->error) != 0)
        return -1;
    for (uint32_t i = 0; i < header->section_count; i++)
        if (header->sections[i].type == ZSNAP_MEMORY)
            memory = header->sections[i].offset;
    const struct zsnap_run *runs = snapshot_runs(file, &count);
    int result = 0;
    for (uint64_t i = 0; i < count && result == 0; i++)
        if ((runs[i].flags & ZSNAP_RUN_ZERO) == 0)
            result = place(unpacker, memory + runs[i].paddr, runs[i].length);
    if (result == 0)
        result = snapshot_verify(file, unpacker->error);
    snapshot_close(file);
    return result;
}

static int unpack(struct unpacker *unpacker)
{
    struct zsnap_header header;
    if (decompress(unpacker, &header, sizeof(header)) != 0)
        return -1;
    if (header.magic != ZSNAP_MAGIC || header.section_count > ZSNAP_SECTIONS ||
        header.file_bytes > 2 * ZV_MEMORY_MAX)
        return error_set(unpacker->error, "%s: holds no snapshot", unpacker->path);
    for (uint32_t i = 0; i < header.section_count; i++)
        if (header.sections[i].type != ZSNAP_MEMORY &&
            place(unpacker, header.sections[i].offset, header.sections[i].length) != 0)
            return -1;
    return place_runs(unpacker, &header);
}

int snapshot_unpack(const char *from, const char *to, struct zvmm_error *error)
{
    static struct unpacker unpacker;
    unpacker = (struct unpacker){.path = from, .error = error, .zstd = ZSTD_createDCtx()};
    unpacker.fd = open(from, O_RDONLY | O_CLOEXEC);
    int result = unpacker.fd < 0 || unpacker.zstd == NULL
                     ? error_set(error, "%s: cannot open it: %s", from, strerror(errno))
                     : temporary_create(&unpacker.file, to, error);
    if (result == 0) {
        result = unpack(&unpacker);
        if (result == 0)
            result = temporary_finish(&unpacker.file, true, error);
        temporary_close(&unpacker.file);
    }
    if (unpacker.fd >= 0)
        close(unpacker.fd);
    ZSTD_freeDCtx(unpacker.zstd);
    return result;
}
