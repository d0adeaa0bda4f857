/*
 * value.h - typed values of the target.
 *
 * A value is a place (an address and a type) or, as the result of an expression, just a number.
 * Reading never fails hard: guest memory is hostile and may be anything, so what cannot be read is
 * 0, and callers that care ask with value_read().
 */
#ifndef ZVMM_INSPECT_VALUE_H
#define ZVMM_INSPECT_VALUE_H

#include "inspect/inspector.h"

struct value {
    Dwarf_Die type;
    uint64_t address;
    uint8_t bit_offset, bit_size; /* of a bit field */
    bool is_number;               /* no place: `number` is the value */
    uint64_t number;
};

enum { VALUE_TEXT_MAX = 256 };

/* A place of a named type. False: there is no such type. */
bool value_at(struct inspector *inspector, const char *type, uint64_t address, struct value *out);
bool value_variable(struct inspector *inspector, const char *name, struct value *out);

/*
 * Follow a path of member names: "wait.kind->name". "->" reads the pointer. False: no such member,
 * or the pointer is NULL or unreadable.
 */
bool value_path(struct inspector *inspector, const struct value *from, const char *path,
                struct value *out);
/* type_target(), and where the file that declares a pointer knows only the name of what it points
 * at, the definition of that name. */
bool value_target(struct inspector *inspector, const Dwarf_Die *type, Dwarf_Die *out);
bool value_deref(struct inspector *inspector, const struct value *pointer, struct value *out);
bool value_index(struct inspector *inspector, const struct value *array, uint64_t index,
                 struct value *out);

/* A scalar, sign-extended if its type is signed. */
bool value_read(struct inspector *inspector, const struct value *value, uint64_t *out);
/* The scalar at `path`; 0 if it cannot be had. */
uint64_t value_number(struct inspector *inspector, const struct value *from, const char *path);
/* The address of the member at `path` from the start of `type`; false if there is none. */
bool value_offset(struct inspector *inspector, const char *type, const char *path,
                  uint64_t *offset);
/* Text of a char array or behind a char pointer, cut to fit; false if unreadable. */
bool value_text(struct inspector *inspector, const struct value *from, const char *path, char *text,
                size_t room);
/* NUL-terminated text at a kernel address. */
bool read_text(struct inspector *inspector, uint64_t address, char *text, size_t room);
/* Memory of the kernel's half, all or nothing. */
bool read_kernel(struct inspector *inspector, uint64_t address, void *buffer, uint64_t length);

/* Add the value to a report, `depth` levels of structures deep. */
void value_report(struct inspector *inspector, const struct value *value, unsigned depth,
                  struct item *parent, const char *key);

/* ---- Expressions (expr.c) ------------------------------------------------------------------- */

/*
 * A C expression: names of variables, numbers, $KOID (the object of that koid), cpu0 (the
 * processor's struct cpu); operators . -> [] () unary * & and casts to a type or pointer. -1 and an
 * error line.
 */
int expression_evaluate(struct inspector *inspector, const char *text, struct value *out);

#endif
