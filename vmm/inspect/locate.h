/* locate.h - what a place in the kernel's memory is: a field of an object, of a variable, ... */
#ifndef ZVMM_INSPECT_LOCATE_H
#define ZVMM_INSPECT_LOCATE_H

#include "inspect/pages.h"

enum { PLACE_WORDS = 320 };

struct place {
    char words[PLACE_WORDS]; /* "process 1034 'sh', handles.salt" */
    bool in_use;             /* neither free nor the allocators' own bookkeeping */
    bool typed;              /* `value` is the scalar or text there */
    struct value value;
};

/* What the byte at `at` belongs to. The census must have been made. */
void locate(struct inspector *inspector, const struct frames *frames, gpa_t at, struct place *out);

#endif
