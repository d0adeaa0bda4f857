/* session.c - zvmm(1)'s run of a machine, from the first KVM_RUN to the exit status. */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "depart.h"
#include "error.h"

static void report_end(const struct zvmm_result *result)
{
    if (result->end == ZVMM_END_SIGNAL)
        fprintf(stderr, "zvmm: ended by signal %d (%s)\n", (int)result->code,
                strsignal((int)result->code));
    else if (result->end == ZVMM_END_QUIT)
        fputs("zvmm: ended by Ctrl-A x\n", stderr);
}

int session_run(struct zvmm *vm, bool stats)
{
    struct zvmm_error error;
    struct zvmm_result result;
    int failed = zvmm_run(vm, &result, &error);
    if (stats)
        zvmm_print_stats(vm);
    if (failed != 0)
        error_fatal(&error);
    report_end(&result);
    /* Only an in-kernel irqchip makes taking the VM apart slow. */
    if (!zvmm_has_irqchip(vm))
        return zvmm_exit_status(&result);
    depart(zvmm_exit_status(&result));
}
