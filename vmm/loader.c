/* loader.c - guest.elf: check it, place its segments, read its zvmm note. */
#include "loader.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the checks share: the file's name for messages, and where messages go. */
struct check {
    const char *path;
    uint64_t file_bytes;
    uint64_t memory_bytes;
    struct zvmm_error *error;
};

#define REFUSE(check, format, ...)                                                                 \
    error_set((check)->error, "%s: " format, (check)->path, ##__VA_ARGS__)

static int check_file(struct check *check, int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return REFUSE(check, "cannot examine it: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return REFUSE(check, "is a directory; name the guest kernel's ELF file");
    if (!S_ISREG(status.st_mode))
        return REFUSE(check, "is not a regular file; name the guest kernel's ELF file");
    if (status.st_size == 0)
        return REFUSE(check, "is empty; build the guest kernel again");
    check->file_bytes = (uint64_t)status.st_size;
    return 0;
}

static int check_header(struct check *check, Elf *elf, const Elf64_Ehdr **out)
{
    if (elf_kind(elf) != ELF_K_ELF)
        return REFUSE(check, "is not an ELF file; name the guest kernel (guest.elf)");
    if (gelf_getclass(elf) != ELFCLASS64)
        return REFUSE(check, "is not a 64-bit ELF file; zvmm runs 64-bit guests only");
    const Elf64_Ehdr *header = elf64_getehdr(elf);
    if (header == NULL)
        return REFUSE(check, "its ELF header is truncated; build the guest kernel again");
    if (header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != EM_X86_64)
        return REFUSE(check, "is built for another machine (e_machine %u); zvmm needs x86-64",
                      header->e_machine);
    if (header->e_type != ET_EXEC)
        return REFUSE(check, "is not an executable (e_type %u); link it statically, not as PIE",
                      header->e_type);
    *out = header;
    return 0;
}

/* Whether [base, base + length) lies inside [0, limit). */
static bool inside(uint64_t base, uint64_t length, uint64_t limit)
{
    return base <= limit && length <= limit - base;
}

static int check_segment(struct check *check, const Elf64_Phdr *phdr, unsigned index)
{
    if (phdr->p_filesz > phdr->p_memsz)
        return REFUSE(check, "segment %u is larger in the file than in memory", index);
    if (!inside(phdr->p_offset, phdr->p_filesz, check->file_bytes))
        return REFUSE(check, "is truncated: segment %u ends beyond the end of the file", index);
    if (!inside(phdr->p_paddr, phdr->p_memsz, check->memory_bytes) ||
        !inside(phdr->p_paddr, phdr->p_memsz, LAYOUT_HOLE_BASE))
        return REFUSE(check,
                      "segment %u (physical %#llx, %llu bytes) lies outside guest memory; "
                      "use a larger --memory",
                      index, (unsigned long long)phdr->p_paddr, (unsigned long long)phdr->p_memsz);
    if (phdr->p_paddr % PAGE_BYTES != 0)
        return REFUSE(check, "segment %u does not start on a page", index);
    if (phdr->p_paddr == 0)
        return REFUSE(check, "segment %u is at physical address 0, which zvmm needs", index);
    if (phdr->p_vaddr != ZV_KERNEL_BASE + phdr->p_paddr ||
        phdr->p_paddr + phdr->p_memsz > (2ull << 30))
        return REFUSE(check,
                      "segment %u is not linked at %#llx + its physical address, within the top "
                      "2 GiB",
                      index, ZV_KERNEL_BASE);
    return 0;
}

static int check_overlap(struct check *check, const struct loader_image *image, uint64_t base,
                         uint64_t end, unsigned index)
{
    for (uint32_t i = 0; i < image->count; i++) {
        const struct loader_segment *other = &image->segments[i];
        if (base < page_up(other->paddr + other->memory_bytes) && other->paddr < end)
            return REFUSE(check, "segment %u overlaps another one (or shares a page with it)",
                          index);
    }
    return 0;
}

static int collect_segments(struct check *check, Elf *elf, const Elf64_Ehdr *header,
                            struct loader_image *image)
{
    size_t count = 0;
    GElf_Phdr phdr;
    /* libelf reports fewer headers than there should be when the file ends within them. */
    if (elf_getphdrnum(elf, &count) != 0 || count != header->e_phnum)
        return REFUSE(check, "is truncated: its program headers are not in the file");
    for (unsigned i = 0; i < count; i++) {
        if (gelf_getphdr(elf, (int)i, &phdr) == NULL)
            return REFUSE(check, "is truncated: program header %u is not in the file", i);
        if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0)
            continue;
        if (check_segment(check, &phdr, i) != 0)
            return -1;
        if (check_overlap(check, image, phdr.p_paddr, page_up(phdr.p_paddr + phdr.p_memsz), i) != 0)
            return -1;
        if (image->count == LOADER_SEGMENTS)
            return REFUSE(check, "has more than %d segments to load", LOADER_SEGMENTS);
        image->segments[image->count++] = (struct loader_segment){
            .paddr = phdr.p_paddr,
            .offset = phdr.p_offset,
            .file_bytes = phdr.p_filesz,
            .memory_bytes = phdr.p_memsz,
            .flags = phdr.p_flags,
        };
    }
    if (image->count == 0)
        return REFUSE(check, "has no segment to load; is it an object file?");
    return 0;
}

static int check_entry(struct check *check, struct loader_image *image, uint64_t entry)
{
    for (uint32_t i = 0; i < image->count; i++) {
        const struct loader_segment *segment = &image->segments[i];
        uint64_t base = ZV_KERNEL_BASE + segment->paddr;
        if ((segment->flags & PF_X) != 0 && entry >= base && entry - base < segment->memory_bytes) {
            image->entry = entry;
            return 0;
        }
    }
    return REFUSE(check, "its entry point %#llx is not in an executable segment",
                  (unsigned long long)entry);
}

/* Only the version is read from a note of another size, to name it in the message. */
static bool take_note(struct loader_image *image, const uint8_t *description, size_t bytes)
{
    if (bytes > sizeof(image->note))
        bytes = sizeof(image->note);
    memset(&image->note, 0, sizeof(image->note));
    memcpy(&image->note, description, bytes);
    return bytes >= sizeof(image->note.abi_version);
}

static void take_build_id(struct loader_image *image, const uint8_t *description, size_t bytes)
{
    if (bytes > sizeof(image->build_id))
        return;
    memcpy(image->build_id, description, bytes);
    image->build_id_bytes = (uint32_t)bytes;
}

/* Take the zvmm note and the build id out of one PT_NOTE segment; whether the former is there. */
static bool read_notes(Elf *elf, const Elf64_Phdr *phdr, struct loader_image *image)
{
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)phdr->p_offset, phdr->p_filesz,
                                          phdr->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    GElf_Nhdr header;
    size_t offset = 0, name = 0, description = 0;
    bool found = false;
    while (data != NULL &&
           (offset = gelf_getnote(data, offset, &header, &name, &description)) > 0) {
        const char *owner = (char *)data->d_buf + name;
        const uint8_t *bytes = (uint8_t *)data->d_buf + description;
        if (header.n_type == ZV_NOTE_TYPE && header.n_namesz == sizeof(ZV_NOTE_NAME) &&
            memcmp(owner, ZV_NOTE_NAME, sizeof(ZV_NOTE_NAME)) == 0)
            found = take_note(image, bytes, header.n_descsz);
        else if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == sizeof(ELF_NOTE_GNU) &&
                 memcmp(owner, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0)
            take_build_id(image, bytes, header.n_descsz);
    }
    return found;
}

