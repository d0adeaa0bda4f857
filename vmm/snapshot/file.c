/* file.c - reading snapshot files: open one with its parents, check it, map its memory. */
#include "snapshot/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SECTION_MAX  (1ull << 20) /* bytes of a section other than the memory and the runs */
#define FRONT_MAX    (64ull << 10)
#define MAPPINGS_MAX 4096u /* runs of a child that are mapped; more are read */

struct snapshot_file {
    char *path;
    int fd;
    uint64_t file_bytes;
    struct zsnap_header header;
    uint8_t *front; /* the first front_bytes of the file, header and most sections; owned */
    uint64_t front_bytes;
    const uint8_t *contents[ZSNAP_SECTIONS]; /* of the small sections */
    uint8_t *copies[ZSNAP_SECTIONS];         /* those not in the front, or terminated; owned */
    const struct zsnap_section *memory;
    struct snapshot_file *parent; /* owned */
    uint8_t *mapped;              /* for snapshot_target(); owned */
};

#define REFUSE(file, format, ...) error_set(error, "%s: " format, (file)->path, ##__VA_ARGS__)

/* ---- Opening -------------------------------------------------------------------------------- */

static int read_exactly(int fd, void *to, uint64_t length, uint64_t offset)
{
    uint8_t *at = to;
    while (length != 0) {
        ssize_t got = pread(fd, at, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = 0;
        if (got <= 0)
            return -1;
        at += got;
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    return 0;
}

static int open_regular(struct snapshot_file *file, struct zvmm_error *error)
{
    struct stat status;
    file->fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0)
        return REFUSE(file, "cannot open the snapshot: %s", strerror(errno));
    if (fstat(file->fd, &status) != 0)
        return REFUSE(file, "cannot examine it: %s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return REFUSE(file, "is not a regular file; name a snapshot file");
    file->file_bytes = (uint64_t)status.st_size;
    return 0;
}

static int check_header(struct snapshot_file *file, struct zvmm_error *error)
{
    struct zsnap_header *header = &file->header;
    memset(header, 0, sizeof(*header));
    uint64_t there = file->file_bytes < sizeof(*header) ? file->file_bytes : sizeof(*header);
    if (read_exactly(file->fd, header, there, 0) != 0)
        return REFUSE(file, "cannot read it: %s", strerror(errno));
    if (there < 16 || header->magic != ZSNAP_MAGIC)
        return REFUSE(file, "is not a snapshot; unpack it first if it was packed (zvmm snap "
                            "unpack)");
    if (header->version != ZSNAP_VERSION)
        return REFUSE(file,
                      "is a snapshot of format version %u and this zvmm reads version %u; take it "
                      "again with this zvmm",
                      header->version, ZSNAP_VERSION);
    if (there < sizeof(*header))
        return REFUSE(file, "is truncated: %llu bytes; copy it again",
                      (unsigned long long)file->file_bytes);
    if (header->checksum != XXH3_64bits(header, offsetof(struct zsnap_header, checksum)) ||
        header->header_bytes != sizeof(*header) || header->section_count > ZSNAP_SECTIONS ||
        header->build_id_bytes > ZSNAP_BUILD_ID_MAX ||
        memchr(header->zvmm_version, '\0', sizeof(header->zvmm_version)) == NULL)
        return REFUSE(file, "is damaged: its header's checksum is wrong; copy it again");
    if (file->file_bytes < header->file_bytes)
        return REFUSE(file, "is truncated: %llu bytes of %llu; copy it again",
                      (unsigned long long)file->file_bytes, (unsigned long long)header->file_bytes);
    return 0;
}

static int check_memory(struct snapshot_file *file, struct zvmm_error *error)
{
    const struct zsnap_section *memory = file->memory;
    if (memory == NULL || memory->offset % ZSNAP_PAGE != 0 || memory->length % ZSNAP_PAGE != 0 ||
        memory->length == 0 || memory->length != file->header.memory_bytes ||
        memory->length > ZV_MEMORY_MAX)
        return REFUSE(file, "is damaged: its memory section makes no sense; copy it again");
    return 0;
}

/* Most sections follow the header: one read gets them all. */
static int load_front(struct snapshot_file *file, struct zvmm_error *error)
{
    const struct zsnap_header *header = &file->header;
    uint64_t end = 0;
    for (uint32_t i = 0; i < header->section_count; i++) {
        const struct zsnap_section *section = &header->sections[i];
        if (section->type != ZSNAP_MEMORY && section->offset < FRONT_MAX &&
            section->length <= FRONT_MAX - section->offset &&
            section->offset + section->length > end)
            end = section->offset + section->length;
    }
    if (end > header->file_bytes)
        end = header->file_bytes;
    file->front = malloc(end + 1);
    if (file->front == NULL)
        return REFUSE(file, "out of memory");
    if (read_exactly(file->fd, file->front, end, 0) != 0)
        return REFUSE(file, "cannot read it: %s",
                      errno != 0 ? strerror(errno) : "the file became shorter");
    file->front_bytes = end;
    return 0;
}

static bool is_text(uint32_t type)
{
    return (type >= ZSNAP_GUEST && type <= ZSNAP_LABEL) || type == ZSNAP_HOST;
}

/* Find the section's bytes in the front, or get a copy; text gets a 0 byte behind it. */
static int fetch_section(struct snapshot_file *file, uint32_t index)
{
    const struct zsnap_section *section = &file->header.sections[index];
    bool in_front = section->length <= file->front_bytes &&
                    section->offset <= file->front_bytes - section->length;
    if (in_front && !is_text(section->type) && section->offset % 8 == 0) {
        file->contents[index] = file->front + section->offset;
        return 0;
    }
    uint8_t *bytes = malloc(section->length + 1);
    if (bytes == NULL)
        return -1;
    file->contents[index] = file->copies[index] = bytes;
    bytes[section->length] = 0;
    if (!in_front)
        return read_exactly(file->fd, bytes, section->length, section->offset);
    memcpy(bytes, file->front + section->offset, section->length);
    return 0;
}

/* Check and verify one small section. */
static int load_section(struct snapshot_file *file, uint32_t index, struct zvmm_error *error)
{
    const struct zsnap_section *section = &file->header.sections[index];
    if (section->offset > file->header.file_bytes ||
        section->length > file->header.file_bytes - section->offset)
        return REFUSE(file, "is damaged: section %u ends beyond the file; copy it again",
                      section->type);
    if (section->type == ZSNAP_MEMORY) {
        file->memory = section;
        return 0;
    }
    uint64_t most = section->type == ZSNAP_RUNS
                        ? file->header.memory_bytes / ZSNAP_PAGE * sizeof(struct zsnap_run)
                        : SECTION_MAX;
    if (section->length > most)
        return REFUSE(file, "is damaged: section %u has %llu bytes", section->type,
                      (unsigned long long)section->length);
    if (fetch_section(file, index) != 0)
        return REFUSE(file, "cannot read section %u: %s", section->type,
                      errno != 0 ? strerror(errno) : "the file became shorter");
    if (XXH3_64bits(file->contents[index], section->length) != section->checksum)
        return REFUSE(file, "is damaged: the checksum of section %u is wrong; copy it again",
                      section->type);
    return 0;
}

static bool is_known(uint32_t type)
{
    return (type >= ZSNAP_MEMORY && type <= ZSNAP_INPUT_TEXTS) ||
           (type >= ZSNAP_REGS && type <= ZSNAP_IRQCHIP);
}

static int load_sections(struct snapshot_file *file, struct zvmm_error *error)
{
    uint64_t seen = 0;
    if (load_front(file, error) != 0)
        return -1;
    for (uint32_t i = 0; i < file->header.section_count; i++) {
        const struct zsnap_section *section = &file->header.sections[i];
        if (!is_known(section->type)) {
            if ((section->flags & ZSNAP_NEEDED) != 0)
                return REFUSE(file, "holds something (section %u) that this zvmm does not know",
                              section->type);
            continue;
        }
        if ((seen >> section->type & 1) != 0)
            return REFUSE(file, "is damaged: section %u is there twice", section->type);
        seen |= 1ull << section->type;
        if (load_section(file, i, error) != 0)
            return -1;
    }
    return check_memory(file, error);
}

/* Sorted by address, without overlap, inside RAM. */
static int check_runs(struct snapshot_file *file, struct zvmm_error *error)
{
    uint64_t bytes = 0, end = 0;
    const struct zsnap_run *runs = snapshot_section(file, ZSNAP_RUNS, &bytes);
    if (runs == NULL || bytes % sizeof(*runs) != 0)
        return REFUSE(file, "is damaged: its list of pages is missing");
    for (uint64_t i = 0; i < bytes / sizeof(*runs); i++) {
        uint64_t paddr = runs[i].paddr, length = runs[i].length;
        if (paddr % ZSNAP_PAGE != 0 || length % ZSNAP_PAGE != 0 || length == 0 || paddr < end ||
            paddr > file->header.memory_bytes || length > file->header.memory_bytes - paddr)
            return REFUSE(file, "is damaged: its list of pages makes no sense at entry %llu",
                          (unsigned long long)i);
        end = paddr + length;
    }
    return 0;
}

int snapshot_open_one(struct snapshot_file **out, const char *path, struct zvmm_error *error)
{
    struct snapshot_file *file = calloc(1, sizeof(*file));
    if (file == NULL || (file->path = strdup(path)) == NULL) {
        free(file);
        return error_set(error, "%s: out of memory", path);
    }
    file->fd = -1;
    if (open_regular(file, error) != 0 || check_header(file, error) != 0 ||
        load_sections(file, error) != 0 || check_runs(file, error) != 0) {
        snapshot_close(file);
        return -1;
    }
    *out = file;
    return 0;
}

/* The parent's path as the child names it: relative to the child's folder, or absolute. */
static char *parent_path(const struct snapshot_file *file)
{
    const char *name = snapshot_text(file, ZSNAP_PARENT), *slash = strrchr(file->path, '/');
    char *path = NULL;
    if (name[0] == '/' || slash == NULL)
        return strdup(name);
    if (asprintf(&path, "%.*s/%s", (int)(slash - file->path), file->path, name) < 0)
        return NULL;
    return path;
}

static bool has_parent(const struct snapshot_file *file)
{
    static const uint8_t none[16];
    return memcmp(file->header.parent, none, sizeof(none)) != 0;
}

static int open_parent(struct snapshot_file *file, struct zvmm_error *error)
{
    char *path = parent_path(file);
    struct zvmm_error reason;
    if (path == NULL)
        return REFUSE(file, "out of memory");
    int result = 0;
    if (snapshot_open_one(&file->parent, path, &reason) != 0)
        result = REFUSE(file, "is incremental and its parent is not usable: %.300s", reason.text);
    else if (memcmp(file->parent->header.uuid, file->header.parent, 16) != 0)
        result = REFUSE(file,
                        "is incremental and %.200s is not its parent (another snapshot was written "
                        "there)",
                        path);
    else if (file->parent->header.memory_bytes != file->header.memory_bytes)
        result = REFUSE(file, "is damaged: it and its parent differ in their memory's size");
    free(path);
    return result;
}

int snapshot_open(struct snapshot_file **out, const char *path, struct zvmm_error *error)
{
    struct snapshot_file *first = NULL;
    unsigned depth = 0;
    if (snapshot_open_one(&first, path, error) != 0)
        return -1;
    for (struct snapshot_file *file = first; has_parent(file); file = file->parent) {
        int result = open_parent(file, error);
        if (result == 0 && ++depth == SNAPSHOT_CHAIN_MAX)
            result = error_set(error,
                               "%s: has more than %d parents; make one file of them with zvmm snap "
                               "flatten",
                               path, SNAPSHOT_CHAIN_MAX);
        if (result != 0) {
            snapshot_close(first);
            return -1;
        }
    }
    *out = first;
    return 0;
}

void snapshot_close(struct snapshot_file *file)
{
    while (file != NULL) {
        struct snapshot_file *parent = file->parent;
        for (uint32_t i = 0; i < ZSNAP_SECTIONS; i++)
            free(file->copies[i]);
        free(file->front);
        if (file->mapped != NULL)
            munmap(file->mapped, file->header.memory_bytes);
        if (file->fd >= 0)
            close(file->fd);
        free(file->path);
        free(file);
        file = parent;
    }
}

/* ---- Looking into it ------------------------------------------------------------------------ */

const struct zsnap_header *snapshot_header(const struct snapshot_file *file)
{
    return &file->header;
}

const char *snapshot_path(const struct snapshot_file *file)
{
    return file->path;
}

const struct snapshot_file *snapshot_parent(const struct snapshot_file *file)
{
    return file->parent;
}

const void *snapshot_section(const struct snapshot_file *file, uint32_t type, uint64_t *length)
{
    for (uint32_t i = 0; i < file->header.section_count; i++) {
        if (file->header.sections[i].type != type || file->contents[i] == NULL)
            continue;
        *length = file->header.sections[i].length;
        return file->contents[i];
    }
    return NULL;
}

const void *snapshot_need(const struct snapshot_file *file, uint32_t type, uint64_t length,
                          struct zvmm_error *error)
{
    uint64_t there = 0;
    const void *bytes = snapshot_section(file, type, &there);
    if (bytes != NULL && there == length)
        return bytes;
    REFUSE(file, "is damaged: section %u has %llu bytes and not %llu", type,
           (unsigned long long)there, (unsigned long long)length);
    return NULL;
}

const char *snapshot_text(const struct snapshot_file *file, uint32_t type)
{
    uint64_t length = 0;
    const char *text = snapshot_section(file, type, &length);
    return text != NULL ? text : "";
}

const struct zsnap_run *snapshot_runs(const struct snapshot_file *file, uint64_t *count)
{
    uint64_t bytes = 0;
    const struct zsnap_run *runs = snapshot_section(file, ZSNAP_RUNS, &bytes);
    *count = bytes / sizeof(*runs);
    return runs;
}

/* ---- Memory --------------------------------------------------------------------------------- */

#define MAP_RAM (MAP_PRIVATE | MAP_NORESERVE)

/* Put one run of a child over what is mapped. */
static int place_run(const struct snapshot_file *file, const struct zsnap_run *run, bool map,
                     uint8_t *base)
{
    uint8_t *to = base + run->paddr;
    bool zero = (run->flags & ZSNAP_RUN_ZERO) != 0;
    if (!map && zero) {
        memset(to, 0, run->length);
        return 0;
    }
    if (!map)
        return read_exactly(file->fd, to, run->length, file->memory->offset + run->paddr);
    void *at = mmap(to, run->length, PROT_READ | PROT_WRITE,
                    MAP_RAM | MAP_FIXED | (zero ? MAP_ANONYMOUS : 0), zero ? -1 : file->fd,
                    zero ? 0 : (off_t)(file->memory->offset + run->paddr));
    return at == MAP_FAILED ? -1 : 0;
}

static int place_child(const struct snapshot_file *file, uint8_t *base, struct zvmm_error *error)
{
    uint64_t count;
    const struct zsnap_run *runs = snapshot_runs(file, &count);
    for (uint64_t i = 0; i < count; i++)
        if (place_run(file, &runs[i], count <= MAPPINGS_MAX, base) != 0)
            return REFUSE(file, "cannot map its pages: %s",
                          errno != 0 ? strerror(errno) : "the file became shorter");
    return 0;
}

int snapshot_map(const struct snapshot_file *file, uint8_t **base, struct zvmm_error *error)
{
    const struct snapshot_file *chain[SNAPSHOT_CHAIN_MAX + 1];
    unsigned depth = 0;
    for (const struct snapshot_file *at = file; at != NULL; at = at->parent)
        chain[depth++] = at;
    const struct snapshot_file *bottom = chain[depth - 1];
    if (has_parent(bottom))
        return REFUSE(bottom, "is incremental and its parent is not open");
    void *map = mmap(NULL, file->header.memory_bytes, PROT_READ | PROT_WRITE, MAP_RAM, bottom->fd,
                     (off_t)bottom->memory->offset);
    if (map == MAP_FAILED)
        return REFUSE(bottom, "cannot map its memory: %s", strerror(errno));
    for (unsigned i = depth - 1; i-- != 0;) {
        if (place_child(chain[i], map, error) == 0)
            continue;
        munmap(map, file->header.memory_bytes);
        return -1;
    }
    *base = map;
    return 0;
}

/* A hole or a mapping would do for comparing; reading piecewise keeps this process small. */
static int verify_run(const struct snapshot_file *file, const struct zsnap_run *run,
                      uint8_t *buffer, uint64_t room, struct zvmm_error *error)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (uint64_t done = 0; done < run->length;) {
        uint64_t piece = run->length - done < room ? run->length - done : room;
        if (read_exactly(file->fd, buffer, piece, file->memory->offset + run->paddr + done) != 0)
            return REFUSE(file, "cannot read its memory: %s",
                          errno != 0 ? strerror(errno) : "the file became shorter");
        XXH3_64bits_update(&state, buffer, piece);
        done += piece;
    }
    if (XXH3_64bits_digest(&state) == run->checksum)
        return 0;
    return REFUSE(file, "is damaged: the memory at physical %#llx to %#llx; copy it again",
                  (unsigned long long)run->paddr, (unsigned long long)(run->paddr + run->length));
}

int snapshot_verify(const struct snapshot_file *file, struct zvmm_error *error)
{
    enum { ROOM = 1 << 20 };
    uint8_t *buffer = malloc(ROOM);
    int result = buffer == NULL ? REFUSE(file, "out of memory") : 0;
    for (; file != NULL && result == 0; file = file->parent) {
        uint64_t count;
        const struct zsnap_run *runs = snapshot_runs(file, &count);
        for (uint64_t i = 0; i < count && result == 0; i++)
            if ((runs[i].flags & ZSNAP_RUN_ZERO) == 0)
                result = verify_run(file, &runs[i], buffer, ROOM, error);
    }
    free(buffer);
    return result;
}

int snapshot_target(struct snapshot_file *file, struct target *target, struct zvmm_error *error)
{
    const struct kvm_regs *regs = snapshot_need(file, ZSNAP_REGS, sizeof(*regs), error);
    const struct kvm_sregs *sregs = snapshot_need(file, ZSNAP_SREGS, sizeof(*sregs), error);
    const struct zsnap_machine *machine =
        snapshot_need(file, ZSNAP_MACHINE, sizeof(*machine), error);
    if (regs == NULL || sregs == NULL || machine == NULL)
        return -1;
    if (file->mapped == NULL && snapshot_map(file, &file->mapped, error) != 0)
        return -1;
    const char *guest = snapshot_text(file, ZSNAP_GUEST);
    *target = (struct target){
        .memory = file->mapped,
        .memory_bytes = file->header.memory_bytes,
        .regs = *regs,
        .sregs = *sregs,
        .tsc = machine->tsc,
        .tsc_hz = machine->tsc_khz * 1000ull,
        .guest_path = guest[0] != '\0' ? guest : NULL,
        .build_id_bytes = file->header.build_id_bytes,
    };
    memcpy(target->build_id, file->header.build_id, sizeof(target->build_id));
    return 0;
}
