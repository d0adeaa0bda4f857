/*
 * The character functions of stdio that lock their stream. musl's versions make a Linux system call
 * when they wake another thread.
 */
#include "musl.h"

#include <stdbool.h>
#include <stdio.h>

static bool begin(FILE *stream)
{
    struct musl_file *f = (struct musl_file *)stream;

    return f->lock >= 0 && __lockfile(f);
}

static void end(FILE *stream, bool locked)
{
    if (locked)
        __unlockfile((struct musl_file *)stream);
}

int fputc(int c, FILE *stream)
{
    bool locked = begin(stream);
    int result = putc_unlocked(c, stream);

    end(stream, locked);
    return result;
}

int putc(int c, FILE *stream)
{
    return fputc(c, stream);
}

int putchar(int c)
{
    return fputc(c, stdout);
}

int fgetc(FILE *stream)
{
    bool locked = begin(stream);
    int result = getc_unlocked(stream);

    end(stream, locked);
    return result;
}

int getc(FILE *stream)
{
    return fgetc(stream);
}

int getchar(void)
{
    return fgetc(stdin);
}
