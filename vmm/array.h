/* array.h - arrays that grow by doubling. */
#ifndef ZVMM_ARRAY_H
#define ZVMM_ARRAY_H

#include <stddef.h>

/*
 * The array with room for one element more than `count`; it has room for *room elements of `size`
 * bytes. NULL without memory: the old one is still there then.
 */
void *array_grow(void *array, size_t count, size_t *room, size_t size);

#endif
