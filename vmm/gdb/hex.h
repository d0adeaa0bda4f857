/* hex.h - numbers and bytes as gdb's packets write them. */
#ifndef ZVMM_GDB_HEX_H
#define ZVMM_GDB_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Write 2 * length digits and a NUL; returns where the NUL is. */
char *hex_write(char *to, const void *data, size_t length);

/* Read 2 * length digits; false if there are fewer. */
bool hex_read(const char *from, void *data, size_t length);

/* Read a number at *at, most significant digit first, and move behind it; false if none is there.
 */
bool hex_number(const char **at, uint64_t *value);

/* Move behind `mark` if it stands at *at. */
bool hex_skip(const char **at, char mark);

#endif
