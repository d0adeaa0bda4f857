/*
 * The kernel command line.
 */
#include "options.h"

#include <string.h>

/* The rest of word behind key, which ends with '=', or NULL. */
static const char *value_of(const char *word, const char *key)
{
    size_t length = strlen(key);

    return strncmp(word, key, length) == 0 ? word + length : NULL;
}

/* Whether word is key, alone or with a value. */
static bool is_flag(const char *word, const char *key)
{
    size_t length = strlen(key);

    return strncmp(word, key, length) == 0 && (word[length] == '\0' || word[length] == '=');
}

void options_parse(struct options *options, const char *words, size_t size)
{
    const char *value;

    *options = (struct options){.program = "bin/sh", .root = ""};
    for (const char *word = words; word < words + size; word += strlen(word) + 1) {
        if ((value = value_of(word, "userboot=")) && *value)
            options->program = value;
        else if ((value = value_of(word, "userboot.root=")))
            options->root = value;
        else if (is_flag(word, "userboot.shutdown"))
            options->shutdown = true;
        else if (is_flag(word, "userboot.reboot"))
            options->reboot = true;
        else if (is_flag(word, "userboot.warm"))
            options->warm = true;
        else if (is_flag(word, "kernel.verbose"))
            options->verbose = true;
    }
}

bool options_path(const struct options *options, const char *name, char *path, size_t size)
{
    const char *root = options->root;

    while (*root == '/')
        root++;
    size_t root_length = strlen(root), name_length = strlen(name);
    if (root_length + name_length + 2 > size)
        return false;
    memcpy(path, root, root_length);
    if (root_length > 0 && root[root_length - 1] != '/')
        path[root_length++] = '/';
    memcpy(path + root_length, name, name_length + 1);
    return true;
}

char *next_word(char *word, const char *end)
{
    word += strlen(word) + 1;
    return word < end ? word : NULL;
}

char *argument_value(char *word)
{
    const char *value = value_of(word, "userboot.arg=");

    return value ? word + (value - word) : NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void unescape(char *string)
{
    char *out = string;

    for (const char *in = string; *in; in++) {
        if (in[0] == '%' && hex_digit(in[1]) >= 0 && hex_digit(in[2]) >= 0) {
            *out++ = (char)(hex_digit(in[1]) << 4 | hex_digit(in[2]));
            in += 2;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
}
