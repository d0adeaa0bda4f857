/*
 * Ending the process.
 */
#include <stdlib.h>
#include <unistd.h>
#include <zircon/syscalls.h>

void _Exit(int status)
{
    zx_process_exit(status);
}

void _exit(int status)
{
    zx_process_exit(status);
}

/* An exception where it happened says more than an exit status; nobody catches it: no signals. */
void abort(void)
{
    __builtin_trap();
}
