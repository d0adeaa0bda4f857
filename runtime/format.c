/*
 * format.c - the formatter behind the kernel's log and panic messages.
 */
#include "format.h"

#include <stdbool.h>
#include <stdint.h>

struct sink {
    char *at, *end; /* end: where the NUL must fit */
};

struct spec {
    bool left, zero, plus;
    int width, precision; /* precision -1: none given */
    int length;           /* bytes of an integer argument, 4 or 8; 1 and 2 are cut from 4 */
};

static void put(struct sink *out, char c)
{
    if (out->at < out->end)
        *out->at++ = c;
}

static void pad(struct sink *out, char c, int count)
{
    while (count-- > 0)
        put(out, c);
}

static void put_field(struct sink *out, const struct spec *spec, const char *text, int length)
{
    if (!spec->left)
        pad(out, ' ', spec->width - length);
    for (int i = 0; i < length; i++)
        put(out, text[i]);
    if (spec->left)
        pad(out, ' ', spec->width - length);
}

static void put_number(struct sink *out, const struct spec *spec, uint64_t value, unsigned base,
                       bool upper, char sign)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[72];
    int at = sizeof text, least;

    do
        text[--at] = digits[value % base];
    while (value /= base);
    least = spec->precision >= 0 ? spec->precision
            : spec->zero && !spec->left ? spec->width - (sign != 0)
                                        : 1;
    if (least > 64)
        least = 64;
    while ((int)sizeof text - at < least)
        text[--at] = '0';
    if (sign)
        text[--at] = sign;
    put_field(out, spec, text + at, (int)sizeof text - at);
}

static const char *parse_flags(const char *p, struct spec *spec)
{
    for (;; p++) {
        if (*p == '-')
            spec->left = true;
        else if (*p == '0')
            spec->zero = true;
        else if (*p == '+')
            spec->plus = true;
        else
            return p;
    }
}

static const char *parse_length(const char *p, struct spec *spec)
{
    spec->length = 4;
    for (;; p++) {
        if (*p == 'l' || *p == 'z' || *p == 'j' || *p == 't')
            spec->length = 8;
        else if (*p == 'h')
            spec->length = spec->length == 2 ? 1 : 2;
        else
            return p;
    }
}

static uint64_t cut(uint64_t value, int length)
{
    return length == 8 ? value : value & ((1ull << (length * 8)) - 1);
}

/* A macro because a va_list cannot be passed on by value and then used further. */
#define NEXT_INTEGER(spec, args)                                                                   \
    ((spec).length == 8 ? va_arg(args, int64_t) : (int64_t)va_arg(args, int))

size_t vformat(char *to, size_t size, const char *p, va_list args)
{
    struct sink out = {to, to + size - 1};

    if (size == 0)
        return 0;
    for (; *p; p++) {
        struct spec spec = {.precision = -1};
        const char *start = p;

        if (*p != '%') {
            put(&out, *p);
            continue;
        }
        p = parse_flags(p + 1, &spec);
        if (*p == '*')
            spec.width = va_arg(args, int), p++;
        for (; *p >= '0' && *p <= '9'; p++)
            spec.width = spec.width * 10 + *p - '0';
        if (*p == '.') {
            spec.precision = 0;
            if (*++p == '*')
                spec.precision = va_arg(args, int), p++;
            for (; *p >= '0' && *p <= '9'; p++)
                spec.precision = spec.precision * 10 + *p - '0';
        }
        p = parse_length(p, &spec);
        switch (*p) {
        case 'd':
        case 'i': {
            int64_t v = NEXT_INTEGER(spec, args);
            put_number(&out, &spec, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, false,
                       v < 0 ? '-' : spec.plus ? '+' : 0);
            break;
        }
        case 'u':
        case 'x':
        case 'X':
            put_number(&out, &spec, cut((uint64_t)NEXT_INTEGER(spec, args), spec.length),
                       *p == 'u' ? 10 : 16, *p == 'X', 0);
            break;
        case 'p':
            put(&out, '0');
            put(&out, 'x');
            put_number(&out, &spec, (uintptr_t)va_arg(args, void *), 16, false, 0);
            break;
        case 'c': {
            char c = (char)va_arg(args, int);
            put_field(&out, &spec, &c, 1);
            break;
        }
        case 's': {
            const char *s = va_arg(args, const char *);
            int n = 0;

            if (!s)
                s = "(null)";
            while ((spec.precision < 0 || n < spec.precision) && s[n])
                n++;
            put_field(&out, &spec, s, n);
            break;
        }
        case '%':
            put(&out, '%');
            break;
        default: /* unknown: print it as it stands */
            for (; start < p; start++)
                put(&out, *start);
            p--;
        }
    }
    *out.at = 0;
    return (size_t)(out.at - to);
}

size_t format(char *to, size_t size, const char *pattern, ...)
{
    va_list args;
    size_t n;

    va_start(args, pattern);
    n = vformat(to, size, pattern, args);
    va_end(args);
    return n;
}
