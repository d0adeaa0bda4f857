/* modify.h - which instructions read memory and then write it. */
#ifndef HAL_PARAVIRT_MODIFY_H
#define HAL_PARAVIRT_MODIFY_H

#include <stdbool.h>
#include <stdint.h>

#define MODIFY_BYTES 15u /* the longest instruction */

/*
 * Whether the 64-bit instruction in code[0..MODIFY_BYTES) reads and writes one and the same memory
 * operand. Bytes that could not be read are 0.
 */
bool modifies_memory(const uint8_t *code);

#endif
