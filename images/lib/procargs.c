/*
 * Writing the start-up message of a new process. Shared by userboot, which has no C library: only
 * string functions are used here.
 */
#include "procargs.h"

#include <stdbool.h>
#include <string.h>
#include <zircon/errors.h>

static bool append(struct procargs *args, const void *bytes, size_t size)
{
    if (args->status != ZX_OK || size > args->capacity - args->size) {
        args->status = ZX_ERR_OUT_OF_RANGE;
        return false;
    }
    memcpy((char *)args->header + args->size, bytes, size);
    args->size += size;
    return true;
}

void procargs_begin(struct procargs *args, void *buffer, size_t capacity, const uint32_t *infos,
                    size_t handle_count)
{
    const zx_proc_args_t header = {
        .protocol = ZX_PROCARGS_PROTOCOL,
        .version = ZX_PROCARGS_VERSION,
        .handle_info_off = sizeof(header),
    };

    *args = (struct procargs){.header = buffer, .capacity = capacity};
    if (append(args, &header, sizeof(header)))
        append(args, infos, handle_count * sizeof(*infos));
}

void procargs_add_argument(struct procargs *args, const char *string)
{
    uint32_t offset = (uint32_t)args->size;

    if (append(args, string, strlen(string) + 1) && args->header->args_num++ == 0)
        args->header->args_off = offset;
}

void procargs_add_environment(struct procargs *args, const char *string)
{
    uint32_t offset = (uint32_t)args->size;

    if (append(args, string, strlen(string) + 1) && args->header->environ_num++ == 0)
        args->header->environ_off = offset;
}
