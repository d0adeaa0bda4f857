/* elf_note.h - notes of ELF files (gABI, "Note Section"). */
#ifndef ZVMM_RUNTIME_ELF_NOTE_H
#define ZVMM_RUNTIME_ELF_NOTE_H

#include <stdint.h>

/*
 * The descriptor of the first note of `type` and `owner` among `size` bytes of notes, all of which
 * lies in them, and its length in bytes; NULL: there is none, or what comes before it is damaged.
 */
const void *elf_note_find(const uint8_t *notes, uint64_t size, const char *owner, uint32_t type,
                          uint32_t *length);

#endif
