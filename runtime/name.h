/*
 * name.h - names of kernel objects: a fixed number of bytes, terminated and padded with zeros.
 */
#ifndef ZVMM_RUNTIME_NAME_H
#define ZVMM_RUNTIME_NAME_H

#include <stddef.h>

/* Copies `from` into a buffer of `size` bytes, cut to fit and always terminated; the rest of the
 * buffer becomes zero, so that a name can be given to user code as it stands. */
void name_set(char *to, size_t size, const char *from, size_t from_length);

#endif
