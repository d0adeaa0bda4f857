/*
 * replay-command.c - zvmm replay FILE [--to N [-o SNAPSHOT]] [OPTIONS]: run again what a log
 * records.
 *
 * The log has the command line, so this is zvmm again with that and two options of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log-command.h"
#include "options.h"
#include "runlog.h"

static const char usage[] = "zvmm: usage: zvmm replay FILE [--to N [-o SNAPSHOT]] [OPTIONS], FILE "
                            "from zvmm --log\n";

/* Take --to and its value out of the words; NULL if it is not there. *bad: it has no value. */
static const char *take_to(int *argc, char *argv[], bool *bad)
{
    const char *value = NULL;
    int kept = 0;
    *bad = false;
    for (int i = 0; i < *argc; i++) {
        if (strncmp(argv[i], "--to=", 5) == 0) {
            value = argv[i] + 5;
        } else if (strcmp(argv[i], "--to") == 0) {
            *bad = i + 1 == *argc;
            value = *bad ? NULL : argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return value;
}

static bool is_option(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && (word[length] == '\0' || word[length] == '=');
}

/* Snapshots of a replay are those that --to and -o ask for. */
static const char *bad_option(const char *to, int count, char *options[])
{
    for (int i = 0; i < count; i += (int)options_words(options[i])) {
        if (is_option(options[i], "--snapshot-at"))
            return "replay: --snapshot-at belongs to the recorded run; use --to N -o FILE";
        if (to == NULL && is_option(options[i], "-o"))
            return "replay: -o takes a snapshot where --to stops; give both";
    }
    return NULL;
}

/* The recorded run's files of its own are not written again. */
static void add_recorded(char **words, const struct runlog_reader *log)
{
    char *word = log->arguments;
    bool options = true, drop = false;
    unsigned rest = 0; /* of an option's words */
    for (uint32_t i = 0; i < log->header.argument_count; i++, word += strlen(word) + 1) {
        if (rest == 0) {
            options = options && strcmp(word, "--") != 0;
            rest = options ? options_words(word) : 1;
            drop = options && (is_option(word, "-o") || is_option(word, "--parent"));
        }
        rest--;
        if (!drop)
            *words++ = word;
    }
}

/* zvmm --replay FILE [--replay-to N] OPTIONS, and the log's words. */
static char **command_line(const char *file, const char *to, int count, char *options[],
                           const struct runlog_reader *log)
{
    char **words = calloc((size_t)count + log->header.argument_count + 6, sizeof(words[0]));
    size_t n = 0;
    if (words == NULL)
        return NULL;
    words[n++] = "zvmm";
    words[n++] = "--replay";
    words[n++] = (char *)file;
    if (to != NULL) {
        words[n++] = "--replay-to";
        words[n++] = (char *)to;
    }
    for (int i = 0; i < count; i++)
        words[n++] = options[i];
    add_recorded(words + n, log);
    return words;
}

int replay_command(int argc, char *argv[])
{
    struct zvmm_error error;
    struct runlog_reader log;
    bool bad;
    int words = argc - 2;
    const char *to = argc >= 2 ? take_to(&words, argv + 2, &bad) : NULL;
    if (argc < 2 || bad) {
        fputs(usage, stderr);
        return ZVMM_EXIT_HOST;
    }
    const char *why = bad_option(to, words, argv + 2);
    if (why != NULL) {
        error_set(&error, "%s", why);
        error_fatal(&error);
    }
    if (runlog_open(&log, argv[1], &error) != 0)
        error_fatal(&error);
    char **line = command_line(argv[1], to, words, argv + 2, &log);
    if (line != NULL)
        execv("/proc/self/exe", line);
    error_set(&error, "replay: cannot start zvmm again: %s; mount /proc",
              line != NULL ? strerror(errno) : "out of memory");
    error_fatal(&error);
}
