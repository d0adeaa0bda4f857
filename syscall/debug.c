/*
 * debug.c - zx_debug_*: the console and commands to the machine; rules section 10.
 */
#include "debug.h"

#include <hal.h>
#include <zircon/limits.h>
#include <zircon/object.h>
#include <zircon/resource.h>

#include "executor.h"
#include "resource.h"
#include "string.h"
#include "syscalls.h"

#define READ_CHUNK  256u
#define COMMAND_MAX 256u
#define MARKER_USER 0x1000u /* the number of markers with a name */

int64_t sys_debug_write(struct thread *self, struct user_ptr buffer, size_t buffer_size)
{
    char text[ZX_DEBUG_WRITE_MAX];
    size_t length = buffer_size < sizeof text ? buffer_size : sizeof text;
    zx_status_t status = user_read(self->process, text, buffer, length);

    if (status == ZX_OK)
        hal_console_write(text, length);
    return status;
}

/* ---- debug_read ---------------------------------------------------------------------------- */

/* Takes what is there now. ZX_ERR_SHOULD_WAIT: nothing yet. ZX_ERR_PEER_CLOSED: input has ended. */
static zx_status_t read_console(struct process *process, struct user_ptr buffer, size_t size,
                                struct user_ptr actual)
{
    char text[READ_CHUNK];
    size_t length = 0;
    zx_status_t status = hal_console_read(text, size < sizeof text ? size : sizeof text, &length);

    if (status != ZX_OK)
        return status;
    if (length == 0)
        return ZX_ERR_SHOULD_WAIT;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r')
            text[i] = '\n';
    }
    status = user_write(process, buffer, text, length);
    return status == ZX_OK ? user_write_value(process, actual, length) : status;
}

static void console_unlink(struct thread *thread)
{
    TAILQ_REMOVE(&kernel()->console_readers, thread, wait.u.console.link);
}

static void wait_for_console(struct thread *thread);

/* Another reader may have been quicker: the wait begins again. */
static int64_t console_finish(struct thread *thread, zx_status_t status)
{
    if (status != ZX_OK)
        return status;
    status = read_console(thread->process, thread->wait.u.console.buffer,
                          thread->wait.u.console.size, thread->wait.u.console.actual);
    if (status == ZX_ERR_SHOULD_WAIT)
        wait_for_console(thread);
    return status;
}

static const struct wait_kind wait_kind_console = {
    .name = "debug_read",
    .info_state = ZX_THREAD_STATE_BLOCKED,
    .unlink = console_unlink,
    .finish = console_finish,
};

static void wait_for_console(struct thread *thread)
{
    TAILQ_INSERT_TAIL(&kernel()->console_readers, thread, wait.u.console.link);
    wait_begin(thread, &wait_kind_console, ZX_TIME_INFINITE);
}

int64_t sys_debug_read(struct thread *self, zx_handle_t handle, struct user_ptr buffer,
                       size_t buffer_size, struct user_ptr actual)
{
    zx_status_t status = resource_check(self->process, handle, ZX_RSRC_KIND_ROOT, 0, 0);

    if (status != ZX_OK)
        return status;
    if (buffer_size == 0)
        return user_write_value(self->process, actual, buffer_size);
    status = read_console(self->process, buffer, buffer_size, actual);
    if (status != ZX_ERR_SHOULD_WAIT)
        return status;
    self->wait.u.console.buffer = buffer;
    self->wait.u.console.actual = actual;
    self->wait.u.console.size = buffer_size;
    wait_for_console(self);
    return status;
}

/* Input is not granted to one reader, so all of them look. */
void console_input_ready(void)
{
    struct thread *thread;

    while ((thread = TAILQ_FIRST(&kernel()->console_readers)))
        wait_end(thread, ZX_OK);
}

/* ---- debug_send_command --------------------------------------------------------------------- */

/* Parses decimal digits after spaces; false if there are none or they do not fit. */
static bool parse_number(const char **text, uint64_t *value)
{
    const char *at = *text;

    while (*at == ' ')
        at++;
    if (*at < '0' || *at > '9')
        return false;
    for (*value = 0; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
            return false;
    }
    *text = at;
    return true;
}

/* "marker N [V]" */
static zx_status_t numbered_marker(const char *arguments)
{
    uint64_t id, value = 0;

    if (!parse_number(&arguments, &id) || id > UINT32_MAX)
        return ZX_ERR_INVALID_ARGS;
    if (*arguments == ' ' && !parse_number(&arguments, &value))
        return ZX_ERR_INVALID_ARGS;
    if (*arguments == '\n')
        arguments++;
    if (*arguments)
        return ZX_ERR_INVALID_ARGS;
    hal_marker((uint32_t)id, value, NULL);
    return ZX_OK;
}

/* "marker NAME", a word that does not begin like a number. */
static zx_status_t named_marker(char *name)
{
    size_t length = strlen(name);

    if (length && name[length - 1] == '\n')
        name[--length] = '\0';
    if (!length || strchr(name, ' ') || strchr(name, '\n'))
        return ZX_ERR_INVALID_ARGS;
    hal_marker(MARKER_USER, 0, name);
    return ZX_OK;
}

/* Names this point of the run for the VMM. */
static zx_status_t marker_command(char *arguments)
{
    bool is_number = *arguments == ' ' || (*arguments >= '0' && *arguments <= '9');

    return is_number ? numbered_marker(arguments) : named_marker(arguments);
}

int64_t sys_debug_send_command(struct thread *self, zx_handle_t resource, struct user_ptr buffer,
                               size_t buffer_size)
{
    char command[COMMAND_MAX + 1];
    zx_status_t status = resource_check(self->process, resource, ZX_RSRC_KIND_ROOT, 0, 0);

    if (status != ZX_OK)
        return status;
    if (buffer_size > COMMAND_MAX)
        return ZX_ERR_INVALID_ARGS;
    status = user_read(self->process, command, buffer, buffer_size);
    if (status != ZX_OK)
        return status;
    command[buffer_size] = '\0';
    if (strncmp(command, "marker ", 7) == 0)
        return marker_command(command + 7);
    return ZX_ERR_INVALID_ARGS;
}
