/* options.h - zlibos' command line. */
#ifndef HAL_LIBOS_OPTIONS_H
#define HAL_LIBOS_OPTIONS_H

#include "machine.h"

enum { OPTIONS_CMDLINE_MAX = 4095 }; /* bytes, without the NUL */

enum options_action {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

/* What the command line asks for. `config` points into argv and into `cmdline`. */
struct options {
    enum options_action action;
    bool has_seed;
    struct machine_config config;
    char cmdline[OPTIONS_CMDLINE_MAX + 1];
};

/* Parses the command line; ends the process with one line on stderr if it is wrong. */
void options_parse(struct options *options, int argc, char *const argv[]);

/* The text of --help. */
extern const char options_help[];

#endif
