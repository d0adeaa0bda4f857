/*
 * Reading a line with editing and history.
 */
#ifndef SH_LINE_H
#define SH_LINE_H

#include <stdbool.h>

#define LINE_MAX_SIZE 512

/*
 * Prints the prompt and reads a line, without its end, of less than LINE_MAX_SIZE bytes. What is
 * typed beyond that is ignored. False at the end of input.
 */
bool line_read(const char *prompt, char *line);

#endif
