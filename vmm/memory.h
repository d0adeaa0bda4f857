/* memory.h - guest-physical memory: one memfd, one mapping, one checked translation. */
#ifndef ZVMM_MEMORY_H
#define ZVMM_MEMORY_H

#include <stdint.h>

#include "error.h"

#define PAGE_BYTES 4096ull

/* A guest-physical address. A struct, so that no host pointer or guest-virtual address fits. */
typedef struct {
    uint64_t value;
} gpa_t;

static inline gpa_t gpa(uint64_t value)
{
    return (gpa_t){value};
}

static inline uint64_t page_up(uint64_t value)
{
    return (value + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

static inline uint64_t page_down(uint64_t value)
{
    return value & ~(PAGE_BYTES - 1);
}

/*
 * RAM is [0, bytes). `base` maps `fd` shared, except where the loader has put private file pages
 * over it: read guest memory through `base`, not through `fd`.
 */
struct memory {
    uint8_t *base;
    uint64_t bytes;
    int fd;
};

/* Make `bytes` (a multiple of 2 MiB) of zero-filled memory; memory_destroy() frees it. */
int memory_create(struct memory *memory, uint64_t bytes, struct zvmm_error *error);

/* The one translation: host address of [at, at + length), NULL unless it lies inside RAM. */
void *memory_at(const struct memory *memory, gpa_t at, uint64_t length);

void memory_destroy(struct memory *memory);

#endif
