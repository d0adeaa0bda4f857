/* random.h - random numbers that need not be secret: splitmix64. */
#ifndef ZVMM_BENCH_RANDOM_H
#define ZVMM_BENCH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Any seed will do for *state. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Below `limit`, which fits 32 bits. */
static inline size_t random_below(uint64_t *state, size_t limit)
{
    return (size_t)(((random_next(state) >> 32) * limit) >> 32);
}

#endif
