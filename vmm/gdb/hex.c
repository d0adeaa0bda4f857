/* hex.c - numbers and bytes as gdb's packets write them. */
#include "gdb/hex.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *hex_write(char *to, const void *data, size_t length)
{
    const uint8_t *from = data;
    for (size_t i = 0; i < length; i++) {
        *to++ = "0123456789abcdef"[from[i] >> 4];
        *to++ = "0123456789abcdef"[from[i] & 15];
    }
    *to = '\0';
    return to;
}

bool hex_read(const char *from, void *data, size_t length)
{
    uint8_t *to = data;
    for (size_t i = 0; i < length; i++) {
        int high = digit(from[2 * i]);
        int low = high < 0 ? -1 : digit(from[2 * i + 1]);
        if (low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool hex_number(const char **at, uint64_t *value)
{
    const char *start = *at;
    *value = 0;
    for (int next = digit(**at); next >= 0; next = digit(*++*at))
        *value = *value << 4 | (unsigned)next;
    return *at != start;
}

bool hex_skip(const char **at, char mark)
{
    if (**at != mark)
        return false;
    ++*at;
    return true;
}
