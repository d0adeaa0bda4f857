/*
 * elf_note.c - notes of ELF files.
 */
#include "elf_note.h"

#include <elf.h>
#include <stddef.h>

#include "string.h"

const void *elf_note_find(const uint8_t *notes, uint64_t size, const char *owner, uint32_t type,
                          uint32_t *length)
{
    size_t owner_size = strlen(owner) + 1;
    uint64_t at = 0;

    while (size - at >= sizeof(Elf64_Nhdr)) {
        const Elf64_Nhdr *note = (const void *)(notes + at);
        uint64_t name = at + sizeof *note;
        uint64_t desc = name + ((note->n_namesz + 3ull) & ~3ull);
        uint64_t end = desc + ((note->n_descsz + 3ull) & ~3ull);

        if (end > size)
            return NULL;
        if (note->n_type == type && note->n_namesz == owner_size &&
            memcmp(notes + name, owner, owner_size) == 0) {
            *length = note->n_descsz;
            return notes + desc;
        }
        at = end;
    }
    return NULL;
}
