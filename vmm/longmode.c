/* longmode.c - the vCPU's state at entry: page tables, GDT, control registers. */
#include "longmode.h"

#include <elf.h>
#include <string.h>

#define LARGE_BYTES (2ull << 20)
#define GIB         (1ull << 30)

#define CR0_ENTRY  0x80050033ull /* PG AM WP NE ET MP PE */
#define EFER_ENTRY 0xd01ull      /* NXE LMA LME SCE */

#define APIC_BASE_ENTRY 0xfee00900ull /* enabled, bootstrap processor */

/* Page-table pages are taken one after the other from the range set aside for them. */
struct tables {
    struct memory *memory;
    uint64_t next;
};

static uint64_t *table_at(const struct tables *tables, uint64_t paddr)
{
    return memory_at(tables->memory, gpa(paddr), PAGE_BYTES);
}

/* The next lower table below `entry`, made on first use. */
static uint64_t *table_below(struct tables *tables, uint64_t *entry)
{
    if (*entry == 0) {
        *entry = tables->next | PTE_PRESENT | PTE_WRITE;
        tables->next += PAGE_BYTES;
    }
    return table_at(tables, *entry & PTE_ADDRESS);
}

/* The entry of `vaddr` in the table `levels` steps below the root (2: PD, 3: PT). */
static uint64_t *entry_of(struct tables *tables, uint64_t root, uint64_t vaddr, unsigned levels)
{
    uint64_t *table = table_at(tables, root);
    unsigned shift = 39;
    for (unsigned i = 0; i < levels; i++, shift -= 9)
        table = table_below(tables, &table[(vaddr >> shift) & 511]);
    return &table[(vaddr >> shift) & 511];
}

uint64_t longmode_table_pages(const struct loader_image *image, uint64_t memory_bytes)
{
    uint64_t direct = 1 + (memory_bytes + GIB - 1) / GIB; /* a PDPT and the PDs */
    uint64_t kernel = 1 + 2;                              /* a PDPT and at most two PDs */
    for (uint32_t i = 0; i < image->count; i++)
        kernel += image->segments[i].memory_bytes / LARGE_BYTES + 2;
    return 1 + direct + kernel;
}

static void map_direct(struct tables *tables, uint64_t root)
{
    for (uint64_t paddr = 0; paddr < tables->memory->bytes; paddr += GIB) {
        uint64_t *entries = entry_of(tables, root, ZV_DIRECT_MAP_BASE + paddr, 2);
        for (unsigned i = 0; i < 512 && paddr + i * LARGE_BYTES < tables->memory->bytes; i++)
            entries[i] = (paddr + i * LARGE_BYTES) | PTE_PRESENT | PTE_WRITE | PTE_LARGE | PTE_NX;
    }
}

static void map_segment(struct tables *tables, uint64_t root, const struct loader_segment *segment)
{
    uint64_t bits = PTE_PRESENT;
    if ((segment->flags & PF_W) != 0)
        bits |= PTE_WRITE;
    if ((segment->flags & PF_X) == 0)
        bits |= PTE_NX;
    uint64_t end = page_up(segment->paddr + segment->memory_bytes);
    for (uint64_t paddr = segment->paddr; paddr < end; paddr += PAGE_BYTES)
        *entry_of(tables, root, ZV_KERNEL_BASE + paddr, 3) = paddr | bits;
}

uint64_t longmode_tables(const struct loader_image *image, struct memory *memory, gpa_t at)
{
    struct tables tables = {.memory = memory, .next = at.value + PAGE_BYTES};
    map_direct(&tables, at.value);
    for (uint32_t i = 0; i < image->count; i++)
        map_segment(&tables, at.value, &image->segments[i]);
    return at.value;
}

void longmode_gdt(uint64_t gdt[])
{
    memset(gdt, 0, ZV_GDT_ENTRIES * sizeof(gdt[0]));
    gdt[ZV_SEL_KERNEL_CODE / 8] = 0x00af9b000000ffffull;
    gdt[ZV_SEL_KERNEL_DATA / 8] = 0x00cf93000000ffffull;
    gdt[ZV_SEL_USER_CODE32 / 8] = 0x00cffb000000ffffull;
    gdt[ZV_SEL_USER_DATA / 8] = 0x00cff3000000ffffull;
    gdt[ZV_SEL_USER_CODE / 8] = 0x00affb000000ffffull;
}

static struct kvm_segment code_segment(uint16_t selector, uint8_t dpl)
{
    return (struct kvm_segment){.limit = ~0u,
                                .selector = selector,
                                .type = 11,
                                .present = 1,
                                .dpl = dpl,
                                .s = 1,
                                .l = 1,
                                .g = 1};
}

static struct kvm_segment data_segment(uint16_t selector, uint8_t dpl)
{
    return (struct kvm_segment){.limit = ~0u,
                                .selector = selector,
                                .type = 3,
                                .present = 1,
                                .dpl = dpl,
                                .s = 1,
                                .db = 1,
                                .g = 1};
}

void longmode_sregs(struct kvm_sregs *sregs, uint64_t cr3, uint64_t gdt_address, uint64_t cr4)
{
    sregs->cs = code_segment(ZV_SEL_KERNEL_CODE, 0);
    sregs->ss = data_segment(ZV_SEL_KERNEL_DATA, 0);
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss;
    /* What a processor has after reset; VM entry needs a busy TSS in TR. */
    sregs->tr = (struct kvm_segment){.limit = 0xffff, .type = 11, .present = 1};
    sregs->ldt = (struct kvm_segment){.limit = 0xffff, .type = 2, .present = 1};
    sregs->apic_base = APIC_BASE_ENTRY;
    sregs->gdt = (struct kvm_dtable){.base = gdt_address, .limit = ZV_GDT_ENTRIES * 8 - 1};
    sregs->idt = (struct kvm_dtable){0};
    sregs->cr0 = CR0_ENTRY;
    sregs->cr3 = cr3;
    sregs->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | cr4;
    sregs->efer = EFER_ENTRY;
}

void longmode_user_segments(struct kvm_sregs *sregs)
{
    sregs->cs = code_segment(ZV_SEL_USER_CODE, 3);
    sregs->ss = data_segment(ZV_SEL_USER_DATA, 3);
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss;
}
