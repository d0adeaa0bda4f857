/* main.c - zlibos: the kernel as an ordinary process. machine.c does the work. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "options.h"

static int print(const char *text)
{
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_HOST : 0;
}

int main(int argc, char *argv[])
{
    static struct options options;

    options_parse(&options, argc, argv);
    if (options.action == OPTIONS_HELP)
        return print(options_help);
    if (options.action == OPTIONS_VERSION)
        return print("zlibos " ZLIBOS_VERSION "\n");
    if (!options.has_seed && getrandom(options.config.seed, sizeof options.config.seed, 0) !=
                                 sizeof options.config.seed)
        machine_fail("no random numbers: %s; use --seed", strerror(errno));
    machine_start(&options.config);
}
