/* options.h - zvmm(1)'s command line. */
#ifndef ZVMM_OPTIONS_H
#define ZVMM_OPTIONS_H

#include "error.h"

enum { OPTIONS_CMDLINE_MAX = 4095 }; /* bytes, without the NUL */

enum options_action {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_CPU_MODELS,
};

/* What the command line asks for. `config` points into argv and into `cmdline`. */
struct options {
    enum options_action action;
    bool stats;
    const struct cpu_model *cpu_model; /* NULL: not given */
    bool sandbox;                      /* sandbox_enter() before the machine runs */
    const char *file;   /* the guest, or the snapshot to restore                               */
    const char *guest;  /* restore: the guest's file, or NULL for that which the snapshot names */
    bool force, verify; /* restore */
    bool warm; /* start from a kept machine: see snapshot/warm.h                                */
    uint32_t base_length; /* of cmdline without PROGRAM and its arguments                      */
    bool markers, process_markers; /* the kernel has to tell of these */
    bool needs_events;             /* --snapshot-at names an event of a deterministic run */
    struct zvmm_config config;
    char cmdline[OPTIONS_CMDLINE_MAX + 1];
};

/* Parse the command line; -1 with one line in `error` if it is wrong. */
int options_parse(struct options *options, int argc, char *const argv[], struct zvmm_error *error);

/* The same for zvmm restore [options] SNAPSHOT; argv[0] is the word restore. */
int options_parse_restore(struct options *options, int argc, char *const argv[],
                          struct zvmm_error *error);

/* Bytes in "16M", "4096k", "1G" or "16777216"; -1 without a message if it is not a size. */
int options_parse_size(const char *text, uint64_t *bytes);

/* A seed: a decimal number, or 0x and at most 64 hexadecimal digits; little-endian in `seed`. */
int options_parse_seed(const char *text, uint8_t seed[32]);

/* ZV_QUIRK_* from a comma-separated list of names, or "none". */
int options_parse_quirks(const char *text, uint32_t *quirks);

/* How many words the option `word` takes, itself included; 1 for what is no option. */
unsigned options_words(const char *word);

/* The text of --help. */
extern const char options_help[];

#endif
