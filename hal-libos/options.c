/* options.c - zlibos' command line: that of zvmm(1) where it makes sense. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
    "usage: zlibos [options] [-- PROGRAM [ARGS...]]\n"
    "Run the kernel as an ordinary process, without KVM; run PROGRAM on it, or its shell.\n"
    "\n"
    "  --bootfs DIR     pack DIR into the boot file system, over the built-in one\n"
    "  --cmdline STR    append STR to the kernel command line\n"
    "  --help           print this text\n"
    "  --memory SIZE    physical memory, 16M to 256G (default 128M)\n"
    "  --seed N         random seed, decimal or 0x and 64 digits (default random)\n"
    "  --userboot FILE  use FILE instead of the built-in userboot\n"
    "  --vdso FILE      use FILE instead of the built-in vDSO\n"
    "  --verbose        print remarks on stderr\n"
    "  --version        print the version\n"
    "  --zbi FILE       use FILE instead of the built-in ZBI\n"
    "\n"
    "On a terminal, Ctrl-A x quits and Ctrl-A Ctrl-A sends one Ctrl-A.\n"
    "Exit status: the program's own; 125 zlibos or the host failed, 126 the kernel failed,\n"
    "127 PROGRAM not found, 128-133 PROGRAM was killed, 255 another code; see docs/libos.md.\n";

/* Bytes in "16M", "4096k", "1G" or "16777216"; false if it is not a size. */
static bool parse_size(const char *text, uint64_t *bytes)
{
    unsigned long long value;
    unsigned shift = 0;
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (*end != '\0') {
        const char *suffix = strchr("kKmMgG", *end);

        if (!suffix || end[1] != '\0')
            return false;
        shift = 10 * (1 + (unsigned)(suffix - "kKmMgG") / 2);
    }
    if (errno != 0 || value > UINT64_MAX >> shift)
        return false;
    *bytes = (uint64_t)value << shift;
    return true;
}

static bool parse_hex_seed(const char *digits, uint8_t seed[32])
{
    size_t count = strlen(digits);

    if (count == 0 || count > 64 || strspn(digits, "0123456789abcdefABCDEF") != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        char digit[2] = {digits[count - 1 - i], '\0'};

        seed[i / 2] |= (uint8_t)(strtoul(digit, NULL, 16) << (i % 2 * 4));
    }
    return true;
}

/* A seed: a decimal number, or 0x and at most 64 hexadecimal digits; little-endian in `seed`. */
static bool parse_seed(const char *text, uint8_t seed[32])
{
    unsigned long long value;
    char *end;

    memset(seed, 0, 32);
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return parse_hex_seed(text + 2, seed);
    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    for (unsigned i = 0; i < 8; i++)
        seed[i] = (uint8_t)(value >> (8 * i));
    return true;
}

/* ---- Kernel command line --------------------------------------------------------------------- */

static void append(struct options *options, const char *text, size_t length)
{
    size_t used = strlen(options->cmdline);

    if (length > OPTIONS_CMDLINE_MAX - used)
        machine_fail("the kernel command line is longer than %d bytes; shorten --cmdline or the "
                     "program's arguments", OPTIONS_CMDLINE_MAX);
    memcpy(options->cmdline + used, text, length);
    options->cmdline[used + length] = '\0';
}

/* Starts a word: a space, unless it is the first. */
static void append_word(struct options *options, const char *text)
{
    if (options->cmdline[0] != '\0')
        append(options, " ", 1);
    append(options, text, strlen(text));
}

/* Appends text with %XX for what would end the word: spaces, control bytes, and % itself. */
static void append_escaped(struct options *options, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char escape[4] = {*text};
        size_t length = 1;

        if (byte <= ' ' || byte == '%' || byte == 0x7f)
            length = (size_t)snprintf(escape, sizeof escape, "%%%02X", byte);
        append(options, escape, length);
    }
}

