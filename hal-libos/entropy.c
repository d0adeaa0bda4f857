/*
 * entropy.c - ChaCha20 (RFC 8439) in counter mode, keyed with the boot's seed. Plain integer code,
 * so that the same seed gives the same bytes on every host. Bytes handed out are erased here.
 */
#include "entropy.h"

#include <string.h>

#include "machine.h"

#define BLOCK_WORDS 16
#define BLOCK_BYTES (BLOCK_WORDS * 4)

static struct {
    uint32_t key[8];
    uint64_t counter;
    uint32_t block[BLOCK_WORDS];
    size_t left; /* unused bytes, at the end of `block` */
} generator;

void entropy_init(void)
{
    memcpy(generator.key, machine.config->seed, sizeof generator.key);
}

static inline uint32_t rotate(uint32_t value, unsigned count)
{
    return value << count | value >> (32 - count);
}

#define QUARTER_ROUND(a, b, c, d)                                                                  \
    do {                                                                                           \
        x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 16);                                              \
        x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 12);                                              \
        x[a] += x[b], x[d] = rotate(x[d] ^ x[a], 8);                                               \
        x[c] += x[d], x[b] = rotate(x[b] ^ x[c], 7);                                               \
    } while (0)

static void next_block(void)
{
    uint32_t start[BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t x[BLOCK_WORDS];

    memcpy(start + 4, generator.key, sizeof generator.key);
    start[12] = (uint32_t)generator.counter;
    start[13] = (uint32_t)(generator.counter >> 32);
    generator.counter++;
    memcpy(x, start, sizeof x);
    for (unsigned round = 0; round < 20; round += 2) {
        QUARTER_ROUND(0, 4, 8, 12);
        QUARTER_ROUND(1, 5, 9, 13);
        QUARTER_ROUND(2, 6, 10, 14);
        QUARTER_ROUND(3, 7, 11, 15);
        QUARTER_ROUND(0, 5, 10, 15);
        QUARTER_ROUND(1, 6, 11, 12);
        QUARTER_ROUND(2, 7, 8, 13);
        QUARTER_ROUND(3, 4, 9, 14);
    }
    for (unsigned i = 0; i < BLOCK_WORDS; i++)
        generator.block[i] = x[i] + start[i];
    generator.left = BLOCK_BYTES;
}

void hal_entropy(void *buffer, size_t length)
{
    uint8_t *to = buffer, *from;
    size_t part;

    for (; length > 0; to += part, length -= part) {
        if (generator.left == 0)
            next_block();
        part = length < generator.left ? length : generator.left;
        from = (uint8_t *)generator.block + BLOCK_BYTES - generator.left;
        memcpy(to, from, part);
        memset(from, 0, part);
        generator.left -= part;
    }
}
