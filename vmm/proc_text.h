/* proc_text.h - the host's files of lines "KEY : VALUE": /proc/cpuinfo, /proc/meminfo. */
#ifndef ZVMM_PROC_TEXT_H
#define ZVMM_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { PROC_TEXT_ROOM = 16384 }; /* for the first processor of /proc/cpuinfo */

/* The beginning of a file as a string; false if it cannot be read. */
bool proc_text_read(const char *path, char text[PROC_TEXT_ROOM]);

/* The value of the first line with that key: in `text`, to the end of its line. NULL: there is
 * none. */
const char *proc_text_value(const char *text, const char *key);

/* Whether the word is one of those of a line, which are apart by blanks. */
bool proc_text_has_word(const char *line, const char *word);

#endif
