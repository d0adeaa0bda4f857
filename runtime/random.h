/*
 * random.h - a generator of random bytes, as good as its seed. Plain integer code: the same seed
 * gives the same bytes on every host. Bytes handed out are erased in it.
 */
#ifndef ZVMM_RUNTIME_RANDOM_H
#define ZVMM_RUNTIME_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RANDOM_SEED_BYTES  32
#define RANDOM_BLOCK_WORDS 16

struct random {
    uint32_t key[RANDOM_SEED_BYTES / 4];
    uint64_t counter;
    uint32_t block[RANDOM_BLOCK_WORDS];
    size_t left; /* unused bytes, at the end of `block` */
};

void random_seed(struct random *random, const uint8_t seed[RANDOM_SEED_BYTES]);

void random_bytes(struct random *random, void *buffer, size_t length);

#endif
