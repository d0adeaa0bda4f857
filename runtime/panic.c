/*
 * panic.c - the end of the machine, with a formatted reason.
 */
#include <hal.h>

#include "format.h"

_Noreturn void panic(const char *pattern, ...)
{
    char message[256];
    va_list args;

    va_start(args, pattern);
    vformat(message, sizeof message, pattern, args);
    va_end(args);
    hal_panic(message);
}
