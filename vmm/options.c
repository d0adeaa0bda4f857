/* options.c - zvmm(1)'s command line. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpumodel.h"
#include "hypercall.h"
#include "snapshot/plan.h"

/* In the order of zvmm(1). */
const char options_help[] =
    "usage: zvmm [options] GUEST.elf [-- PROGRAM [ARGS...]]\n"
    "Boot the kernel GUEST.elf in a KVM virtual machine; run PROGRAM in it, or its shell.\n"
    "\n"
    "  --bootfs DIR     pack DIR into the boot file system, over the built-in one\n"
    "  --cmdline STR    append STR to the kernel command line\n"
    "  --ctl SOCK       listen for zvmm ctl at this socket\n"
    "  --cpu-model NAME the processor that the guest sees; `list' prints the names (default host)\n"
    "  --deterministic[=SEED]  run in virtual time, so that every run is the same (default SEED "
    "0)\n"
    "  --digest         with --deterministic, print a hash of the machine at its end and at "
    "markers\n"
    "  --force          (restore) take a snapshot of another build of the guest\n"
    "  --gdb[=WHERE]    wait for gdb at port 1234, at port WHERE, or at unix:PATH\n"
    "  --guest FILE     (restore) the guest kernel's file, for its symbols\n"
    "  --help           print this text\n"
    "  --input FILE     with --deterministic, a script of console input (default: no input)\n"
    "  --kvm PATH       the KVM device node (default /dev/kvm)\n"
    "  --log FILE       with --deterministic, record the run in a new file: see zvmm log, zvmm "
    "replay\n"
    "  --memory SIZE    guest memory, 16M to 256G (default 128M)\n"
    "  --no-panic-snapshot\n"
    "                   leave no GUEST.panic.zsnap when the guest kernel fails\n"
    "  -o FILE          where --snapshot-at and SIGUSR1 write (default GUEST.zsnap)\n"
    "  --parent FILE    write only what differs from this snapshot\n"
    "  --pin CPU        run the vCPU on this host CPU\n"
    "  --preempt RULE   with --deterministic, when user code that never enters the kernel loses "
    "the\n"
    "                   processor: auto (default), time, pmu or step\n"
    "  --quirks LIST    replace the probe's finding: none, probe, or names out of slow-ring0,\n"
    "                   syscall-broken, no-xsave, no-int3, no-pcid\n"
    "  --sandbox        give up all system calls but those that running the machine takes\n"
    "  --seed N         random seed of the guest, decimal or 0x and 64 digits (default random)\n"
    "  --snapshot-at EVENT\n"
    "                   take a snapshot at marker:NAME, marker:NUMBER, time:DURATION, "
    "exits:COUNT,\n"
    "                   start:PROGRAM, exit:PROGRAM, event:NUMBER (with --deterministic), end "
    "or panic\n"
    "  --stats          print one line of counters and times on stderr at the end\n"
    "  --userboot FILE  use FILE instead of the built-in userboot\n"
    "  --vdso FILE      use FILE instead of the built-in vDSO\n"
    "  --verbose        print remarks on stderr\n"
    "  --verify         (restore) check the snapshot's memory first\n"
    "  --version        print the version\n"
    "  --warm           boot once, then start from the kept machine (see zvmm(1), WARM START)\n"
    "  --zbi FILE       use FILE instead of the built-in ZBI\n"
    "\n"
    "On a terminal, Ctrl-A x quits and Ctrl-A Ctrl-A sends one Ctrl-A.\n"
    "Exit status: the program's own; 125 zvmm or the host failed, 126 the guest kernel failed,\n"
    "127 PROGRAM not found, 128-133 PROGRAM was killed, 255 another code; see zvmm(1).\n";

int options_parse_size(const char *text, uint64_t *bytes)
{
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return -1;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = 0;
    if (*end != '\0') {
        const char *suffix = strchr("kKmMgG", *end);
        if (suffix == NULL || end[1] != '\0')
            return -1;
        shift = 10 * (1 + (unsigned)(suffix - "kKmMgG") / 2);
    }
    if (errno != 0 || value > UINT64_MAX >> shift)
        return -1;
    *bytes = (uint64_t)value << shift;
    return 0;
}

static int parse_hex_seed(const char *digits, uint8_t seed[32])
{
    size_t count = strlen(digits);
    if (count == 0 || count > 64 || strspn(digits, "0123456789abcdefABCDEF") != count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char digit[2] = {digits[count - 1 - i], '\0'};
        seed[i / 2] |= (uint8_t)(strtoul(digit, NULL, 16) << (i % 2 * 4));
    }
    return 0;
}

