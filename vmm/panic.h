/* panic.h - the report on stderr when the guest kernel has failed. */
#ifndef ZVMM_PANIC_H
#define ZVMM_PANIC_H

#include "hypercall.h"

struct zvmm;

/* The guest called ZV_CALL_PANIC. */
void panic_report_call(struct zvmm *vm, const struct zv_call *call);

/* The vCPU cannot go on: a title, then registers, code bytes and backtrace. */
void panic_report(struct zvmm *vm, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
