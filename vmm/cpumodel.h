/* cpumodel.h - the processors that a guest can be shown (--cpu-model). */
#ifndef ZVMM_CPUMODEL_H
#define ZVMM_CPUMODEL_H

#include <stdbool.h>

struct cpu_model {
    const char *name;
    const char *summary;
    bool baseline; /* fixed CPUID leaves, the same on every host: cpuid_set_basic() */
};

/* Ends with a row whose name is NULL. */
extern const struct cpu_model cpu_models[];

/* The model of that name, or NULL. */
const struct cpu_model *cpu_model_find(const char *name);

/* Print them on stdout, one a line; the exit status. */
int cpu_models_print(void);

#endif
