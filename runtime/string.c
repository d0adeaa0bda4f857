/*
 * string.c - memory and string functions in plain integer code.
 *
 * Copies use `rep movs`: on hardware it is the fastest form for the sizes a kernel sees beyond a
 * few words, and short copies are left to 8-byte moves because `rep` has a start-up cost.
 */
#include "string.h"

#include <stdint.h>

#undef memcpy
#undef memset

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

/* The loops below must not be turned back into calls of the functions they implement. */
#if defined(__clang__)
#define NO_IDIOM __attribute__((no_builtin))
#else
#define NO_IDIOM __attribute__((optimize("no-tree-loop-distribute-patterns")))
#endif

#define SHORT 64

NO_IDIOM void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if (length > SHORT) {
#if defined(__x86_64__)
        void *start = to;
        size_t words = length / 8;
        size_t tail = length % 8;
        __asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
        while (tail--)
            *d++ = *s++;
        return start;
#endif
    }
    for (; length >= 8; length -= 8, d += 8, s += 8)
        *(word *)d = *(const word *)s;
    while (length--)
        *d++ = *s++;
    return to;
}

NO_IDIOM void *memmove(void *to, const void *from, size_t length)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if (d <= s || d >= s + length)
        return memcpy(to, from, length);
    while (length--)
        d[length] = s[length];
    return to;
}

NO_IDIOM void *memset(void *at, int byte, size_t length)
{
    unsigned char *d = at;
    uint64_t pattern = 0x0101010101010101ull * (unsigned char)byte;

#if defined(__x86_64__)
    if (length > SHORT) {
        size_t words = length / 8;
        length %= 8;
        __asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
    }
#endif
    for (; length >= 8; length -= 8, d += 8)
        *(word *)d = pattern;
    while (length--)
        *d++ = (unsigned char)byte;
    return at;
}

NO_IDIOM int memcmp(const void *a, const void *b, size_t length)
{
    const unsigned char *p = a, *q = b;

    for (; length; length--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

NO_IDIOM size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

size_t strnlen(const char *s, size_t most)
{
    size_t n = 0;

    while (n < most && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t most)
{
    for (; most; most--, a++, b++) {
        if (*a != *b)
            return (unsigned char)*a - (unsigned char)*b;
        if (!*a)
            break;
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}
