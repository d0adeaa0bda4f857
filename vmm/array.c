/* array.c - arrays that grow by doubling. */
#include "array.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };

void *array_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t wanted = *room != 0 ? 2 * *room : FIRST_ROOM;
    void *larger = reallocarray(array, wanted, size);
    if (larger != NULL)
        *room = wanted;
    return larger;
}
