/* longmode.h - the vCPU's state at entry: page tables, GDT, control registers. */
#ifndef ZVMM_LONGMODE_H
#define ZVMM_LONGMODE_H

#include <linux/kvm.h>

#include "loader.h"
#include "memory.h"

/* Pages that longmode_tables() may need for this guest: an upper bound, at most one too many per
 * level. */
uint64_t longmode_table_pages(const struct loader_image *image, uint64_t memory_bytes);

/*
 * Build the boot page tables in the pages that start at `at` (longmode_table_pages() of them,
 * zero-filled): all RAM at ZV_DIRECT_MAP_BASE, the kernel's segments by their permissions.
 * Returns CR3.
 */
uint64_t longmode_tables(const struct loader_image *image, struct memory *memory, gpa_t at);

/* Fill the GDT (ZV_GDT_ENTRIES descriptors). */
void longmode_gdt(uint64_t gdt[]);

/* Set all of a zero-filled *sregs to the entry state; `cr4` are bits to add. */
void longmode_sregs(struct kvm_sregs *sregs, uint64_t cr3, uint64_t gdt_address, uint64_t cr4);

/* The code and data segments of user mode, for the probe. */
void longmode_user_segments(struct kvm_sregs *sregs);

#define CR4_PAE        (1ull << 5)
#define CR4_OSFXSR     (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_FSGSBASE   (1ull << 16)
#define CR4_OSXSAVE    (1ull << 18)

#define PTE_PRESENT  (1ull << 0)
#define PTE_WRITE    (1ull << 1)
#define PTE_USER     (1ull << 2)
#define PTE_ACCESSED (1ull << 5)
#define PTE_DIRTY    (1ull << 6)
#define PTE_LARGE    (1ull << 7)
#define PTE_NX       (1ull << 63)
#define PTE_ADDRESS  0x000ffffffffff000ull

#endif
