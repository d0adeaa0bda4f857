/*
 * string.h - the memory and string functions the kernel uses. The compiler may also call the four
 * mem* functions on its own. Semantics are C11's; no locale.
 */
#ifndef ZVMM_RUNTIME_STRING_H
#define ZVMM_RUNTIME_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *at, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
/* Freestanding compilers do not know the names; the builtins turn small constant sizes into moves. */
#define memcpy(to, from, length) __builtin_memcpy((to), (from), (length))
#define memset(at, byte, length) __builtin_memset((at), (byte), (length))

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *s, int c);

#endif