int options_parse_seed(const char *text, uint8_t seed[32])
{
    char *end;
    memset(seed, 0, 32);
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return parse_hex_seed(text + 2, seed);
    if (!isdigit((unsigned char)text[0]))
        return -1;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return -1;
    for (unsigned i = 0; i < 8; i++)
        seed[i] = (uint8_t)(value >> (8 * i));
    return 0;
}

static const struct {
    const char *name;
    uint32_t bit;
} quirk_names[] = {
    {"slow-ring0", ZV_QUIRK_SLOW_RING0}, {"syscall-broken", ZV_QUIRK_SYSCALL_BROKEN},
    {"no-xsave", ZV_QUIRK_NO_XSAVE},     {"no-int3", ZV_QUIRK_NO_INT3_RING0},
    {"no-pcid", ZV_QUIRK_NO_PCID},
};

int options_parse_quirks(const char *text, uint32_t *quirks)
{
    *quirks = 0;
    if (strcmp(text, "none") == 0)
        return 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        uint32_t bit = 0;
        for (size_t i = 0; i < sizeof(quirk_names) / sizeof(quirk_names[0]); i++)
            if (strlen(quirk_names[i].name) == length &&
                strncmp(text, quirk_names[i].name, length) == 0)
                bit = quirk_names[i].bit;
        if (bit == 0)
            return -1;
        *quirks |= bit;
        if (text[length] == '\0')
            return 0;
        text += length + 1;
    }
}

/* ---- Kernel command line -------------------------------------------------------------------- */

/* Append text as it is. */
static int append(struct options *options, const char *text, size_t length,
                  struct zvmm_error *error)
{
    size_t used = strlen(options->cmdline);
    if (length > OPTIONS_CMDLINE_MAX - used)
        return error_set(error,
                         "the kernel command line is longer than %d bytes; shorten "
                         "--cmdline or the program's arguments",
                         OPTIONS_CMDLINE_MAX);
    memcpy(options->cmdline + used, text, length);
    options->cmdline[used + length] = '\0';
    return 0;
}

/* Start a word: a space, unless it is the first. */
static int append_word(struct options *options, const char *text, struct zvmm_error *error)
{
    if (options->cmdline[0] != '\0' && append(options, " ", 1, error) != 0)
        return -1;
    return append(options, text, strlen(text), error);
}

/* Append text with %XX for what would end the word: spaces, control bytes, and % itself. */
static int append_escaped(struct options *options, const char *text, struct zvmm_error *error)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char escape[4] = {*text};
        size_t length = 1;
        if (byte <= ' ' || byte == '%' || byte == 0x7f)
            length = (size_t)snprintf(escape, sizeof(escape), "%%%02X", byte);
        if (append(options, escape, length, error) != 0)
            return -1;
    }
    return 0;
}

