/* context.h - what gate.S asks of context.c before user code runs. */
#ifndef HAL_PARAVIRT_CONTEXT_H
#define HAL_PARAVIRT_CONTEXT_H

#include <hal.h>

/* Chooses between fxsave and the xsave family. */
void context_init(void);

/*
 * Makes the processor hold the FPU state and segment bases of `context` and does the work that
 * cpu.work names. 0, or the vector of a trap that comes instead of user code: VECTOR_GENERAL_PROTECTION if a base
 * is not canonical (then nothing has changed), ZV_VECTOR_TIMER if a deadline has come already.
 */
int context_prepare(struct hal_context *context);

#endif
