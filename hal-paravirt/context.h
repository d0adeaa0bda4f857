/* context.h - what gate.S asks of context.c before user code runs. */
#ifndef HAL_PARAVIRT_CONTEXT_H
#define HAL_PARAVIRT_CONTEXT_H

#include <hal.h>

/* Chooses between fxsave and the xsave family. */
void context_init(void);

/*
 * Makes the processor hold the FPU state and segment bases of `context` and does the work that
 * cpu.work names. 0, or -1 if a base is not canonical: then nothing has changed.
 */
int context_prepare(struct hal_context *context);

#endif
