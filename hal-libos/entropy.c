/*
 * entropy.c - random numbers: all from the boot's seed.
 */
#include "entropy.h"

#include <hal.h>

#include "machine.h"
#include "random.h"

static struct random generator;

void entropy_init(void)
{
    random_seed(&generator, machine.config->seed);
}

void hal_entropy(void *buffer, size_t length)
{
    random_bytes(&generator, buffer, length);
}