/* PROGRAM and its arguments become words for userboot. */
static int append_program(struct options *options, int count, char *const words[],
                          struct zvmm_error *error)
{
    const char *program = words[0];
    for (const char *at = program; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return error_set(error, "PROGRAM: '%.80s' contains a space or control byte; rename it",
                             program);
    if (program[0] == '\0')
        return error_set(error, "PROGRAM is empty; name a program of the boot file system");
    const char *prefix = strchr(program, '/') == NULL ? "userboot=bin/" : "userboot=";
    if (append_word(options, prefix, error) != 0 ||
        append(options, program, strlen(program), error) != 0)
        return -1;
    for (int i = 1; i < count; i++)
        if (append_word(options, "userboot.arg=", error) != 0 ||
            append_escaped(options, words[i], error) != 0)
            return -1;
    return 0;
}

/* ---- Options -------------------------------------------------------------------------------- */

typedef int (*setter_t)(struct options *options, const char *value, struct zvmm_error *error);

static int set_bootfs(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.bootfs_dir = value;
    return 0;
}

static int set_cmdline(struct options *options, const char *value, struct zvmm_error *error)
{
    return value[0] == '\0' ? 0 : append_word(options, value, error);
}

static int set_control(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.control_path = value;
    return 0;
}

static int set_cpu_model(struct options *options, const char *value, struct zvmm_error *error)
{
    const struct cpu_model *model = cpu_model_find(value);
    if (strcmp(value, "list") == 0) {
        options->action = OPTIONS_CPU_MODELS;
        return 0;
    }
    if (model == NULL)
        return error_set(error, "--cpu-model: no model '%.40s'; --cpu-model list prints them",
                         value);
    options->cpu_model = model;
    options->config.baseline_cpu = model->baseline;
    return 0;
}

static int set_deterministic(struct options *options, const char *value, struct zvmm_error *error)
{
    options->config.deterministic = true;
    if (value == NULL && options->config.has_seed)
        return 0; /* --seed */
    if (options_parse_seed(value != NULL ? value : "0", options->config.seed) != 0)
        return error_set(
            error,
            "--deterministic: '%.80s' is not a seed; use a 64-bit decimal number or 0x "
            "and at most 64 hexadecimal digits",
            value);
    options->config.has_seed = true;
    return 0;
}

static int set_digest(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->config.digest = true;
    return 0;
}

static int set_gdb(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.gdb = value != NULL ? value : "";
    return 0;
}

static int set_force(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->force = true;
    return 0;
}

static int set_guest(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->guest = value;
    return 0;
}

static int set_help(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->action = OPTIONS_HELP;
    return 0;
}

static int set_input(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.input_path = value;
    return 0;
}

static int set_kvm(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.kvm_path = value;
    return 0;
}

static int set_log(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.log_path = value;
    return 0;
}

static int set_replay(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.replay_path = value;
    return 0;
}

static int set_replay_to(struct options *options, const char *value, struct zvmm_error *error)
{
    char *end;
    errno = 0;
    unsigned long long event = strtoull(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || event == 0)
        return error_set(error,
                         "replay: --to: '%.40s' is not the number of an event; zvmm log shows "
                         "them, from 1",
                         value);
    options->config.replay_to = event;
    return 0;
}

static int set_memory(struct options *options, const char *value, struct zvmm_error *error)
{
    uint64_t bytes;
    if (options_parse_size(value, &bytes) != 0)
        return error_set(error, "--memory: '%.40s' is not a size; use for example 128M or 1G",
                         value);
    if (bytes < ZV_MEMORY_MIN || bytes > ZV_MEMORY_MAX)
        return error_set(error, "--memory: %.40s is out of range; use 16M to 256G", value);
    options->config.memory_bytes = bytes;
    return 0;
}

static int set_no_panic_snapshot(struct options *options, const char *value,
                                 struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->config.panic_snapshot = false;
    return 0;
}

static int set_output(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.snapshot_path = value;
    return 0;
}

static int set_parent(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.snapshot_parent = value;
    return 0;
}

static int set_pin(struct options *options, const char *value, struct zvmm_error *error)
{
    char *end;
    errno = 0;
    long cpu = strtol(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || cpu > 4095)
        return error_set(error, "--pin: '%.40s' is not a CPU number; use 0 to the host's last CPU",
                         value);
    options->config.pin_cpu = (int)cpu;
    return 0;
}

/* RULE or RULE:PERIOD. */
static int set_preempt(struct options *options, const char *value, struct zvmm_error *error)
{
    static const struct {
        const char *name;
        enum zvmm_preempt rule;
        bool counts;
    } rules[] = {{"auto", ZVMM_PREEMPT_AUTO, false},
                 {"time", ZVMM_PREEMPT_TIME, false},
                 {"pmu", ZVMM_PREEMPT_PMU, true},
                 {"step", ZVMM_PREEMPT_STEP, true}};
    size_t length = strcspn(value, ":");
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        char *end = NULL;
        if (strlen(rules[i].name) != length || strncmp(value, rules[i].name, length) != 0)
            continue;
        options->config.preempt = rules[i].rule;
        options->config.preempt_period = 0;
        if (value[length] == '\0')
            return 0;
        errno = 0;
        if (rules[i].counts && isdigit((unsigned char)value[length + 1]))
            options->config.preempt_period = strtoull(value + length + 1, &end, 10);
        if (end != NULL && *end == '\0' && errno == 0 && options->config.preempt_period != 0)
            return 0;
    }
    return error_set(error,
                     "--preempt: '%.40s' is not a rule; use auto, time, pmu or step, the last two "
                     "with :INSTRUCTIONS behind it or not",
                     value);
}

static int set_quirks(struct options *options, const char *value, struct zvmm_error *error)
{
    options->config.force_probe = strcmp(value, "probe") == 0;
    options->config.has_quirks = !options->config.force_probe;
    if (options->config.has_quirks && options_parse_quirks(value, &options->config.quirks) != 0)
        return error_set(error,
                         "--quirks: '%.40s' is not a list of quirks; use none, probe, or "
                         "names out of slow-ring0, syscall-broken, no-xsave, no-int3, "
                         "no-pcid",
                         value);
    return 0;
}

