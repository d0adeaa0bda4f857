/*
 * Loading an ELF program into the address space of a new process. Used by userboot for the first
 * program and by zx_launch for all others.
 */
#ifndef ZX_LIB_ELF_LOAD_H
#define ZX_LIB_ELF_LOAD_H

#include <elf.h>
#include <stdbool.h>
#include <zircon/types.h>

/* An ELF file inside a VMO, such as the boot file system. offset is a multiple of the page size. */
struct elf_file {
    zx_handle_t vmo; /* borrowed; rights READ and MAP, DUPLICATE for data, EXECUTE for code */
    uint64_t offset;
};

#define ELF_MAX_SEGMENTS 16

struct elf_headers {
    Elf64_Ehdr header;
    Elf64_Phdr segments[ELF_MAX_SEGMENTS];
};

struct elf_image {
    zx_vaddr_t base;  /* of the first page */
    zx_vaddr_t entry; /* where the program begins */
    zx_handle_t vmar; /* the region that holds the image; the caller closes it */
};

/*
 * Reads and checks the headers. ZX_ERR_NOT_SUPPORTED: not an x86-64 program in ELF64 format, or
 * more than ELF_MAX_SEGMENTS program headers. ZX_ERR_OUT_OF_RANGE: its segments make no sense.
 */
zx_status_t elf_read(const struct elf_file *file, struct elf_headers *headers);

/* The first program header of a type, or NULL. */
const Elf64_Phdr *elf_find(const struct elf_headers *headers, uint32_t type);

/*
 * Maps the segments into a new region of root_vmar: where the file says for ET_EXEC, where the
 * kernel likes for ET_DYN. Read-only segments are mapped from the file's VMO itself, writable ones
 * from a copy-on-write child of it. Nothing is relocated.
 */
zx_status_t elf_map(const struct elf_file *file, const struct elf_headers *headers,
                    zx_handle_t root_vmar, struct elf_image *image);

#endif
