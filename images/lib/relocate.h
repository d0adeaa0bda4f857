/*
 * Relocating the program itself, before anything else runs.
 */
#ifndef ZX_LIB_RELOCATE_H
#define ZX_LIB_RELOCATE_H

#include <elf.h>
#include <stdint.h>

/*
 * Applies the relocations of the running program: relative ones, and pointers to functions, which
 * are looked up in the vDSO. Returns NULL, or the name of a function that the vDSO lacks; then the
 * program cannot run.
 */
const char *relocate_self(const void *vdso_image);

/* The program's own header of a type, or NULL; and how far the program was moved. */
const Elf64_Phdr *own_segment(uint32_t type);
uintptr_t own_bias(void);

#endif
