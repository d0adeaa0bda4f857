/*
 * main.c - zvmm(1). The life of a virtual machine in one page:
 *
 *   1. options      what to build                                    options.c
 *   2. create       load the guest, make the VM, bring it to entry   vm.c
 *                   give up what running does not take, if asked to  sandbox.c
 *   3. run          the exit loop, until the machine ends            session.c, run.c
 *   4. report       counters, if asked for                           stats.c
 *   5. exit status  what the guest asked for
 *
 * Nothing is torn down: the kernel does that faster when the process ends.
 */
#include <stdio.h>

#include "command.h"
#include "cpumodel.h"
#include "options.h"
#include "sandbox.h"
#include "session.h"
#include "snapshot/warm.h"

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

int main(int argc, char *argv[])
{
    static struct options options;
    struct zvmm_error error;
    struct zvmm *vm;

    const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
    if (command != NULL)
        return command->run(argc - 1, argv + 1);
    if (options_parse(&options, argc, argv, &error) != 0)
        error_fatal(&error);
    if (options.action == OPTIONS_HELP)
        return print_help();
    if (options.action == OPTIONS_CPU_MODELS)
        return cpu_models_print();
    if (options.action == OPTIONS_VERSION)
        return print_and_check("zvmm " ZVMM_VERSION "\n");

    if ((options.warm ? warm_start(&options, &vm, &error)
                      : zvmm_create(&options.config, &vm, &error)) != 0 ||
        (options.sandbox && sandbox_enter(vm, &error) != 0))
        error_fatal(&error);
    return session_run(vm, options.stats);
}
