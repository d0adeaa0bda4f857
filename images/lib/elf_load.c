/*
 * Loading an ELF program into the address space of a new process. Shared by userboot, which has no
 * C library: only string functions are used here.
 */
#include "elf_load.h"

#include <stddef.h>
#include <string.h>
#include <zircon/errors.h>
#include <zircon/object.h>
#include <zircon/syscalls.h>
#include <zircon/vm.h>

#define EAGER_MAX (16 * ZX_PAGE_SIZE)

static uint64_t page_floor(uint64_t n)
{
    return n & ~ZX_PAGE_MASK;
}

static uint64_t page_ceil(uint64_t n)
{
    return (n + ZX_PAGE_MASK) & ~ZX_PAGE_MASK;
}

/* Bounds that keep the sums below from wrapping. */
static bool segment_is_sane(const Elf64_Phdr *segment)
{
    const uint64_t limit = 1ul << 47;

    return segment->p_vaddr < limit && segment->p_memsz < limit && segment->p_offset < limit &&
           segment->p_filesz <= segment->p_memsz &&
           segment->p_vaddr % ZX_PAGE_SIZE == segment->p_offset % ZX_PAGE_SIZE;
}

zx_status_t elf_read(const struct elf_file *file, struct elf_headers *headers)
{
    const Elf64_Ehdr *header = &headers->header;

    /* In nearly every file the program headers directly follow the file header: read both. */
    zx_status_t status = zx_vmo_read(file->vmo, headers, file->offset, sizeof(*headers));
    if (status != ZX_OK)
        return status;
    if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != EM_X86_64 ||
        (header->e_type != ET_EXEC && header->e_type != ET_DYN) ||
        header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > ELF_MAX_SEGMENTS)
        return ZX_ERR_NOT_SUPPORTED;
    if (header->e_phoff != sizeof(Elf64_Ehdr)) {
        status = zx_vmo_read(file->vmo, headers->segments, file->offset + header->e_phoff,
                             header->e_phnum * sizeof(Elf64_Phdr));
        if (status != ZX_OK)
            return status;
    }
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (headers->segments[i].p_type == PT_LOAD && !segment_is_sane(&headers->segments[i]))
            return ZX_ERR_OUT_OF_RANGE;
    }
    return elf_find(headers, PT_LOAD) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
}

const Elf64_Phdr *elf_find(const struct elf_headers *headers, uint32_t type)
{
    for (unsigned i = 0; i < headers->header.e_phnum; i++) {
        if (headers->segments[i].p_type == type)
            return &headers->segments[i];
    }
    return NULL;
}

/* What the mapping functions share. Addresses are those of the file, before it is moved. */
struct mapping {
    const struct elf_file *file;
    zx_handle_t vmar; /* begins at low */
    uint64_t low;
};

/*
 * A page fault costs more than entering a page with the others: what is small is entered whole. Of
 * something big only a part may ever be touched.
 */
static zx_status_t map_pages(const struct mapping *m, zx_vm_option_t permissions, uint64_t start,
                             uint64_t end, zx_handle_t vmo, uint64_t vmo_offset)
{
    zx_vm_option_t options = permissions | ZX_VM_SPECIFIC;
    zx_vaddr_t address;

    if (end - start <= EAGER_MAX)
        options |= ZX_VM_MAP_RANGE;
    return zx_vmar_map(m->vmar, options, start - m->low, vmo, vmo_offset, end - start, &address);
}

static zx_status_t map_zeroes(const struct mapping *m, zx_vm_option_t permissions, uint64_t start,
                              uint64_t end)
{
    zx_handle_t vmo;

    zx_status_t status = zx_vmo_create(end - start, 0, &vmo);
    if (status != ZX_OK)
        return status;
    status = map_pages(m, permissions, start, end, vmo, 0);
    zx_handle_close(vmo);
    return status;
}

/*
 * A writable segment: the file's pages as a private copy, whose bytes after the file's part are set
 * to zero, and then pages of zeroes.
 */
