/* command.c - zvmm inspect FILE COMMAND: the command line's side. */
#include <stdio.h>
#include <string.h>

#include "inspect/inspect.h"
#include "snapshot/file.h"

static int print_usage(FILE *out)
{
    fputs("usage: zvmm inspect [--guest FILE] [--symbols DIR] [--force] SNAPSHOT [COMMAND ...]\n"
          "Shows what the guest kernel in a snapshot was doing. COMMAND is one of\n",
          out);
    inspect_print_commands(out);
    fputs("--json prints for programs; --dot draws jobs, threads or object KOID for Graphviz.\n"
          "--guest FILE    the guest kernel, if it is no more where the snapshot says\n"
          "--symbols DIR   unstripped programs, found by build id, for bt\n"
          "--force         use a guest kernel of another build all the same\n",
          out);
    return out == stdout ? 0 : ZVMM_EXIT_HOST;
}

struct arguments {
    const char *guest, *programs, *snapshot;
    bool force;
    int used; /* words of argv before the command */
};

/* Options stand before the snapshot's name. -1 and an error line. */
static int parse(struct arguments *arguments, int argc, char *argv[], struct zvmm_error *error)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char **value = strcmp(argv[i], "--guest") == 0     ? &arguments->guest
                             : strcmp(argv[i], "--symbols") == 0 ? &arguments->programs
                                                                 : NULL;
        if (value == NULL && strcmp(argv[i], "--force") != 0)
            return error_set(error, "inspect: unknown option '%s': see zvmm inspect --help",
                             argv[i]);
        if (value == NULL)
            arguments->force = true;
        else if (++i < argc)
            *value = argv[i];
        else
            return error_set(error, "inspect: %s needs a value", argv[i - 1]);
    }
    if (i >= argc)
        return error_set(error, "inspect: no snapshot named: see zvmm inspect --help");
    arguments->snapshot = argv[i];
    arguments->used = i + 1;
    return 0;
}

static int fail(const struct zvmm_error *error)
{
    fprintf(stderr, "zvmm: %s\n", error->text);
    return ZVMM_EXIT_HOST;
}

int inspect_command(int argc, char *argv[])
{
    struct arguments arguments = {.guest = NULL};
    struct snapshot_file *file;
    struct inspector *inspector;
    struct target target;
    struct zvmm_error error;
    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return print_usage(stdout);
    if (parse(&arguments, argc, argv, &error) != 0 ||
        snapshot_open(&file, arguments.snapshot, &error) != 0)
        return fail(&error);
    int status = ZVMM_EXIT_HOST;
    if (snapshot_target(file, &target, &error) != 0 ||
        inspector_open(&target, arguments.guest, arguments.force, &inspector, &error) != 0) {
        fail(&error);
    } else {
        inspector_set_programs(inspector, arguments.programs);
        status = inspect_run(inspector, argc - arguments.used, argv + arguments.used, stdout);
        inspector_close(inspector);
    }
    snapshot_close(file);
    return status;
}
