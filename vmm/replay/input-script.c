/* input-script.c - console input of a deterministic run. */
#include "input-script.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void input_script_init(struct input_script *script)
{
    *script = (struct input_script){0};
}

void input_script_free(struct input_script *script)
{
    free(script->bytes);
    free(script->texts);
    input_script_init(script);
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* Digits and a unit; *end is behind them. -1: not a time. */
static int parse_time(const char *text, const char **end, uint64_t *ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1},
                 {"us", 1000},
                 {"ms", 1000000},
                 {"s", 1000000000},
                 {"min", 60000000000},
                 {"h", 3600000000000},
                 {"", 1}};
    char *after;
    if (!isdigit((unsigned char)text[0]))
        return -1;
    errno = 0;
    unsigned long long value = strtoull(text, &after, 10);
    if (errno != 0)
        return -1;
    size_t length = strcspn(after, " \t");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].name) != length || strncmp(after, units[i].name, length) != 0)
            continue;
        *end = after + length;
        return __builtin_mul_overflow(value, units[i].ns, ns) || *ns > INT64_MAX ? -1 : 0;
    }
    return -1;
}

static int hex_byte(const char *digits)
{
    char text[3] = {digits[0], digits[0] != '\0' ? digits[1] : '\0', '\0'};
    if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
        return -1;
    return (int)strtol(text, NULL, 16);
}

/* Unescape `text` to `to`, which has room for its length and one byte; the length, or -1. */
static int64_t unescape(const char *text, char *to)
{
    static const char names[] = "nrte0\\", values[] = {'\n', '\r', '\t', 0x1b, '\0', '\\'};
    char *start = to;
    for (; *text != '\0'; text++) {
        if (*text != '\\') {
            *to++ = *text;
            continue;
        }
        text++;
        const char *name = *text != '\0' ? strchr(names, *text) : NULL;
        if (name != NULL) {
            *to++ = values[name - names];
        } else if (*text == 'x' && hex_byte(text + 1) >= 0) {
            *to++ = (char)hex_byte(text + 1);
            text += 2;
        } else {
            return *text == 'c' && text[1] == '\0' ? to - start : -1;
        }
    }
    *to++ = '\n';
    return to - start;
}

/* State while a script is read. */
struct reader {
    struct input_script *script;
    const char *path;
    unsigned line;
    uint32_t used; /* of script->bytes */
    uint64_t time;
    bool ended; /* an `end` line has been seen */
    struct zvmm_error *error;
};

static int refuse(const struct reader *reader, const char *what)
{
    return error_set(reader->error, "%s: line %u: %s; see zvmm(1), INPUT SCRIPTS", reader->path,
                     reader->line, what);
}

static int read_line(struct reader *reader, const char *line)
{
    struct input_script *script = reader->script;
    bool relative = line[0] == '+';
    const char *text;
    uint64_t time;
    if (line[0] == '\0' || line[0] == '#')
        return 0;
    if (reader->ended)
        return refuse(reader, "nothing can come after the end");
    if (parse_time(line + relative, &text, &time) != 0)
        return refuse(reader, "does not begin with a time such as 5ms or +1s");
    if (relative && __builtin_add_overflow(time, reader->time, &time))
        return refuse(reader, "the time is too large");
    if (time < reader->time)
        return refuse(reader, "the time is before the previous line's");
    reader->time = time;
    text += *text != '\0';
    if (strcmp(text, "end") == 0) {
        reader->ended = true;
        return 0;
    }
    int64_t length = unescape(text, script->bytes + reader->used);
    if (length < 0)
        return refuse(reader,
                      "has an unknown escape (\\n \\r \\t \\e \\0 \\\\ \\xHH, \\c at the end)");
    script->texts[script->count++] = (struct input_text){time, reader->used, (uint32_t)length};
    reader->used += (uint32_t)length;
    return 0;
}

