/*
 * Writing the start-up message of a new process (<zircon/processargs.h>): header, one word per
 * handle, argument strings, environment strings.
 */
#ifndef ZX_LIB_PROCARGS_H
#define ZX_LIB_PROCARGS_H

#include <stddef.h>
#include <zircon/processargs.h>
#include <zircon/types.h>

struct procargs {
    zx_proc_args_t *header; /* the message's first byte */
    size_t size;            /* bytes written so far */
    size_t capacity;
    zx_status_t status; /* ZX_ERR_OUT_OF_RANGE once something did not fit */
};

/* buffer is 4-aligned. infos: the PA_HND word of each handle, in the order of the handles. */
void procargs_begin(struct procargs *args, void *buffer, size_t capacity, const uint32_t *infos,
                    size_t handle_count);

/* All arguments come before the first environment string. */
void procargs_add_argument(struct procargs *args, const char *string);
void procargs_add_environment(struct procargs *args, const char *string);

#endif
