/* arguments.c - the command line of zvmm bench. */
#include "bench/arguments.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char arguments_usage[] =
    "usage: zvmm bench [options] [GUEST.elf]\n"
    "\n"
    "Measures the kernel GUEST.elf (default guest.elf) by the benchmark program zbench.\n"
    "\n"
    "  --filter RE         only rows whose names match the regular expression\n"
    "  --list              print the rows' names and do nothing else\n"
    "  --runs N            how often to measure everything (default 5)\n"
    "  --samples N         samples of a row in a run (default 100)\n"
    "  --time SECONDS      how long all may take, about (default 600; 60 for a look; 0: no end):\n"
    "                      rows get less time, and runs that do not fit are left out\n"
    "  --settle PERCENT    measure rows again, while there is time, whose median is not known to\n"
    "                      PERCENT either way (default 0.5; 0: none is for that)\n"
    "  --limit-ms N        how long a row may take in a run (default 400)\n"
    "  --prepare-ms N      how long it may prepare before (default 1000; 0: no end); if that is "
    "too\n"
    "                      short, the row is left out\n"
    "  --cpu N             the processor to measure on (default: the first idle one)\n"
    "  --guest             measure the guest kernel; the default unless --libos or --linux is "
    "given\n"
    "  --libos[=FILE]      measure the kernel as a Linux process (default ./zlibos)\n"
    "  --linux[=FILE]      measure Linux' analogues (default obj/bench/linux-bench)\n"
    "  --bootfs DIR        folder with zbench (default obj/bench/bootfs)\n"
    "  --memory SIZE       memory of guest and LibOS (default 256M)\n"
    "  --baseline FILE     compare with another guest kernel, measured in turn, or with a file of\n"
    "                      --json from this machine and version\n"
    "  --json FILE         write the samples in the fuchsiaperf form\n"
    "  --google-json FILE  write the medians in Google Benchmark's form\n"
    "  --html DIR          write a report with plots; what else it shows:\n"
    "  --pmu WHICH         count the guest's cycles and instructions: auto (default), none, or "
    "tsc,\n"
    "                      which takes TSC ticks for cycles\n"
    "  --published FILE    figures published for Zircon and zCore (CSV)\n"
    "  --counts FILE       instructions on the rig: output of zbench --ticks\n"
    "  --linux-counts FILE ... of linux-bench --ticks\n"
    "  --snapshots FILE    what snapshots cost: output of tests/bench/snapshot\n"
    "  --quiet             nothing about progress\n"
    "  --help              this text\n";

/* ---- Values --------------------------------------------------------------------------------- */

static int parse_number(const char *name, const char *text, unsigned least, unsigned most,
                        unsigned *out, struct zvmm_error *error)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || value < least ||
        value > most)
        return error_set(error, "bench: %s: '%.40s' is not a number from %u to %u", name, text,
                         least, most);
    *out = (unsigned)value;
    return 0;
}

static int parse_fraction(const char *name, const char *text, unsigned most, double *out,
                          struct zvmm_error *error)
{
    char *end;
    double value = strtod(text, &end);
    bool decimal = isdigit((unsigned char)text[0]) && text[strspn(text, "0123456789.")] == '\0';
    if (!decimal || *end != '\0' || value > most)
        return error_set(error, "bench: %s: '%.40s' is not a number from 0 to %u, such as 0.5",
                         name, text, most);
    *out = value;
    return 0;
}

/* Options with a number. */
static const struct {
    const char *name;
    size_t field;
    unsigned least, most;
    bool fraction; /* a double, not an unsigned */
} numbers[] = {
    {"--runs", offsetof(struct arguments, runs), 1, 1000, false},
    {"--samples", offsetof(struct arguments, samples), 1, 4096, false},
    {"--time", offsetof(struct arguments, seconds), 0, 1000000, false},
    {"--settle", offsetof(struct arguments, settle), 0, 100, true},
    {"--limit-ms", offsetof(struct arguments, limit_ms), 1, 1000000, false},
    {"--prepare-ms", offsetof(struct arguments, prepare_ms), 0, 1000000, false},
    {"--cpu", offsetof(struct arguments, cpu), 0, 1023, false},
};

/* Options with a text. */
static const struct {
    const char *name;
    size_t field;
} texts[] = {
    {"--filter", offsetof(struct arguments, filter)},
    {"--bootfs", offsetof(struct arguments, bootfs)},
    {"--memory", offsetof(struct arguments, memory)},
    {"--baseline", offsetof(struct arguments, baseline)},
    {"--json", offsetof(struct arguments, json)},
    {"--google-json", offsetof(struct arguments, google)},
    {"--pmu", offsetof(struct arguments, pmu)},
    {"--html", offsetof(struct arguments, html)},
    {"--published", offsetof(struct arguments, published)},
    {"--counts", offsetof(struct arguments, counts)},
    {"--linux-counts", offsetof(struct arguments, linux_counts)},
    {"--snapshots", offsetof(struct arguments, snapshots)},
};

