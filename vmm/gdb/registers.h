/* registers.h - the vCPU's registers as gdb numbers them, and the description that says so. */
#ifndef ZVMM_GDB_REGISTERS_H
#define ZVMM_GDB_REGISTERS_H

#include "gdb/cpu.h"

enum { REGISTER_BYTES_MAX = 16, REGISTER_RIP = 16 };

/* Number of registers of this machine: those of AVX come last. */
unsigned registers_count(bool avx);

unsigned registers_bytes(unsigned number);

/* Write the register's bytes, in the guest's order, to `to` (REGISTER_BYTES_MAX). */
void registers_read(struct cpu_state *cpu, unsigned number, void *to);

/* False if the register cannot be written: the selectors, whose descriptors gdb does not know. */
bool registers_write(struct cpu_state *cpu, unsigned number, const void *from);

/* The target description (XML), from malloc(); NULL without memory. */
char *registers_describe(bool avx);

#endif
