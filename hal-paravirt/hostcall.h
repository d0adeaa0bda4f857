/* hostcall.h - making a hypercall of shared/hypercall.h. */
#ifndef HAL_PARAVIRT_HOSTCALL_H
#define HAL_PARAVIRT_HOSTCALL_H

#include <hypercall.h>

/*
 * Makes call `number` with the arguments that the caller has put into cpu_this()->call.u, and
 * returns its result; OUT fields are there too. The structure is free again afterwards.
 */
int64_t hostcall(enum zv_call_number number);

/* ZV_CALL_MEMORY; the ranges are known to be inside RAM. */
void hostcall_memory(enum zv_memory_op op, uint64_t dst, uint64_t src, uint64_t length);

#endif
