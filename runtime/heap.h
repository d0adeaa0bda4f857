/*
 * heap.h - kernel memory in any size.
 *
 * Sizes up to 2 KiB come from size classes carved out of single pages (each page's header counts
 * its live blocks, an empty page goes back to the HAL); larger ones are whole pages. Blocks are
 * 16-byte aligned. Allocation and freeing are O(1). All functions run under the kernel lock.
 */
#ifndef ZVMM_RUNTIME_HEAP_H
#define ZVMM_RUNTIME_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* NULL when memory is out (or size is 0). Content undefined. */
void *heap_alloc(size_t size);
/* As heap_alloc, filled with zeros. */
void *heap_zalloc(size_t size);
/* NULL is allowed. */
void heap_free(void *block);

/* Bytes handed out and bytes held from the HAL. */
struct heap_stats {
    size_t used, held;
};
void heap_stats(struct heap_stats *out);

/* For tests: the n-th allocation from now fails (1 = the next one), once; 0 never. */
void heap_fail_nth(uint64_t n);

#endif
