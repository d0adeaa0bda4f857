/*
 * command.h - zvmm's subcommands: zvmm NAME ARGUMENTS.
 *
 * The first word of the command line is looked up here; a guest kernel whose file has such a name
 * is written ./NAME. Each command's own file documents its arguments in its usage text.
 */
#ifndef ZVMM_COMMAND_H
#define ZVMM_COMMAND_H

struct command {
    const char *name;
    const char *summary; /* one line of zvmm --help */
    /* argv[0] is the name; the result is the exit status. Prints its own errors. */
    int (*run)(int argc, char *argv[]);
};

/* One function a command, in the file of its own name. */
int bench_command(int argc, char *argv[]);
int ctl_command(int argc, char *argv[]);
int restore_command(int argc, char *argv[]);
int snap_command(int argc, char *argv[]);
int test_command(int argc, char *argv[]);

/* Ends with a row whose name is NULL. */
extern const struct command command_table[];

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);

#endif
