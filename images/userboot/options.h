/*
 * The kernel command line: words that each end with a NUL. userboot obeys the words below; all
 * words but arguments go on to the program as its environment.
 *
 *     userboot=NAME        the program to run (bin/sh)
 *     userboot.root=PATH   folder of the boot file system in which names are looked up
 *     userboot.arg=VALUE   an argument for the program; %XX stands for the byte XX
 *     userboot.shutdown    power off after the program has ended
 *     userboot.reboot      reboot after the program has ended
 *     userboot.warm        set the marker "warm", then take the words of a new command line from the
 *                          console: the VMM keeps the machine as it is at the marker
 *     kernel.verbose       write what is being done to the debug log
 *
 * Where a word comes twice, the last one counts, except that every argument does.
 */
#ifndef USERBOOT_OPTIONS_H
#define USERBOOT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options {
    const char *program;
    const char *root;
    bool shutdown;
    bool reboot;
    bool verbose;
    bool warm;
};

/* words are size bytes, the last of which is 0. */
void options_parse(struct options *options, const char *words, size_t size);

/* Puts the root folder in front of name; false if path has no room for that. */
bool options_path(const struct options *options, const char *name, char *path, size_t size);

/* For a loop: for (word = words; word; word = next_word(word, end)). */
char *next_word(char *word, const char *end);

/* The value if word is an argument, NULL if not. */
char *argument_value(char *word);

/* Replaces each %XX by its byte, in place. A % not followed by two hexadecimal digits stays. */
void unescape(char *string);

#endif