/* Options that are on or off; the last two may name a file. */
static const struct {
    const char *name;
    size_t flag, field; /* field 0: no file */
} flags[] = {
    {"--help", offsetof(struct arguments, help), 0},
    {"--list", offsetof(struct arguments, list), 0},
    {"--quiet", offsetof(struct arguments, quiet), 0},
    {"--guest", offsetof(struct arguments, guest), 0},
    {"--libos", offsetof(struct arguments, libos), offsetof(struct arguments, libos_path)},
    {"--linux", offsetof(struct arguments, analogue), offsetof(struct arguments, linux_path)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Words ---------------------------------------------------------------------------------- */

/* An option's name and value: --name VALUE or --name=VALUE. */
struct word {
    const char *text;
    size_t length;     /* of the name */
    const char *value; /* after '=', or NULL */
};

static bool is_named(const struct word *word, const char *name)
{
    return strlen(name) == word->length && strncmp(name, word->text, word->length) == 0;
}

/* 1: it was a flag; 0: it was not; -1: it was and is wrong. */
static int take_flag(struct arguments *arguments, const struct word *word, struct zvmm_error *error)
{
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (!is_named(word, flags[i].name))
            continue;
        if (word->value != NULL && flags[i].field == 0)
            return error_set(error, "bench: %s takes no value", flags[i].name);
        *(bool *)((char *)arguments + flags[i].flag) = true;
        if (word->value != NULL)
            *(const char **)((char *)arguments + flags[i].field) = word->value;
        return 1;
    }
    return 0;
}

static int set_value(struct arguments *arguments, const struct word *word, const char *value,
                     struct zvmm_error *error)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        void *field = (char *)arguments + numbers[i].field;
        if (!is_named(word, numbers[i].name))
            continue;
        if (numbers[i].fraction)
            return parse_fraction(numbers[i].name, value, numbers[i].most, field, error);
        return parse_number(numbers[i].name, value, numbers[i].least, numbers[i].most, field,
                            error);
    }
    for (size_t i = 0; i < COUNT(texts); i++)
        if (is_named(word, texts[i].name))
            *(const char **)((char *)arguments + texts[i].field) = value;
    return 0;
}

static bool takes_value(const struct word *word)
{
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (is_named(word, numbers[i].name))
            return true;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (is_named(word, texts[i].name))
            return true;
    return false;
}

static int take_option(struct arguments *arguments, int argc, char *argv[], int *index,
                       struct zvmm_error *error)
{
    const char *text = argv[(*index)++];
    size_t length = strcspn(text, "=");
    struct word word = {text, length, text[length] == '=' ? text + length + 1 : NULL};
    int taken = take_flag(arguments, &word, error);
    if (taken != 0)
        return taken < 0 ? -1 : 0;
    if (!takes_value(&word))
        return error_set(error, "bench: unknown option '%.80s'; zvmm bench --help lists them",
                         text);
    if (word.value == NULL && *index == argc)
        return error_set(error, "bench: %s needs a value", text);
    return set_value(arguments, &word, word.value != NULL ? word.value : argv[(*index)++], error);
}

int arguments_parse(struct arguments *arguments, int argc, char *argv[], struct zvmm_error *error)
{
    *arguments = (struct arguments){.libos_path = "./zlibos",
                                    .linux_path = "obj/bench/linux-bench",
                                    .bootfs = "obj/bench/bootfs",
                                    .memory = "256M",
                                    .pmu = "auto",
                                    .runs = 5,
                                    .samples = 100,
                                    .seconds = 600,
                                    .settle = 0.5,
                                    .limit_ms = 400,
                                    .prepare_ms = 1000,
                                    .cpu = -1};
    for (int i = 1; i < argc;) {
        if (argv[i][0] == '-') {
            if (take_option(arguments, argc, argv, &i, error) != 0)
                return -1;
        } else if (arguments->guest_path == NULL) {
            arguments->guest_path = argv[i++];
        } else {
            return error_set(error, "bench: '%.80s' is one word too many", argv[i]);
        }
    }
    if (arguments->guest_path != NULL || (!arguments->libos && !arguments->analogue))
        arguments->guest = true;
    if (arguments->guest_path == NULL)
        arguments->guest_path = "guest.elf";
    return 0;
}
