/*
 * random.c - ChaCha20 (RFC 8439) in counter mode.
 */
#include "random.h"

#include "string.h"

#define BLOCK_BYTES (RANDOM_BLOCK_WORDS * 4)

void random_seed(struct random *random, const uint8_t seed[RANDOM_SEED_BYTES])
{
    memset(random, 0, sizeof *random);
    memcpy(random->key, seed, sizeof random->key);
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

static void next_block(struct random *random)
{
    uint32_t start[RANDOM_BLOCK_WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t x[RANDOM_BLOCK_WORDS];

    memcpy(start + 4, random->key, sizeof random->key);
    start[12] = (uint32_t)random->counter;
    start[13] = (uint32_t)(random->counter >> 32);
    random->counter++;
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
    for (unsigned i = 0; i < RANDOM_BLOCK_WORDS; i++)
        random->block[i] = x[i] + start[i];
    random->left = BLOCK_BYTES;
}

void random_bytes(struct random *random, void *buffer, size_t length)
{
    uint8_t *to = buffer, *from;
    size_t part;

    for (; length > 0; to += part, length -= part) {
        if (random->left == 0)
            next_block(random);
        part = length < random->left ? length : random->left;
        from = (uint8_t *)random->block + BLOCK_BYTES - random->left;
        memcpy(to, from, part);
        memset(from, 0, part);
        random->left -= part;
    }
}
