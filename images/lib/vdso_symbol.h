/*
 * Finding functions in the vDSO by name. Programs and userboot are told where the vDSO is mapped
 * and nothing else about it, so that any vDSO works with any program.
 */
#ifndef ZX_LIB_VDSO_SYMBOL_H
#define ZX_LIB_VDSO_SYMBOL_H

#include <elf.h>
#include <stdint.h>

/* The parts of a mapped ELF image that a look-up needs. */
struct vdso {
    uintptr_t base;
    const Elf64_Sym *symbols;
    const char *strings;
    const uint32_t *gnu_hash;
};

/* image: the vDSO's first byte. Its ELF headers are trusted: the kernel mapped them. */
void vdso_open(struct vdso *vdso, const void *image);

/* The address of a function, or 0 if the vDSO has none of that name. */
uintptr_t vdso_symbol(const struct vdso *vdso, const char *name);

#endif
