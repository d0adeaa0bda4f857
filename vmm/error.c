/* error.c - one-line errors: the thing, the reason, the remedy. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int error_set(struct zvmm_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return -1;
}

void error_fatal(const struct zvmm_error *error)
{
    fprintf(stderr, "zvmm: %s\n", error->text);
    exit(ZVMM_EXIT_HOST);
}