static int set_seed(struct options *options, const char *value, struct zvmm_error *error)
{
    if (options_parse_seed(value, options->config.seed) != 0)
        return error_set(error,
                         "--seed: '%.80s' is not a seed; use a 64-bit decimal number or 0x "
                         "and at most 64 hexadecimal digits",
                         value);
    options->config.has_seed = true;
    return 0;
}

/* The kernel tells of processes only if it is asked to: each time costs an exit. */
static int set_snapshot_at(struct options *options, const char *value, struct zvmm_error *error)
{
    struct plan plan;
    if (plan_parse(&plan, value, error) != 0)
        return -1;
    if (options->config.replay_path == NULL) /* a replay takes the recorded ones not again */
        options->config.snapshot_at = value;
    options->process_markers = plan_needs_processes(&plan);
    options->markers = plan.kind == PLAN_MARKER;
    options->needs_events = plan.kind == PLAN_EVENT;
    return 0;
}

static int set_sandbox(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->sandbox = true;
    return 0;
}

static int set_stats(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->stats = true;
    return 0;
}

static int set_userboot(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.userboot_path = value;
    return 0;
}

static int set_vdso(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.vdso_path = value;
    return 0;
}

static int set_verbose(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->config.verbose = true;
    return 0;
}

static int set_verify(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->verify = true;
    return 0;
}

static int set_version(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->action = OPTIONS_VERSION;
    return 0;
}

static int set_warm(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)value;
    (void)error;
    options->warm = true;
    return 0;
}

static int set_zbi(struct options *options, const char *value, struct zvmm_error *error)
{
    (void)error;
    options->config.zbi_path = value;
    return 0;
}

/*
 * One row an option; takes_value is what the option's argument is called in messages, or NULL. With
 * a = in front the value is optional.
 */
static const struct {
    const char *name;
    const char *takes_value;
    setter_t set;
} table[] = {
    /* clang-format off */
    {"--bootfs", "DIR", set_bootfs},
    {"--cmdline", "STR", set_cmdline},
    {"--ctl", "SOCK", set_control},
    {"--cpu-model", "NAME", set_cpu_model},
    {"--deterministic", "=SEED", set_deterministic},
    {"--digest", NULL, set_digest},
    {"--force", NULL, set_force},
    {"--gdb", "=PORT|unix:PATH", set_gdb},
    {"--guest", "FILE", set_guest},
    {"--help", NULL, set_help},
    {"--input", "FILE", set_input},
    {"--kvm", "PATH", set_kvm},
    {"--log", "FILE", set_log},
    {"--memory", "SIZE", set_memory},
    {"--no-panic-snapshot", NULL, set_no_panic_snapshot},
    {"-o", "FILE", set_output},
    {"--parent", "FILE", set_parent},
    {"--pin", "CPU", set_pin},
    {"--preempt", "RULE", set_preempt},
    {"--quirks", "LIST", set_quirks},
    {"--replay", "FILE", set_replay}, /* these two are what zvmm replay becomes */
    {"--replay-to", "N", set_replay_to},
    {"--sandbox", NULL, set_sandbox},
    {"--seed", "N", set_seed},
    {"--snapshot-at", "EVENT", set_snapshot_at},
    {"--stats", NULL, set_stats},
    {"--userboot", "FILE", set_userboot},
    {"--vdso", "FILE", set_vdso},
    {"--verbose", NULL, set_verbose},
    {"--verify", NULL, set_verify},
    {"--version", NULL, set_version},
    {"--warm", NULL, set_warm},
    {"--zbi", "FILE", set_zbi},
    /* clang-format on */
};

unsigned options_words(const char *word)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(word, table[i].name) == 0)
            return table[i].takes_value != NULL && table[i].takes_value[0] != '=' ? 2 : 1;
    return 1;
}

/* Act on the option at argv[*index] ("--name VALUE" or "--name=VALUE") and move past it. */
static int parse_option(struct options *options, int argc, char *const argv[], int *index,
                        struct zvmm_error *error)
{
    const char *word = argv[(*index)++];
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strlen(table[i].name) != length || strncmp(word, table[i].name, length) != 0)
            continue;
        if (table[i].takes_value == NULL) {
            if (word[length] == '=')
                return error_set(error, "%s takes no value", table[i].name);
            return table[i].set(options, NULL, error);
        }
        if (word[length] == '=')
            return table[i].set(options, word + length + 1, error);
        if (table[i].takes_value[0] == '=')
            return table[i].set(options, NULL, error);
        if (*index == argc)
            return error_set(error, "%s needs a value: %s %s", table[i].name, table[i].name,
                             table[i].takes_value);
        return table[i].set(options, argv[(*index)++], error);
    }
    return error_set(error,
                     "unknown option '%.80s'; zvmm --help lists them (a program's own "
                     "options go after --)",
                     word);
}

