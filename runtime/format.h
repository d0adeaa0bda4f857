/*
 * format.h - printf-style formatting without floating point, for logs and panics.
 *
 * Conversions: %d %i %u %x %X %c %s %p %%; lengths hh h l ll z j t; flags - 0 +, width, precision
 * (also *). Everything else prints as it stands.
 */
#ifndef ZVMM_RUNTIME_FORMAT_H
#define ZVMM_RUNTIME_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most size-1 characters and a NUL; returns the number that was written, without the NUL
 * (unlike C's snprintf). size 0 writes nothing. */
size_t format(char *to, size_t size, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));
size_t vformat(char *to, size_t size, const char *pattern, va_list args);

/* Stops the machine with a formatted message: a state that the kernel's own code rules out. */
_Noreturn void panic(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* Documents and checks a precondition. The condition has no side effects. */
#define assert(condition)                                                                          \
    ((condition) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #condition))

#endif
