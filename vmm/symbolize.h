/* symbolize.h - addresses of the guest kernel to function, file and line. For reports only. */
#ifndef ZVMM_SYMBOLIZE_H
#define ZVMM_SYMBOLIZE_H

#include <stddef.h>
#include <stdint.h>

struct symbolizer;

/* Open the symbols of an ELF file; NULL if there are none, which symbolize() copes with. */
struct symbolizer *symbolize_open(const char *path);

/* Write " function+0x12 (file.c:34)", as far as it is known, into text; else the empty string. */
void symbolize(struct symbolizer *symbolizer, uint64_t address, char *text, size_t room);

void symbolize_close(struct symbolizer *symbolizer);

#endif