/* The option that says what a deterministic run is given, records or is compared with; or NULL. */
static const char *script_option(const struct zvmm_config *config)
{
    return config->input_path != NULL    ? "--input"
           : config->log_path != NULL    ? "--log"
           : config->replay_path != NULL ? "--replay"
                                         : NULL;
}

/* What means nothing without virtual time, and what would contradict the fixed machine. */
static int check_deterministic(const struct options *options, struct zvmm_error *error)
{
    const struct zvmm_config *config = &options->config;
    const struct cpu_model *model = options->cpu_model;
    const char *alone = config->digest                         ? "--digest"
                        : config->preempt != ZVMM_PREEMPT_AUTO ? "--preempt"
                                                               : script_option(config);
    if (!config->deterministic && alone != NULL)
        return error_set(error, "%s needs --deterministic; give both", alone);
    if (!config->deterministic && options->needs_events)
        return error_set(error, "--snapshot-at event: needs --deterministic; give both");
    if (config->deterministic && (config->has_quirks || config->force_probe))
        return error_set(error, "--deterministic fixes the machine; leave out --quirks");
    if (config->deterministic && model != NULL && !model->baseline)
        return error_set(error,
                         "--cpu-model %s: differs from host to host; with --deterministic use "
                         "baseline",
                         model->name);
    return 0;
}

/* Options and one file name, up to "--" or the end; *index is where that is. */
static int parse_words(struct options *options, int argc, char *const argv[], int *at,
                       struct zvmm_error *error)
{
    int index = 1;
    *options = (struct options){.action = OPTIONS_RUN};
    zvmm_config_defaults(&options->config);
    options->config.argument_count = argc;
    options->config.arguments = argv;
    options->config.own_process = true;
    options->config.keep_finding = true;
    options->config.panic_snapshot = true;
    while (index < argc && strcmp(argv[index], "--") != 0) {
        if (argv[index][0] == '-' && argv[index][1] != '\0') {
            if (parse_option(options, argc, argv, &index, error) != 0)
                return -1;
        } else if (options->file == NULL) {
            options->file = argv[index++];
        } else {
            return error_set(error, "'%.80s' is one word too many; a program to run goes after --",
                             argv[index]);
        }
    }
    *at = index;
    return 0;
}

int options_parse_restore(struct options *options, int argc, char *const argv[],
                          struct zvmm_error *error)
{
    int index = 0;
    if (parse_words(options, argc, argv, &index, error) != 0)
        return -1;
    if (options->action == OPTIONS_RUN && (options->file == NULL || index != argc))
        return error_set(error, "usage: zvmm restore [options] SNAPSHOT");
    const struct zvmm_config *config = &options->config;
    const char *script = script_option(config);
    const char *fixed = config->deterministic                  ? "--deterministic"
                        : script != NULL                       ? script
                        : config->preempt != ZVMM_PREEMPT_AUTO ? "--preempt"
                                                               : NULL;
    if (fixed != NULL)
        return error_set(error,
                         "%s: a snapshot knows how its run goes on, and a log begins at the start; "
                         "leave it out",
                         fixed);
    options->config.guest_path = options->guest;
    return 0;
}

/* What the event of --snapshot-at needs from the kernel. */
static int append_markers(struct options *options, struct zvmm_error *error)
{
    if (options->markers && append_word(options, "kernel.markers", error) != 0)
        return -1;
    return options->process_markers ? append_word(options, "kernel.process-markers", error) : 0;
}

int options_parse(struct options *options, int argc, char *const argv[], struct zvmm_error *error)
{
    int index = 0;
    if (parse_words(options, argc, argv, &index, error) != 0)
        return -1;
    if (options->action != OPTIONS_RUN)
        return 0;
    options->config.guest_path = options->file;
    if (check_deterministic(options, error) != 0 || append_markers(options, error) != 0)
        return -1;
    if (options->config.guest_path == NULL)
        return error_set(error, "no guest kernel named; usage: zvmm [options] GUEST.elf "
                                "[-- PROGRAM [ARGS...]]");
    options->base_length = (uint32_t)strlen(options->cmdline);
    if (index + 1 < argc && append_program(options, argc - index - 1, argv + index + 1, error) != 0)
        return -1;
    options->config.cmdline = options->cmdline;
    return 0;
}
