/* command.c - the table of subcommands, one row each, in the order of zvmm(1). */
#include "command.h"

#include <stddef.h>
#include <string.h>

const struct command command_table[] = {
    {NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *row = command_table; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}
