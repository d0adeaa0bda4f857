/*
 * input-script.h - console input of a deterministic run: what is typed, and when in virtual time.
 *
 * One line a text:   TIME TEXT
 *   TIME  nanoseconds, or a number with ns, us, ms, s, min or h, since the machine's start; with a
 * leading + since the line before. Times do not go back. TEXT  the rest of the line, sent with a
 * newline; \n \r \t \e \0 \\ and \xHH stand for bytes, \c at the end for "no newline". Empty lines
 * and lines that begin with # are skipped. Input ends with the last line; a last line `TIME end`
 * says when.
 */
#ifndef ZVMM_REPLAY_INPUT_SCRIPT_H
#define ZVMM_REPLAY_INPUT_SCRIPT_H

#include "error.h"

enum { INPUT_SCRIPT_MAX = 16 << 20 }; /* bytes of a script */

struct input_text {
    uint64_t time;          /* ns */
    uint32_t start, length; /* in `bytes` */
};

struct input_script {
    char *bytes; /* all texts, unescaped */
    struct input_text *texts;
    uint32_t count;
    uint64_t end; /* ns: from then on input has ended */
};

/* No input: it has ended from the start. */
void input_script_init(struct input_script *script);

/* Read the file; -1 with a line that names the file and the line number. */
int input_script_load(struct input_script *script, const char *path, struct zvmm_error *error);

/*
 * Add a text that can be read from `now` (ns) on, and when those before are read. Input does not
 * end after it. Returns how many bytes were taken: 0 without memory.
 */
uint64_t input_script_add(struct input_script *script, uint64_t now, const void *data,
                          uint64_t length);

/*
 * Take up to `length` bytes that can be read at `now` (ns), given that `taken` bytes were taken
 * before. 0: none yet. -1: input has ended.
 */
int64_t input_script_read(const struct input_script *script, uint64_t taken, uint64_t now,
                          uint8_t *to, uint64_t length);

/* When something can be read after `taken` bytes, be it the end (ns). */
uint64_t input_script_next(const struct input_script *script, uint64_t taken);

/* How many bytes `bytes` has. */
uint64_t input_script_bytes(const struct input_script *script);

void input_script_free(struct input_script *script);

#endif