/* PROGRAM and its arguments become words for userboot. */
static void append_program(struct options *options, int count, char *const words[])
{
    const char *program = words[0];

    for (const char *at = program; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            machine_fail("PROGRAM: '%.80s' contains a space or control byte; rename it", program);
    if (program[0] == '\0')
        machine_fail("PROGRAM is empty; name a program of the boot file system");
    append_word(options, strchr(program, '/') ? "userboot=" : "userboot=bin/");
    append(options, program, strlen(program));
    for (int i = 1; i < count; i++) {
        append_word(options, "userboot.arg=");
        append_escaped(options, words[i]);
    }
}

/* ---- Options --------------------------------------------------------------------------------- */

static void set_bootfs(struct options *options, const char *value)
{
    options->config.bootfs_dir = value;
}

static void set_cmdline(struct options *options, const char *value)
{
    if (value[0] != '\0')
        append_word(options, value);
}

static void set_help(struct options *options, const char *value)
{
    (void)value;
    options->action = OPTIONS_HELP;
}

static void set_memory(struct options *options, const char *value)
{
    uint64_t bytes;

    if (!parse_size(value, &bytes))
        machine_fail("--memory: '%.40s' is not a size; use for example 128M or 1G", value);
    if (bytes < MEMORY_MIN || bytes > MEMORY_MAX)
        machine_fail("--memory: %.40s is out of range; use 16M to 256G", value);
    options->config.memory_bytes = (bytes + MEMORY_UNIT - 1) & ~(MEMORY_UNIT - 1);
}

static void set_seed(struct options *options, const char *value)
{
    if (!parse_seed(value, options->config.seed))
        machine_fail("--seed: '%.80s' is not a seed; use a 64-bit decimal number or 0x and at most "
                     "64 hexadecimal digits", value);
    options->has_seed = true;
}

static void set_userboot(struct options *options, const char *value)
{
    options->config.userboot_path = value;
}

static void set_vdso(struct options *options, const char *value)
{
    options->config.vdso_path = value;
}

static void set_verbose(struct options *options, const char *value)
{
    (void)value;
    options->config.verbose = true;
}

static void set_version(struct options *options, const char *value)
{
    (void)value;
    options->action = OPTIONS_VERSION;
}

static void set_zbi(struct options *options, const char *value)
{
    options->config.zbi_path = value;
}

/* One row an option; takes_value is what the option's argument is called in messages, or NULL. */
static const struct {
    const char *name;
    const char *takes_value;
    void (*set)(struct options *options, const char *value);
} table[] = {
    {"--bootfs", "DIR", set_bootfs},       {"--cmdline", "STR", set_cmdline},
    {"--help", NULL, set_help},            {"--memory", "SIZE", set_memory},
    {"--seed", "N", set_seed},             {"--userboot", "FILE", set_userboot},
    {"--vdso", "FILE", set_vdso},          {"--verbose", NULL, set_verbose},
    {"--version", NULL, set_version},      {"--zbi", "FILE", set_zbi},
};

/* Acts on the option at argv[*index] ("--name VALUE" or "--name=VALUE") and moves past it. */
static void parse_option(struct options *options, int argc, char *const argv[], int *index)
{
    const char *word = argv[(*index)++];
    size_t length = strcspn(word, "=");

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const char *value = word[length] == '=' ? word + length + 1 : NULL;

        if (strlen(table[i].name) != length || strncmp(word, table[i].name, length) != 0)
            continue;
        if (!table[i].takes_value && value)
            machine_fail("%s takes no value", table[i].name);
        if (table[i].takes_value && !value) {
            if (*index == argc)
                machine_fail("%s needs a value: %s %s", table[i].name, table[i].name,
                             table[i].takes_value);
            value = argv[(*index)++];
        }
        table[i].set(options, value);
        return;
    }
    machine_fail("unknown option '%.80s'; zlibos --help lists them (a program's own options go "
                 "after --)", word);
}

void options_parse(struct options *options, int argc, char *const argv[])
{
    int index = 1;

    options->config.memory_bytes = MEMORY_DEFAULT;
    while (index < argc && strcmp(argv[index], "--") != 0) {
        if (argv[index][0] != '-' || argv[index][1] == '\0')
            machine_fail("'%.80s' is one word too many; a program to run goes after --",
                         argv[index]);
        parse_option(options, argc, argv, &index);
    }
    if (options->action == OPTIONS_RUN && index + 1 < argc)
        append_program(options, argc - index - 1, argv + index + 1);
    options->config.cmdline = options->cmdline;
}
