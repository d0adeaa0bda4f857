/* memory.h - guest-physical memory: one private mapping, one checked translation. */
#ifndef ZVMM_MEMORY_H
#define ZVMM_MEMORY_H

#include <stdbool.h>
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
 * RAM is [0, bytes). The mapping is private, anonymous except where the loader or a snapshot has
 * put file pages: a forked process has a frozen copy of it, which is how a snapshot is written
 * while the guest goes on.
 */
struct memory {
    uint8_t *base;
    uint64_t bytes;
    bool restored; /* mapped from a snapshot: a page given back would get the file's contents */
};

/* Make `bytes` (a multiple of 2 MiB) of zero-filled memory; memory_destroy() frees it. */
int memory_create(struct memory *memory, uint64_t bytes, struct zvmm_error *error);

/* Zero anonymous pages, if possible by giving them back to the host; arguments are multiples of a
 * page. */
int memory_discard(struct memory *memory, gpa_t at, uint64_t length);

/* The one translation: host address of [at, at + length), NULL unless it lies inside RAM. */
void *memory_at(const struct memory *memory, gpa_t at, uint64_t length);

void memory_destroy(struct memory *memory);

#endif
