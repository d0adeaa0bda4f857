/* loader.h - guest.elf: check it, place its segments, read its zvmm note. */
#ifndef ZVMM_LOADER_H
#define ZVMM_LOADER_H

#include "hypercall.h"
#include "layout.h"
#include "memory.h"

enum { LOADER_SEGMENTS = 16, LOADER_BUILD_ID_MAX = 32 };

/* One PT_LOAD segment; addresses and sizes in bytes. Page-rounded ranges never overlap. */
struct loader_segment {
    uint64_t paddr;  /* multiple of 4096; vaddr is ZV_KERNEL_BASE + paddr */
    uint64_t offset; /* in the file; congruent to paddr modulo 4096 or not */
    uint64_t file_bytes;
    uint64_t memory_bytes;
    uint32_t flags; /* PF_R, PF_W, PF_X */
};

/* A checked guest image. It keeps no file open. */
struct loader_image {
    uint64_t entry; /* virtual */
    struct loader_segment segments[LOADER_SEGMENTS];
    uint32_t count;
    struct zv_note note;
    uint8_t build_id[LOADER_BUILD_ID_MAX];
    uint32_t build_id_bytes; /* 0: the file has none */
};

/*
 * Check the ELF file open as `fd` against `memory_bytes` of RAM and describe it. `path` is for
 * messages only. Nothing is mapped or changed.
 */
int loader_check(struct loader_image *image, int fd, const char *path, uint64_t memory_bytes,
                 struct zvmm_error *error);

/*
 * Put the checked image's segments into guest memory and claim their ranges. Whole file pages
 * are mapped privately over the memory, so pages that the guest does not touch are never read.
 * `fd` may be closed afterwards.
 */
int loader_place(const struct loader_image *image, int fd, const char *path, struct memory *memory,
                 struct layout *layout, struct zvmm_error *error);

#endif
