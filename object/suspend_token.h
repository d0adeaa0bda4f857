/*
 * suspend_token.h - suspend tokens: while a handle to one is open, its task is suspended.
 */
#ifndef ZVMM_OBJECT_SUSPEND_TOKEN_H
#define ZVMM_OBJECT_SUSPEND_TOKEN_H

#include "object.h"

struct suspend_token {
    struct object object;
    struct object *task; /* a thread or a process, referenced; NULL: resumed */
};

extern const struct object_ops suspend_token_ops;

/* Suspends a thread or process and makes a token of it, with one reference. ZX_ERR_BAD_STATE: the
 * task is dying or dead; ZX_ERR_NO_MEMORY. */
zx_status_t suspend_token_create(struct object *task, struct suspend_token **out);

#endif
