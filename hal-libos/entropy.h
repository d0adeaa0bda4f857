/* entropy.h - seeding the generator behind hal_entropy. */
#ifndef HAL_LIBOS_ENTROPY_H
#define HAL_LIBOS_ENTROPY_H

void entropy_init(void);

#endif
