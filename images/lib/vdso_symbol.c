/*
 * Finding functions in the vDSO by name, through its DT_GNU_HASH table. This runs before the
 * program's own relocations are applied: no static data with pointers in it, no library calls.
 */
#include "vdso_symbol.h"

#include <stdbool.h>
#include <stddef.h>

void vdso_open(struct vdso *vdso, const void *image)
{
    const Elf64_Ehdr *header = image;
    uintptr_t base = (uintptr_t)image;
    const Elf64_Phdr *segment = (const Elf64_Phdr *)(base + header->e_phoff);

    *vdso = (struct vdso){.base = base};
    while (segment->p_type != PT_DYNAMIC)
        segment++;
    for (const Elf64_Dyn *d = (const Elf64_Dyn *)(base + segment->p_vaddr); d->d_tag; d++) {
        if (d->d_tag == DT_SYMTAB)
            vdso->symbols = (const Elf64_Sym *)(base + d->d_un.d_ptr);
        else if (d->d_tag == DT_STRTAB)
            vdso->strings = (const char *)(base + d->d_un.d_ptr);
        else if (d->d_tag == DT_GNU_HASH)
            vdso->gnu_hash = (const uint32_t *)(base + d->d_un.d_ptr);
    }
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/*
 * The table: number of buckets, index of the first hashed symbol, number of 64-bit bloom words,
 * bloom shift; the bloom words; per bucket the index of its first symbol; per hashed symbol its
 * hash, with bit 0 set in the last one of a bucket.
 */
uintptr_t vdso_symbol(const struct vdso *vdso, const char *name)
{
    const uint32_t *table = vdso->gnu_hash;
    const uint32_t *buckets = table + 4 + 2 * table[2];
    const uint32_t *hashes = buckets + table[0] - table[1];
    uint32_t hash = 5381;

    for (const char *c = name; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    uint32_t i = buckets[hash % table[0]];
    if (i == 0)
        return 0;
    do {
        const Elf64_Sym *symbol = &vdso->symbols[i];
        if ((hashes[i] | 1) == (hash | 1) && same(name, vdso->strings + symbol->st_name))
            return vdso->base + symbol->st_value;
    } while ((hashes[i++] & 1) == 0);
    return 0;
}
