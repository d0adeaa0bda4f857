/*
 * target.h - a stopped machine that can be looked at: a paused VM or a snapshot file.
 *
 * Inspection, diff, core files and the debugger read the guest through this view only. Memory is
 * one read-only range of host memory, RAM from physical address 0; what it holds came from the
 * guest and is hostile: check every address with the functions below, bound every walk.
 */
#ifndef ZVMM_TARGET_H
#define ZVMM_TARGET_H

#include <linux/kvm.h>

#include "memory.h"

enum { TARGET_BUILD_ID_MAX = 32 };

struct target {
    const uint8_t *memory; /* RAM [0, memory_bytes); lives as long as its source */
    uint64_t memory_bytes;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    uint64_t tsc; /* the guest's TSC when it was stopped, and its frequency */
    uint64_t tsc_hz;
    const char *guest_path;                /* guest.elf, for its symbols; NULL if unknown */
    uint8_t build_id[TARGET_BUILD_ID_MAX]; /* of the guest.elf that runs in it */
    uint32_t build_id_bytes;               /* 0 if it has none */
};

/* Guest-physical [at, at + length), or NULL unless it lies inside RAM. */
const void *target_physical(const struct target *target, gpa_t at, uint64_t length);

/*
 * Physical address of `address` in the address space of page table `cr3`, and whether user mode
 * may read it (user may be NULL). -1 if nothing is mapped there.
 */
int target_translate(const struct target *target, uint64_t cr3, uint64_t address, gpa_t *at,
                     bool *user);

/*
 * Copy `length` bytes of virtual memory, over page boundaries. The number of bytes copied before
 * the first one that is not mapped.
 */
uint64_t target_read(const struct target *target, uint64_t cr3, uint64_t address, void *buffer,
                     uint64_t length);

/* The same for the kernel's half, which every address space shares: the machine's current CR3. */
uint64_t target_read_kernel(const struct target *target, uint64_t address, void *buffer,
                            uint64_t length);

#endif