/* A built-in module must be inside the file-backed or zero part of one segment. */
static int check_builtin(struct check *check, const struct loader_image *image, unsigned index)
{
    uint64_t base = image->note.module[index].paddr, length = image->note.module[index].length;
    if (length == 0)
        return 0;
    for (uint32_t i = 0; i < image->count && base % PAGE_BYTES == 0; i++) {
        const struct loader_segment *segment = &image->segments[i];
        if (base >= segment->paddr && inside(base - segment->paddr, length, segment->memory_bytes))
            return 0;
    }
    return REFUSE(check, "its built-in module %u is not a page-aligned part of one segment",
                  index + 1);
}

static int read_note(struct check *check, Elf *elf, struct loader_image *image)
{
    size_t count = 0;
    GElf_Phdr phdr;
    bool found = false;
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count && !found; i++)
        found = gelf_getphdr(elf, (int)i, &phdr) != NULL && phdr.p_type == PT_NOTE &&
                inside(phdr.p_offset, phdr.p_filesz, check->file_bytes) &&
                read_notes(elf, &phdr, image);
    if (!found)
        return REFUSE(check, "has no zvmm note; it is an ELF file, but not a guest for zvmm");
    if (image->note.abi_version != ZV_ABI_VERSION)
        return REFUSE(check,
                      "was built for version %u of zvmm's interface and this zvmm has version %u; "
                      "build both from the same sources",
                      image->note.abi_version, ZV_ABI_VERSION);
    for (unsigned i = 0; i < sizeof(image->note.module) / sizeof(image->note.module[0]); i++)
        if (check_builtin(check, image, i) != 0)
            return -1;
    return 0;
}

