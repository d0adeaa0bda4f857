/*
 * snapshot.c - libFuzzer on the reader of snapshot files: a whole file with edits.
 *
 * Input: one byte (bit 0: the header's checksum is made right again, bit 1: the sections' are),
 * then edits of 6 bytes each: where (4 bytes, modulo the file's size), by what it is replaced, and
 * one byte more that, if odd, makes it the new length of the file. What opens must be safe to use.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "snapshot/file.h"
#include "snapshot/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAM = 16 * 4096, FILE_MAX = 1 << 18 };

static uint8_t original[FILE_MAX];
static size_t original_bytes;

static void make_original(void)
{
    static uint8_t memory[RAM], small[512] = "text";
    char path[] = "/tmp/fuzz-snapshot.XXXXXX";
    struct zvmm_error error;
    int fd = mkstemp(path);
    memset(memory, 1, 3 * 4096);
    struct snapshot_part parts[] = {{ZSNAP_MACHINE, small, 256},
                                    {ZSNAP_GUEST, small, 5},
                                    {ZSNAP_REGS, small, sizeof(struct kvm_regs)},
                                    {ZSNAP_SREGS, small, sizeof(struct kvm_sregs)}};
    struct snapshot_extent extent = {.length = RAM, .data = memory};
    struct snapshot_image image = {
        .parts = parts, .num_parts = 4, .extents = &extent, .num_extents = 1};
    image.header.memory_bytes = RAM;
    if (fd < 0 || snapshot_write(path, &image, &error) != 0)
        abort();
    close(fd);
    FILE *file = fopen(path, "rb");
    original_bytes = file != NULL ? fread(original, 1, sizeof(original), file) : 0;
    if (file == NULL || original_bytes == 0 || original_bytes == sizeof(original))
        abort();
    fclose(file);
    unlink(path);
}

static size_t edit(uint8_t *file, const uint8_t *data, size_t size)
{
    size_t length = original_bytes;
    for (; size >= 6; data += 6, size -= 6) {
        uint32_t at;
        memcpy(&at, data, sizeof(at));
        at %= (uint32_t)original_bytes;
        if ((data[5] & 1) != 0 && data[5] == 255)
            length = at;
        else
            file[(data[5] & 2) != 0 ? at % sizeof(struct zsnap_header) : at] = data[4];
    }
    return length;
}

static void repair(uint8_t *bytes, uint8_t what)
{
    struct zsnap_header *header = (struct zsnap_header *)bytes;
    for (uint32_t i = 0; (what & 2) != 0 && i < ZSNAP_SECTIONS; i++) {
        struct zsnap_section *section = &header->sections[i];
        if (section->offset <= original_bytes &&
            section->length <= original_bytes - section->offset)
            section->checksum = XXH3_64bits(bytes + section->offset, section->length);
    }
    if ((what & 1) != 0)
        header->checksum = XXH3_64bits(header, offsetof(struct zsnap_header, checksum));
}

static void use(struct snapshot_file *file)
{
    struct zvmm_error error;
    uint8_t *memory;
    uint64_t length = 0, sum = 0;
    for (uint32_t type = 0; type < ZSNAP_SECTIONS; type++) {
        const uint8_t *bytes = snapshot_section(file, type, &length);
        for (uint64_t i = 0; bytes != NULL && i < length; i++)
            sum += bytes[i];
        sum += strlen(type >= ZSNAP_GUEST && type <= ZSNAP_LABEL ? snapshot_text(file, type) : "");
    }
    if (snapshot_map(file, &memory, &error) == 0) {
        for (uint64_t at = 0; at < snapshot_header(file)->memory_bytes; at += 4096)
            sum += memory[at];
        munmap(memory, snapshot_header(file)->memory_bytes);
    }
    snapshot_verify(file, &error);
    __asm__ volatile("" ::"r"(sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(8) uint8_t bytes[FILE_MAX];
    struct snapshot_file *file;
    struct zvmm_error error;
    char path[64];
    if (original_bytes == 0)
        make_original();
    if (size == 0)
        return 0;
    memcpy(bytes, original, original_bytes);
    size_t length = edit(bytes, data + 1, size - 1);
    repair(bytes, data[0]);
    int fd = memfd_create("snapshot", 0);
    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (snapshot_open(&file, path, &error) == 0) {
        use(file);
        snapshot_close(file);
    }
    close(fd);
    return 0;
}
