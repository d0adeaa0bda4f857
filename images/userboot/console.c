/*
 * What userboot says. Lines are put together on the stack and written with one call each.
 */
#include "console.h"

#include <string.h>
#include <zircon/limits.h>
#include <zircon/syscalls.h>

struct line {
    char text[ZX_LOG_RECORD_MAX - 40]; /* fits a log record with its header */
    size_t length;
};

/* What does not fit is cut off. */
static void add(struct line *line, const char *string)
{
    size_t length = strlen(string);

    if (length > sizeof(line->text) - line->length)
        length = sizeof(line->text) - line->length;
    memcpy(line->text + line->length, string, length);
    line->length += length;
}

void fail(const char *what, const char *subject, zx_status_t status)
{
    struct line line = {.length = 0};

    add(&line, "userboot: ");
    add(&line, what);
    add(&line, *subject ? " " : "");
    add(&line, subject);
    add(&line, ": ");
    add(&line, zx_status_get_string(status));
    add(&line, "\n");
    zx_debug_write(line.text, line.length);
    zx_process_exit(USERBOOT_EXIT_FAILED);
}

void fail_because(const char *subject, const char *reason, int exit_status)
{
    struct line line = {.length = 0};

    add(&line, "userboot: ");
    add(&line, subject);
    add(&line, ": ");
    add(&line, reason);
    add(&line, "\n");
    zx_debug_write(line.text, line.length);
    zx_process_exit(exit_status);
}

void log_line(zx_handle_t log, const char *what, const char *subject)
{
    struct line line = {.length = 0};

    if (log == ZX_HANDLE_INVALID)
        return;
    add(&line, "userboot: ");
    add(&line, what);
    add(&line, " ");
    add(&line, subject);
    zx_debuglog_write(log, 0, line.text, line.length);
}
