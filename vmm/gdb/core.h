/*
 * core.h - an ELF core file of a snapshot, which gdb opens together with guest.elf.
 *
 *   gdb guest.elf vmcore
 *
 * RAM is in the file once, sparse. The loadable segments are views of it: one for each range of
 * the kernel's page tables (so the direct map and the kernel's image), and one for each range of
 * user memory of every process. Two processes may have something at the same address: then the
 * segment is that of the process that was running, or of the one that was made first. The threads
 * are the vCPU and every thread of the kernel, with the user registers that it has saved.
 */
#ifndef ZVMM_GDB_CORE_H
#define ZVMM_GDB_CORE_H

#include "snapshot/file.h"

struct core_range {
    uint64_t vaddr, paddr, bytes;
    uint32_t flags; /* PF_* */
    uint32_t owner; /* 0 the kernel, else the rank of an address space: a smaller one comes first */
};

struct core_ranges {
    struct core_range *range;
    size_t count, room;
    uint64_t tables_left; /* guest page tables are hostile: so many more are looked at */
};

/* The ranges that the upper (kernel) or lower half of page table `cr3` maps. -1 without memory. */
int core_ranges_add(struct core_ranges *ranges, const struct target *target, uint64_t cr3,
                    bool kernel, uint32_t owner);
/* Sort by address and drop what overlaps. */
void core_ranges_sort(struct core_ranges *ranges);

/* The notes of a core file: registers of the vCPU and of every thread. */
struct core_notes {
    uint8_t *bytes;
    size_t length, room;
    bool failed; /* no memory */
};

void core_note_vcpu(struct core_notes *notes, const struct target *target, const void *xsave);
/* `regs`: rax rbx rcx rdx rsi rdi rbp rsp r8 to r15 rip rflags fs_base gs_base. */
void core_note_thread(struct core_notes *notes, uint32_t koid, const uint64_t regs[20]);

/* zvmm core */
int core_command(int argc, char *argv[]);

#endif
