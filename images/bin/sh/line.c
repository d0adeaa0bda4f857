/*
 * Reading a line with editing and history, on a terminal that understands backspace.
 *
 * Input is read byte by byte: what follows the line belongs to the program it starts. Everything
 * typed is echoed, also when it comes from a pipe, which makes the output a transcript of the
 * session.
 */
#include "line.h"

#include <stdio.h>
#include <string.h>
#include <zircon/zircon.h>
#include <zircon/process.h>

#define HISTORY 32

#define CTRL(c)   ((c)&0x1f)
#define BACKSPACE 0x7f
#define ESCAPE    0x1b

/* Keys that arrive as several bytes. */
enum { KEY_UP = 256, KEY_DOWN, KEY_RIGHT, KEY_LEFT, KEY_HOME, KEY_END, KEY_DELETE, KEY_UNKNOWN };

static struct {
    char lines[HISTORY][LINE_MAX_SIZE];
    unsigned count; /* ever added; the newest is lines[(count - 1) % HISTORY] */
} history;

struct editor {
    char *line;
    size_t length;
    size_t cursor;
    unsigned back;             /* how far up in history; 0 is the line being typed */
    char typed[LINE_MAX_SIZE]; /* that line while history is shown */
};

/* A byte of input, -1 at its end. */
static int read_byte(void)
{
    size_t actual;
    char byte;

    fflush(stdout);
    zx_status_t status =
        zx_debug_read(zx_get_startup_handle(PA_HND(PA_RESOURCE, 0)), &byte, 1, &actual);
    return status == ZX_OK ? (unsigned char)byte : -1;
}

/* ESC [ LETTER, or ESC [ DIGITS ~ */
static int read_escape_sequence(void)
{
    int c = read_byte(), number = 0;

    if (c != '[' && c != 'O')
        return KEY_UNKNOWN;
    while ((c = read_byte()) >= '0' && c <= '9')
        number = (number * 10 + c - '0') % 1000;
    switch (c) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case '~':
        return number == 3   ? KEY_DELETE
               : number == 1 ? KEY_HOME
               : number == 4 ? KEY_END
                             : KEY_UNKNOWN;
    }
    return KEY_UNKNOWN;
}

static int read_key(void)
{
    int c = read_byte();

    return c == ESCAPE ? read_escape_sequence() : c;
}

static void print_times(char c, size_t times)
{
    while (times-- > 0)
        putchar(c);
}

static void move_to(struct editor *e, size_t position)
{
    if (position < e->cursor)
        print_times('\b', e->cursor - position);
    else
        fwrite(e->line + e->cursor, 1, position - e->cursor, stdout);
    e->cursor = position;
}

/* Replaces bytes [from, from + old_size) and puts the cursor behind the new ones. */
static void replace(struct editor *e, size_t from, size_t old_size, const char *bytes, size_t size)
{
    size_t tail = e->length - from - old_size;

    if (e->length - old_size + size >= LINE_MAX_SIZE)
        return;
    move_to(e, from);
    memmove(e->line + from + size, e->line + from + old_size, tail);
    memcpy(e->line + from, bytes, size);
    fwrite(e->line + from, 1, size + tail, stdout);
    if (old_size > size) {
        print_times(' ', old_size - size);
        print_times('\b', old_size - size);
    }
    e->length = e->length - old_size + size;
    print_times('\b', tail);
    e->cursor = from + size;
}

static size_t start_of_word(const struct editor *e)
{
    size_t at = e->cursor;

    while (at > 0 && e->line[at - 1] == ' ')
        at--;
    while (at > 0 && e->line[at - 1] != ' ')
        at--;
    return at;
}

static void show_history(struct editor *e, unsigned back)
{
    unsigned oldest = history.count < HISTORY ? history.count : HISTORY;

    if (back > oldest)
        return;
    if (e->back == 0) {
        memcpy(e->typed, e->line, e->length);
        e->typed[e->length] = '\0';
    }
    e->back = back;
    const char *line = back ? history.lines[(history.count - back) % HISTORY] : e->typed;
    replace(e, 0, e->length, line, strlen(line));
}

static void add_to_history(const char *line)
{
    if (*line == '\0' ||
        (history.count > 0 && strcmp(history.lines[(history.count - 1) % HISTORY], line) == 0))
        return;
    strcpy(history.lines[history.count++ % HISTORY], line);
}

static void edit(struct editor *e, int key)
{
    char c = (char)key;

    switch (key) {
    case CTRL('A'):
    case KEY_HOME:
        move_to(e, 0);
        break;
    case CTRL('E'):
    case KEY_END:
        move_to(e, e->length);
        break;
    case KEY_LEFT:
        move_to(e, e->cursor > 0 ? e->cursor - 1 : 0);
        break;
    case KEY_RIGHT:
        move_to(e, e->cursor < e->length ? e->cursor + 1 : e->length);
        break;
    case KEY_UP:
        show_history(e, e->back + 1);
        break;
    case KEY_DOWN:
        if (e->back > 0)
            show_history(e, e->back - 1);
        break;
    case CTRL('H'):
    case BACKSPACE:
        if (e->cursor > 0)
            replace(e, e->cursor - 1, 1, "", 0);
        break;
    case CTRL('D'):
    case KEY_DELETE:
        if (e->cursor < e->length)
            replace(e, e->cursor, 1, "", 0);
        break;
    case CTRL('U'):
        replace(e, 0, e->cursor, "", 0);
        break;
    case CTRL('W'): {
        size_t start = start_of_word(e);
        replace(e, start, e->cursor - start, "", 0);
        break;
    }
    default:
        if (key >= ' ' && key < 256)
            replace(e, e->cursor, 0, &c, 1);
    }
}

bool line_read(const char *prompt, char *line)
{
    struct editor e = {.line = line};

    fputs(prompt, stdout);
    for (;;) {
        int key = read_key();
        if ((key == -1 && e.length == 0) || (key == CTRL('D') && e.length == 0)) {
            putchar('\n');
            return false;
        }
        if (key == '\n' || key == '\r' || key == -1)
            break;
        edit(&e, key);
    }
    move_to(&e, e.length);
    putchar('\n');
    line[e.length] = '\0';
    add_to_history(line);
    return true;
}
