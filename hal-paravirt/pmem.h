/* pmem.h - copying and clearing kernel memory the fastest way this processor has. */
#ifndef HAL_PARAVIRT_PMEM_H
#define HAL_PARAVIRT_PMEM_H

#include <stddef.h>
#include <stdint.h>

/* Both ranges are kernel memory, each physically consecutive; no overlap. More than 32 bytes. */
void pmem_move_long(void *to, const void *from, size_t length);

void pmem_clear(void *at, size_t length);

/* The first and the last word of the type cover everything between one and two words. */
#define PMEM_MOVE_ENDS(type)                                                                       \
    do {                                                                                           \
        type first, last;                                                                          \
        __builtin_memcpy(&first, source, sizeof first);                                            \
        __builtin_memcpy(&last, source + length - sizeof last, sizeof last);                       \
        __builtin_memcpy(target, &first, sizeof first);                                            \
        __builtin_memcpy(target + length - sizeof last, &last, sizeof last);                       \
    } while (0)

/* The same for any length; short ones, which most are, without a call or a string instruction. */
static inline void pmem_move(void *to, const void *from, size_t length)
{
    char *target = to;
    const char *source = from;

    if (length > 32)
        pmem_move_long(to, from, length);
    else if (length >= 16)
        PMEM_MOVE_ENDS(unsigned __int128);
    else if (length >= 8)
        PMEM_MOVE_ENDS(uint64_t);
    else if (length >= 4)
        PMEM_MOVE_ENDS(uint32_t);
    else if (length >= 2)
        PMEM_MOVE_ENDS(uint16_t);
    else if (length == 1)
        *target = *source;
}

#endif
