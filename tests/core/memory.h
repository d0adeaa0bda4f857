/*
 * What the memory suites share: VMOs of a number of pages, words at the beginning of pages, and
 * mappings. Pages are counted, not bytes. Every helper fails the test if it cannot do its work.
 */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include "test.h"

#define PAGE       ((uint64_t)4096)
#define READ_WRITE (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)

/* ---- VMOs ---------------------------------------------------------------------------------- */

zx_handle_t new_vmo(uint64_t pages);
zx_handle_t new_resizable(uint64_t pages);
/* Page n of it begins with first + n, the rest is zero. */
zx_handle_t numbered_vmo(uint64_t pages, uint64_t first);

zx_handle_t child_of(zx_handle_t vmo, uint32_t options, uint64_t first, uint64_t pages);
/* A snapshot of [first, first + pages). */
zx_handle_t clone_of(zx_handle_t vmo, uint64_t first, uint64_t pages);

uint64_t pages_of(zx_handle_t vmo);
zx_info_vmo_t vmo_info(zx_handle_t vmo);
uint64_t committed_pages(zx_handle_t vmo);
/* Pages in use by all VMOs of the machine. */
uint64_t all_vmo_pages(void);

/* The word at the beginning of a page. */
uint64_t word_at(zx_handle_t vmo, uint64_t page);
void set_word(zx_handle_t vmo, uint64_t page, uint64_t word);

zx_status_t commit(zx_handle_t vmo, uint64_t first, uint64_t pages);
zx_status_t decommit(zx_handle_t vmo, uint64_t first, uint64_t pages);

/* ---- Mappings ------------------------------------------------------------------------------ */

/* In the root VMAR, anywhere. */
zx_vaddr_t map_pages(zx_handle_t vmo, zx_vm_option_t options, uint64_t first, uint64_t pages);
void unmap_pages(zx_vaddr_t address, uint64_t pages);

static inline volatile uint64_t *word_of(zx_vaddr_t address, uint64_t page)
{
    return (volatile uint64_t *)(address + page * PAGE);
}

/* What the kernel says of the memory at `address`: a copy that fails tells, and nobody dies. */
zx_status_t read_probe(zx_vaddr_t address);
zx_status_t write_probe(zx_vaddr_t address);

/* ---- Devices ------------------------------------------------------------------------------- */

/* A BTI of a dummy IOMMU. */
zx_handle_t new_bti(void);
zx_handle_t new_contiguous(uint64_t pages);
/* Pins pages; the PMT. */
zx_handle_t pin_pages(zx_handle_t bti, zx_handle_t vmo, uint64_t first, uint64_t pages);

#endif