int loader_check(struct loader_image *image, int fd, const char *path, uint64_t memory_bytes,
                 struct zvmm_error *error)
{
    struct check check = {.path = path, .memory_bytes = memory_bytes, .error = error};
    const Elf64_Ehdr *header = NULL;
    memset(image, 0, sizeof(*image));
    if (check_file(&check, fd) != 0)
        return -1;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (elf == NULL)
        return REFUSE(&check, "is not a usable ELF file: %s; build the guest kernel again",
                      elf_errmsg(-1));
    int result = -1;
    if (check_header(&check, elf, &header) == 0 &&
        collect_segments(&check, elf, header, image) == 0 &&
        check_entry(&check, image, header->e_entry) == 0 && read_note(&check, elf, image) == 0)
        result = 0;
    elf_end(elf);
    return result;
}

/* Read exactly `length` bytes at `offset` into guest memory. */
static int read_exactly(int fd, uint8_t *to, uint64_t length, uint64_t offset)
{
    while (length != 0) {
        ssize_t got = pread(fd, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        to += got;
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    return 0;
}

/*
 * File contents of one segment. Pages that the file covers wholly are mapped; the ragged tail is
 * copied, because the bytes behind it in the file are not the segment's (they must read as zero).
 */
static int place_segment(const struct loader_segment *segment, int fd, uint8_t *to)
{
    uint64_t mapped = 0;
    if (segment->offset % PAGE_BYTES == 0)
        mapped = page_down(segment->file_bytes);
    if (mapped != 0 && mmap(to, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
                            (off_t)segment->offset) == MAP_FAILED)
        return -1;
    return read_exactly(fd, to + mapped, segment->file_bytes - mapped, segment->offset + mapped);
}

int loader_place(const struct loader_image *image, int fd, const char *path, struct memory *memory,
                 struct layout *layout, struct zvmm_error *error)
{
    for (uint32_t i = 0; i < image->count; i++) {
        const struct loader_segment *segment = &image->segments[i];
        uint64_t length = page_up(segment->memory_bytes);
        uint8_t *to = memory_at(memory, gpa(segment->paddr), length);
        if (to == NULL || layout_claim(layout, segment->paddr, length, ZV_MEM_KERNEL) != 0)
            return error_set(error, "%s: segment %u does not fit into guest memory", path, i);
        if (place_segment(segment, fd, to) != 0)
            return error_set(error, "%s: cannot load segment %u: %s", path, i,
                             errno != 0 ? strerror(errno) : "the file became shorter");
    }
    return 0;
}
