/*
 * Relocating the program itself. Nothing here may use a pointer that has to be relocated first: no
 * static data with addresses, no calls that leave the program.
 */
#include "relocate.h"
#include "vdso_symbol.h"

#include <stdbool.h>
#include <stddef.h>

/* Both from the linker. */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));
extern const Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

const Elf64_Phdr *own_segment(uint32_t type)
{
    const Elf64_Phdr *segments =
        (const Elf64_Phdr *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);

    for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
        if (segments[i].p_type == type)
            return &segments[i];
    }
    return NULL;
}

/* The first PT_LOAD begins with the ELF header. */
uintptr_t own_bias(void)
{
    return (uintptr_t)&__ehdr_start - own_segment(PT_LOAD)->p_vaddr;
}

struct tables {
    uintptr_t bias;
    struct vdso vdso;
    const Elf64_Sym *symbols;
    const char *strings;
};

static bool resolve(const struct tables *t, const Elf64_Sym *symbol, uintptr_t *value)
{
    if (symbol->st_shndx != SHN_UNDEF)
        *value = t->bias + symbol->st_value;
    else
        *value = vdso_symbol(&t->vdso, t->strings + symbol->st_name);
    return *value != 0 || ELF64_ST_BIND(symbol->st_info) == STB_WEAK;
}

/* Returns the name that could not be resolved, or NULL. */
static const char *apply(const struct tables *t, const Elf64_Rela *rela, size_t size)
{
    for (const Elf64_Rela *end = rela + size / sizeof(*rela); rela < end; rela++) {
        uintptr_t *place = (uintptr_t *)(t->bias + rela->r_offset);
        const Elf64_Sym *symbol = &t->symbols[ELF64_R_SYM(rela->r_info)];
        uintptr_t value;

        switch (ELF64_R_TYPE(rela->r_info)) {
        case R_X86_64_NONE:
            break;
        case R_X86_64_RELATIVE:
            *place = t->bias + (uintptr_t)rela->r_addend;
            break;
        case R_X86_64_64:
        case R_X86_64_GLOB_DAT:
        case R_X86_64_JUMP_SLOT:
            if (!resolve(t, symbol, &value))
                return t->strings + symbol->st_name;
            *place = value + (uintptr_t)rela->r_addend;
            break;
        default:
            __builtin_trap(); /* zcc links nothing that would need another kind */
        }
    }
    return NULL;
}

const char *relocate_self(const void *vdso_image)
{
    struct tables t = {.bias = own_bias()};
    const Elf64_Rela *rela = NULL, *plt = NULL;
    size_t rela_size = 0, plt_size = 0;

    vdso_open(&t.vdso, vdso_image);
    for (const Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
        uintptr_t address = t.bias + d->d_un.d_ptr;
        if (d->d_tag == DT_SYMTAB)
            t.symbols = (const Elf64_Sym *)address;
        else if (d->d_tag == DT_STRTAB)
            t.strings = (const char *)address;
        else if (d->d_tag == DT_RELA)
            rela = (const Elf64_Rela *)address;
        else if (d->d_tag == DT_RELASZ)
            rela_size = d->d_un.d_val;
        else if (d->d_tag == DT_JMPREL)
            plt = (const Elf64_Rela *)address;
        else if (d->d_tag == DT_PLTRELSZ)
            plt_size = d->d_un.d_val;
    }
    const char *missing = apply(&t, plt, plt_size);
    const char *missing_too = apply(&t, rela, rela_size);
    return missing ? missing : missing_too;
}
