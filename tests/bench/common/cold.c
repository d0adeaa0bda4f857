/* cold.c - cold caches: memory that is read until nothing else can be in them. */
#include "cold.h"

#include <cpuid.h>

#include "rows.h"

/*
 * AMD64 Architecture Programmer's Manual, volume 3, appendix E: CPUID Fn8000_0001 and Fn8000_001D.
 * Intel SDM, volume 2A, CPUID: leaf 4, whose words mean the same.
 */
#define LEAF_FEATURES   0x80000001u
#define TOPOLOGY        (1u << 22) /* in ecx: there is LEAF_CACHES_AMD */
#define LEAF_CACHES_AMD 0x8000001du
#define LEAF_CACHES     4u
#define CACHE_TYPE(eax) ((eax)&0x1f) /* 0: no more caches */
#define LINE_BYTES(ebx) (((ebx)&0xfff) + 1)
#define PARTITIONS(ebx) (((ebx) >> 12 & 0x3ff) + 1)
#define WAYS(ebx)       (((ebx) >> 22) + 1)
#define MOST_CACHES     8

#define LEAST_SIZE (32 * MIB) /* also where the processor does not say */
#define MOST_SIZE  (128 * MIB)
#define LINE       64

static unsigned cache_leaf(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(LEAF_FEATURES, &a, &b, &c, &d) && (c & TOPOLOGY) ? LEAF_CACHES_AMD
                                                                        : LEAF_CACHES;
}

static uint64_t largest_cache(void)
{
    unsigned leaf = cache_leaf(), a, b, c, d;
    uint64_t largest = 0;

    for (unsigned i = 0; i < MOST_CACHES; i++) {
        uint64_t size;

        if (!__get_cpuid_count(leaf, i, &a, &b, &c, &d) || CACHE_TYPE(a) == 0)
            break;
        size = (uint64_t)LINE_BYTES(b) * PARTITIONS(b) * WAYS(b) * ((uint64_t)c + 1);
        if (size > largest)
            largest = size;
    }
    return largest;
}

struct cold cold_prepare(struct run *run)
{
    uint64_t size = 2 * largest_cache();

    if (size < LEAST_SIZE)
        size = LEAST_SIZE;
    if (size > MOST_SIZE)
        size = MOST_SIZE;
    return (struct cold){.memory = buffer_map(run, size), .size = size};
}

void cold_make(struct run *run, const struct cold *cold)
{
    if (!cold->memory)
        return;
    for (size_t i = 0; i < cold->size; i += LINE)
        (void)*(volatile char *)(cold->memory + i);
    run_restart(run);
}

void cold_free(struct cold *cold)
{
    if (cold->memory)
        buffer_unmap(cold->memory, cold->size);
    cold->memory = NULL;
}
