/* cpumodel.c - the processors that a guest can be shown. */
#include "cpumodel.h"

#include <stdio.h>
#include <string.h>

#include "zvmm.h"

const struct cpu_model cpu_models[] = {
    {"host", "what this host's KVM supports; the default", false},
    {"baseline", "x86-64 with SSE2 only, on every host the same; --deterministic implies it", true},
    {NULL, NULL, false},
};

const struct cpu_model *cpu_model_find(const char *name)
{
    for (const struct cpu_model *model = cpu_models; model->name != NULL; model++)
        if (strcmp(model->name, name) == 0)
            return model;
    return NULL;
}

int cpu_models_print(void)
{
    for (const struct cpu_model *model = cpu_models; model->name != NULL; model++)
        printf("%-10s %s\n", model->name, model->summary);
    return fflush(stdout) != 0 ? ZVMM_EXIT_HOST : 0;
}
