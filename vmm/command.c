/* command.c - the table of subcommands, one row each, in the order of zvmm(1). */
#include "command.h"

#include <stddef.h>
#include <string.h>

#include "gdb/core.h"
#include "inspect/inspect.h"
#include "replay/log-command.h"

const struct command command_table[] = {
    {"inspect", "show what the guest kernel in a snapshot was doing", inspect_command},
    {"diff", "show what happened between two snapshots", diff_command},
    {"bench", "measure a kernel; each sample vouched for by the VMM", bench_command},
    {"ctl", "ask a running machine: snapshot, status, quit", ctl_command},
    {"core", "write a core file of a snapshot, for gdb", core_command},
    {"restore", "go on from a snapshot", restore_command},
    {"snap", "look at snapshot files: info, verify, flatten, pack, unpack", snap_command},
    {"test", "run each test of a program from one kept state; TAP", test_command},
    {"log", "print the record of a deterministic run", log_command},
    {"replay", "run again what a record says, up to an event, and compare", replay_command},
    {NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *row = command_table; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}
