/*
 * What userboot says: one line on the console when it fails, lines in the debug log when it was
 * asked to be verbose.
 */
#ifndef USERBOOT_CONSOLE_H
#define USERBOOT_CONSOLE_H

#include <zircon/types.h>

/* Exit statuses, which become zvmm's. */
#define USERBOOT_EXIT_FAILED    125
#define USERBOOT_EXIT_NOT_FOUND 127

/* Prints "userboot: WHAT SUBJECT: STATUS" and ends the process. subject may be "". */
void fail(const char *what, const char *subject, zx_status_t status) __attribute__((noreturn));

/* Prints "userboot: SUBJECT: REASON" and ends the process. */
void fail_because(const char *subject, const char *reason, int exit_status)
    __attribute__((noreturn));

static inline void check(zx_status_t status, const char *what, const char *subject)
{
    if (status != 0)
        fail(what, subject, status);
}

/* Writes "userboot: WHAT SUBJECT" to the debug log; does nothing if log is ZX_HANDLE_INVALID. */
void log_line(zx_handle_t log, const char *what, const char *subject);

#endif
