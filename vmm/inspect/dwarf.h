/*
 * dwarf.h - what an ELF file says of a program: symbols, types, variables, lines.
 *
 * The file need not be complete: without debugging information there are symbols only, without a
 * symbol table not even those. A DIE (debugging information entry) lives as long as its file.
 */
#ifndef ZVMM_INSPECT_DWARF_H
#define ZVMM_INSPECT_DWARF_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct symbols;

/* Reads the file at `path`; the caller closes it. */
int symbols_open(const char *path, struct symbols **out, struct zvmm_error *error);
/* The same from an open file, which is the symbols' from then on; `name` is for messages. */
int symbols_open_fd(int fd, const char *name, struct symbols **out, struct zvmm_error *error);
/* NULL is fine. */
void symbols_close(struct symbols *symbols);

/* The build id: its length in bytes, 0 if there is none. */
size_t symbols_build_id(const struct symbols *symbols, const void **id);
bool symbols_have_names(const struct symbols *symbols);
bool symbols_have_types(const struct symbols *symbols);
Elf *symbols_elf(const struct symbols *symbols);
Dwarf *symbols_dwarf(const struct symbols *symbols); /* NULL: none */

/* ---- Symbol table: addresses are the file's ------------------------------------------------- */

struct symbol {
    const char *name;
    uint64_t address, size;
};

/* The symbol that covers `address`: the closest one below it. */
bool symbols_at(struct symbols *symbols, uint64_t address, struct symbol *out);
bool symbols_named(struct symbols *symbols, const char *name, struct symbol *out);
/* "name" or "name+0x10"; empty if no symbol covers it. */
void symbols_describe(struct symbols *symbols, uint64_t address, char *text, size_t room);

/* ---- Debugging information ------------------------------------------------------------------ */

/* Source file and line of the code at `address`. */
bool symbols_line(struct symbols *symbols, uint64_t address, const char **file, int *line);

/*
 * A type by its name in C: "struct thread", "union u", "enum e", "zx_time_t", "unsigned int". Only
 * complete ones. Of several with one name `nth` (from 0) is given; identical copies, one a source
 * file, count as one if their sizes are equal.
 */
bool symbols_type(struct symbols *symbols, const char *name, unsigned nth, Dwarf_Die *out);
/* A variable of the kernel's, global or static in a file: its address and type. */
bool symbols_variable(struct symbols *symbols, const char *name, uint64_t *address,
                      Dwarf_Die *type);
/* An enumerator by name. */
bool symbols_constant(struct symbols *symbols, const char *name, int64_t *value);

/* ---- Types ---------------------------------------------------------------------------------- */

/* Without typedefs and qualifiers; false for void. */
bool type_strip(const Dwarf_Die *type, Dwarf_Die *out);
/* Bytes; 0 if unknown. */
uint64_t type_size(const Dwarf_Die *type);
/* What a pointer points at or an array consists of; false for void *. */
bool type_target(const Dwarf_Die *type, Dwarf_Die *out);
/* Elements of an array's first dimension; 0 if it is open. */
uint64_t type_count(const Dwarf_Die *array);
/* "struct thread *", cut to fit. */
void type_name(const Dwarf_Die *type, char *text, size_t room);
/* The value of an enumerator's DIE. */
bool die_constant(Dwarf_Die *die, int64_t *value);
/* The enumerator of that value, NULL if there is none. */
const char *type_enumerator(const Dwarf_Die *type, int64_t value);

struct member {
    Dwarf_Die type;
    uint64_t offset;    /* bytes from the start of the structure */
    uint8_t bit_offset; /* of a bit field, from the lowest bit at `offset`; */
    uint8_t bit_size;   /* 0: no bit field */
};

/* A member by name, also inside unnamed structures and unions. */
bool type_member(const Dwarf_Die *type, const char *name, struct member *out);
/* Decodes one DW_TAG_member; false if its place is not a constant. */
bool member_decode(Dwarf_Die *die, struct member *out);

#endif
