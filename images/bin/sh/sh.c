/*
 * sh: a small shell. A line is a program of the boot file system with its arguments, or a builtin.
 * Words are separated by spaces; quotes and backslash work as in other shells.
 */
#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/zircon.h>
#include <zircon/process.h>
#include <zvmm/launch.h>

#define WORDS_MAX 64

#define STATUS_USAGE      2
#define STATUS_CANNOT_RUN 126
#define STATUS_NOT_FOUND  127

struct builtin {
    const char *name;
    const char *help;
    int64_t (*run)(int argc, char **argv); /* argv ends with NULL */
};

static int64_t run_builtin_echo(int argc, char **argv);
static int64_t run_builtin_exit(int argc, char **argv);
static int64_t run_builtin_help(int argc, char **argv);
static int64_t run_builtin_run(int argc, char **argv);

static const struct builtin builtins[] = {
    {"echo", "echo WORD...          prints the words", run_builtin_echo},
    {"exit", "exit [N]              ends the shell with status N, or that of the last command",
     run_builtin_exit},
    {"help", "help                  prints this", run_builtin_help},
    {"run", "run PROGRAM ARG...    runs a program, even one named like a builtin", run_builtin_run},
};

static int64_t last_status;

static const char *meaning_of(int64_t return_code)
{
    switch (return_code) {
    case ZX_TASK_RETCODE_SYSCALL_KILL:
        return ": killed";
    case ZX_TASK_RETCODE_OOM_KILL:
        return ": killed, out of memory";
    case ZX_TASK_RETCODE_POLICY_KILL:
        return ": killed by job policy";
    case ZX_TASK_RETCODE_VDSO_KILL:
        return ": killed for misuse of a system call";
    case ZX_TASK_RETCODE_EXCEPTION_KILL:
        return ": killed by an exception";
    case ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL:
        return ": killed with its job";
    }
    return "";
}

static int64_t run_program(char **argv)
{
    const struct launch_args args = {.program = argv[0], .argv = (const char *const *)argv};
    zx_handle_t process;
    int64_t return_code;

    fflush(stdout);
    zx_status_t status = zx_launch(&args, &process);
    if (status == ZX_ERR_NOT_FOUND) {
        printf("sh: %s: not found\n", argv[0]);
        return STATUS_NOT_FOUND;
    }
    if (status == ZX_OK) {
        status = zx_launch_wait(process, &return_code);
        zx_handle_close(process);
    }
    if (status != ZX_OK) {
        printf("sh: %s: %s\n", argv[0],
               status == ZX_ERR_NOT_SUPPORTED ? "not a program" : zx_status_get_string(status));
        return STATUS_CANNOT_RUN;
    }
    if (return_code != 0)
        printf("[exit status %ld%s]\n", return_code, meaning_of(return_code));
    return return_code;
}

static int64_t run_builtin_echo(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("%s%s", i > 1 ? " " : "", argv[i]);
    putchar('\n');
    return 0;
}

static int64_t run_builtin_exit(int argc, char **argv)
{
    char *end;
    int64_t status = argc > 1 ? strtol(argv[1], &end, 0) : last_status;

    if (argc > 2 || (argc > 1 && (*argv[1] == '\0' || *end != '\0'))) {
        printf("usage: exit [N]\n");
        return STATUS_USAGE;
    }
    fflush(stdout);
    zx_process_exit(status);
}

static int64_t run_builtin_help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        printf("  %s\n", builtins[i].help);
    printf("  PROGRAM ARG...        runs a program of the boot file system; ls lists them\n");
    return 0;
}

static int64_t run_builtin_run(int argc, char **argv)
{
    if (argc < 2) {
        printf("usage: run PROGRAM ARG...\n");
        return STATUS_USAGE;
    }
    return run_program(argv + 1);
}

/* Takes one word off *from, in place. NULL at the end of the line; *from is NULL if a quote is
 * open. */
static char *next_word(char **from)
{
    char *in = *from + strspn(*from, " \t"), *out = in, *word = in;
    char quote = '\0';

    if (*in == '\0')
        return NULL;
    for (; *in && (quote || !strchr(" \t", *in)); in++) {
        if (*in == quote)
            quote = '\0';
        else if (!quote && (*in == '"' || *in == '\''))
            quote = *in;
        else if (*in == '\\' && quote != '\'' && in[1])
            *out++ = *++in;
        else
            *out++ = *in;
    }
    *from = quote ? NULL : *in ? in + 1 : in;
    *out = '\0';
    return word;
}

/* Returns the number of words, -1 after printing what is wrong. */
static int split(char *line, char **words)
{
    int count = 0;

    while ((words[count] = next_word(&line)) && line) {
        if (++count == WORDS_MAX) {
            printf("sh: more than %d words\n", WORDS_MAX - 1);
            return -1;
        }
    }
    if (!line) {
        printf("sh: a quote is not closed\n");
        return -1;
    }
    return count;
}

static int64_t run_line(char *line)
{
    char *words[WORDS_MAX + 1];
    int count = split(line, words);

    if (count < 0)
        return STATUS_USAGE;
    if (count == 0)
        return last_status;
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++) {
        if (strcmp(words[0], builtins[i].name) == 0)
            return builtins[i].run(count, words);
    }
    return run_program(words);
}

int main(void)
{
    static char line[LINE_MAX_SIZE];

    while (line_read("$ ", line))
        last_status = run_line(line);
    fflush(stdout);
    zx_process_exit(last_status);
}
