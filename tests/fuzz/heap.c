/*
 * heap.c - runtime/heap.h for the fuzzer: each block is one of malloc's, so AddressSanitizer sees
 * every use after free and every step over a block's end, which size classes would hide.
 */
#include "heap.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 16
#define LIMIT  (64u << 20) /* bytes; then memory is out */

static struct {
    size_t used;
    uint64_t fail_in;
} heap;

void *heap_alloc(size_t size)
{
    char *block;

    if (heap.fail_in && --heap.fail_in == 0)
        return NULL;
    if (size == 0 || size > LIMIT || heap.used + size > LIMIT)
        return NULL;
    block = malloc(HEADER + size);
    if (!block)
        return NULL;
    memcpy(block, &size, sizeof size);
    memset(block + HEADER, 0xa5, size);
    heap.used += size;
    return block + HEADER;
}

void *heap_zalloc(size_t size)
{
    void *block = heap_alloc(size);

    return block ? memset(block, 0, size) : NULL;
}

void heap_free(void *pointer)
{
    char *block = pointer;
    size_t size;

    if (!block)
        return;
    memcpy(&size, block - HEADER, sizeof size);
    heap.used -= size;
    free(block - HEADER);
}

void heap_stats(struct heap_stats *out)
{
    *out = (struct heap_stats){.used = heap.used, .held = heap.used};
}

void heap_fail_nth(uint64_t n)
{
    heap.fail_in = n;
}
