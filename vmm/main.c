/*
 * main.c - zvmm(1). The life of a virtual machine in one page:
 *
 *   1. options      what to build                                    options.c
 *   2. create       load the guest, make the VM, bring it to entry   vm.c
 *   3. run          the exit loop, until the machine ends            run.c
 *   4. report       counters, if asked for                           stats.c
 *   5. exit status  what the guest asked for
 *
 * Nothing is torn down: the kernel does that faster when the process ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "depart.h"
#include "options.h"

static int print_and_check(const char *text)
{
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? ZVMM_EXIT_HOST : 0;
}

static int print_help(void)
{
    fputs(options_help, stdout);
    for (const struct command *row = command_table; row->name != NULL; row++)
        printf("%s  zvmm %-10s %s\n", row == command_table ? "\nCommands:\n" : "", row->name,
               row->summary);
    return print_and_check("");
}

static void report_end(const struct zvmm_result *result)
{
    if (result->end == ZVMM_END_SIGNAL)
        fprintf(stderr, "zvmm: ended by signal %d (%s)\n", (int)result->code,
                strsignal((int)result->code));
    else if (result->end == ZVMM_END_QUIT)
        fputs("zvmm: ended by Ctrl-A x\n", stderr);
}

int main(int argc, char *argv[])
{
    static struct options options;
    struct zvmm_error error;
    struct zvmm_result result;
    struct zvmm *vm;

    const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
    if (command != NULL)
        return command->run(argc - 1, argv + 1);
    if (options_parse(&options, argc, argv, &error) != 0)
        error_fatal(&error);
    if (options.action == OPTIONS_HELP)
        return print_help();
    if (options.action == OPTIONS_VERSION)
        return print_and_check("zvmm " ZVMM_VERSION "\n");

    if (zvmm_create(&options.config, &vm, &error) != 0)
        error_fatal(&error);
    int failed = zvmm_run(vm, &result, &error);
    if (options.stats)
        zvmm_print_stats(vm);
    if (failed != 0)
        error_fatal(&error);
    report_end(&result);
    /* Only an in-kernel irqchip makes taking the VM apart slow. */
    if (!zvmm_has_irqchip(vm))
        return zvmm_exit_status(&result);
    depart(zvmm_exit_status(&result));
}
