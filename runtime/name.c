/*
 * name.c - fixed-size object names.
 */
#include "name.h"

#include "string.h"

void name_set(char *to, size_t size, const char *from, size_t from_length)
{
    size_t n = from_length ? strnlen(from, from_length) : 0;

    if (n > size - 1)
        n = size - 1;
    if (n)
        memcpy(to, from, n);
    memset(to + n, 0, size - n);
}