static zx_status_t map_writable(const struct mapping *m, zx_vm_option_t permissions,
                                const Elf64_Phdr *segment)
{
    uint64_t start = page_floor(segment->p_vaddr);
    uint64_t file_end = segment->p_vaddr + segment->p_filesz;
    uint64_t copy_end = segment->p_filesz == 0 ? start : page_ceil(file_end);
    uint64_t end = page_ceil(segment->p_vaddr + segment->p_memsz);
    zx_status_t status = ZX_OK;

    if (copy_end > start) {
        zx_handle_t copy;
        status = zx_vmo_create_child(m->file->vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE,
                                     m->file->offset + page_floor(segment->p_offset),
                                     copy_end - start, &copy);
        if (status != ZX_OK)
            return status;
        if (segment->p_memsz > segment->p_filesz && copy_end > file_end)
            status = zx_vmo_op_range(copy, ZX_VMO_OP_ZERO, file_end - start, copy_end - file_end,
                                     NULL, 0);
        if (status == ZX_OK)
            status = map_pages(m, permissions, start, copy_end, copy, 0);
        zx_handle_close(copy);
    }
    if (status == ZX_OK && end > copy_end)
        status = map_zeroes(m, permissions, copy_end, end);
    return status;
}

static zx_status_t map_segment(const struct mapping *m, const Elf64_Phdr *segment)
{
    zx_vm_option_t permissions = 0;

    if (segment->p_memsz == 0)
        return ZX_OK;
    if (segment->p_flags & PF_R)
        permissions |= ZX_VM_PERM_READ;
    if (segment->p_flags & PF_W)
        permissions |= ZX_VM_PERM_WRITE;
    if (segment->p_flags & PF_X)
        permissions |= ZX_VM_PERM_EXECUTE;
    if ((segment->p_flags & PF_W) || segment->p_memsz > segment->p_filesz)
        return map_writable(m, permissions, segment);
    return map_pages(m, permissions, page_floor(segment->p_vaddr),
                     page_ceil(segment->p_vaddr + segment->p_memsz), m->file->vmo,
                     m->file->offset + page_floor(segment->p_offset));
}

/* The span of all segments and the options of a region that can hold them. */
static zx_vm_option_t measure(const struct elf_headers *headers, uint64_t *low, uint64_t *high)
{
    zx_vm_option_t options = ZX_VM_CAN_MAP_SPECIFIC;

    *low = UINT64_MAX;
    *high = 0;
    for (unsigned i = 0; i < headers->header.e_phnum; i++) {
        const Elf64_Phdr *segment = &headers->segments[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uint64_t end = page_ceil(segment->p_vaddr + segment->p_memsz);
        if (page_floor(segment->p_vaddr) < *low)
            *low = page_floor(segment->p_vaddr);
        if (end > *high)
            *high = end;
        if (segment->p_flags & PF_R)
            options |= ZX_VM_CAN_MAP_READ;
        if (segment->p_flags & PF_W)
            options |= ZX_VM_CAN_MAP_WRITE;
        if (segment->p_flags & PF_X)
            options |= ZX_VM_CAN_MAP_EXECUTE;
    }
    return options;
}

zx_status_t elf_map(const struct elf_file *file, const struct elf_headers *headers,
                    zx_handle_t root_vmar, struct elf_image *image)
{
    struct mapping m = {.file = file};
    uint64_t high, offset = 0;
    zx_status_t status;

    zx_vm_option_t options = measure(headers, &m.low, &high);
    if (headers->header.e_type == ET_EXEC) {
        zx_info_vmar_t root;
        status = zx_object_get_info(root_vmar, ZX_INFO_VMAR, &root, sizeof(root), NULL, NULL);
        if (status != ZX_OK)
            return status;
        if (m.low < root.base)
            return ZX_ERR_OUT_OF_RANGE;
        offset = m.low - root.base;
        options |= ZX_VM_SPECIFIC;
    }
    status = zx_vmar_allocate(root_vmar, options, offset, high - m.low, &m.vmar, &image->base);
    if (status != ZX_OK)
        return status;
    for (unsigned i = 0; i < headers->header.e_phnum && status == ZX_OK; i++) {
        if (headers->segments[i].p_type == PT_LOAD)
            status = map_segment(&m, &headers->segments[i]);
    }
    if (status != ZX_OK) {
        zx_vmar_destroy(m.vmar);
        zx_handle_close(m.vmar);
        return status;
    }
    image->entry = image->base + (headers->header.e_entry - m.low);
    image->vmar = m.vmar;
    return ZX_OK;
}
