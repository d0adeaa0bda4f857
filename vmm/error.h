/* error.h - one-line errors: the thing, the reason, the remedy. */
#ifndef ZVMM_ERROR_H
#define ZVMM_ERROR_H

#include "zvmm.h"

/* Write the line into `error` and return -1, so that callers can `return error_set(...)`. */
int error_set(struct zvmm_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Print "zvmm: LINE" on stderr and end the process with ZVMM_EXIT_HOST. Only for main.c. */
void error_fatal(const struct zvmm_error *error) __attribute__((noreturn));

#endif