/* The whole file, NUL-terminated; NULL with an error. */
static char *read_file(const char *path, struct zvmm_error *error)
{
    FILE *file = fopen(path, "re");
    char *text = file != NULL ? malloc(INPUT_SCRIPT_MAX + 1) : NULL;
    size_t length = text != NULL ? fread(text, 1, INPUT_SCRIPT_MAX + 1, file) : 0;
    bool failed = file == NULL || text == NULL || ferror(file) != 0;
    int reason = errno;
    if (file != NULL)
        fclose(file);
    if (failed)
        error_set(error, "--input: %s: %s; give a readable script", path, strerror(reason));
    else if (length > INPUT_SCRIPT_MAX)
        error_set(error, "--input: %s: longer than %d bytes; shorten it", path, INPUT_SCRIPT_MAX);
    else if (memchr(text, '\0', length) != NULL)
        error_set(error, "--input: %s: holds a NUL byte; write it as \\0", path);
    else {
        text[length] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

static uint32_t count_lines(const char *text)
{
    uint32_t lines = 1;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

int input_script_load(struct input_script *script, const char *path, struct zvmm_error *error)
{
    struct reader reader = {.script = script, .path = path, .error = error};
    char *text = read_file(path, error), *rest = text, *line;
    int result = 0;
    input_script_init(script);
    if (text == NULL)
        return -1;
    uint32_t lines = count_lines(text);
    script->bytes = malloc(strlen(text) + lines); /* unescaped is shorter, but for the newline */
    script->texts = calloc(lines, sizeof(script->texts[0]));
    if (script->bytes == NULL || script->texts == NULL)
        result = error_set(error, "--input: %s: out of memory", path);
    while (result == 0 && (line = strsep(&rest, "\n")) != NULL) {
        reader.line++;
        result = read_line(&reader, line);
    }
    script->end = reader.time;
    free(text);
    if (result != 0)
        input_script_free(script);
    return result;
}

/* ---- Adding --------------------------------------------------------------------------------- */

uint64_t input_script_add(struct input_script *script, uint64_t now, const void *data,
                          uint64_t length)
{
    uint64_t start = input_script_bytes(script);
    if (length > INPUT_SCRIPT_MAX - start)
        length = INPUT_SCRIPT_MAX - start;
    if (length == 0)
        return 0;
    char *bytes = realloc(script->bytes, start + length);
    if (bytes == NULL)
        return 0;
    script->bytes = bytes;
    struct input_text *texts =
        reallocarray(script->texts, script->count + 1ul, sizeof(script->texts[0]));
    if (texts == NULL)
        return 0;
    script->texts = texts;
    if (script->count != 0 && now < texts[script->count - 1].time)
        now = texts[script->count - 1].time;
    memcpy(bytes + start, data, length);
    texts[script->count++] = (struct input_text){now, (uint32_t)start, (uint32_t)length};
    script->end = UINT64_MAX;
    return length;
}

/* ---- Taking --------------------------------------------------------------------------------- */

uint64_t input_script_bytes(const struct input_script *script)
{
    if (script->count == 0)
        return 0;
    const struct input_text *last = &script->texts[script->count - 1];
    return last->start + (uint64_t)last->length;
}

/* The first text that is not all taken, or NULL. Texts follow each other in `bytes`. */
static const struct input_text *find(const struct input_script *script, uint64_t taken)
{
    uint32_t low = 0, high = script->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (script->texts[middle].start + (uint64_t)script->texts[middle].length > taken)
            high = middle;
        else
            low = middle + 1;
    }
    return low < script->count ? &script->texts[low] : NULL;
}

int64_t input_script_read(const struct input_script *script, uint64_t taken, uint64_t now,
                          uint8_t *to, uint64_t length)
{
    const struct input_text *text = find(script, taken);
    if (text == NULL)
        return now >= script->end ? -1 : 0;
    if (text->time > now)
        return 0;
    uint64_t left = text->start + (uint64_t)text->length - taken;
    if (length > left)
        length = left;
    memcpy(to, script->bytes + taken, length);
    return (int64_t)length;
}

uint64_t input_script_next(const struct input_script *script, uint64_t taken)
{
    const struct input_text *text = find(script, taken);
    return text != NULL ? text->time : script->end;
}
