/*
 * report.h - what a command has found, as a tree of named values that is printed as text for people
 * or as JSON for programs. Two trees can be compared (zvmm diff).
 *
 * Items live until their report is freed. Adding to NULL is allowed and does nothing, so a command
 * need not check each call: when memory is out, report_failed() says so at the end. Text from the
 * guest is hostile: printing makes every byte harmless.
 */
#ifndef ZVMM_INSPECT_REPORT_H
#define ZVMM_INSPECT_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum item_kind {
    ITEM_MAP,
    ITEM_LIST,
    ITEM_NUMBER,
    ITEM_SIGNED,
    ITEM_HEX, /* an address or a mask: text 0x1f, JSON "0x1f" */
    ITEM_BOOL,
    ITEM_TEXT,
};

struct item {
    enum item_kind kind;
    bool quiet;      /* in JSON only: people read it elsewhere */
    const char *key; /* NULL in a list and at the root */
    struct item *next;
    union {
        struct {
            struct item *first, *last;
            uint32_t count;
        };
        uint64_t number;
        int64_t whole;
        const char *text;
    };
};

struct report;

struct report *report_new(void); /* NULL: no memory */
void report_free(struct report *report);
bool report_failed(const struct report *report);

/* `key` is copied. In a list it must be NULL. parent NULL with a NULL key makes a root. */
struct item *item_map(struct report *report, struct item *parent, const char *key);
struct item *item_list(struct report *report, struct item *parent, const char *key);
void item_number(struct report *report, struct item *parent, const char *key, uint64_t value);
void item_signed(struct report *report, struct item *parent, const char *key, int64_t value);
void item_hex(struct report *report, struct item *parent, const char *key, uint64_t value);
void item_bool(struct report *report, struct item *parent, const char *key, bool value);
struct item *item_text(struct report *report, struct item *parent, const char *key,
                       const char *text);
struct item *item_format(struct report *report, struct item *parent, const char *key,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Makes a root the last member of `parent`, under the constant name `key`. NULL is allowed. */
void item_adopt(struct item *parent, const char *key, struct item *item);

/* The member of that name of a map, or NULL. */
const struct item *item_find(const struct item *map, const char *key);
/* Its text; "" if there is none. */
const char *item_find_text(const struct item *map, const char *key);
/* Its number; 0 if there is none. */
uint64_t item_find_number(const struct item *map, const char *key);

/* Whether two trees are the same. */
bool item_equal(const struct item *a, const struct item *b);

/* One scalar as text for people, cut to fit. */
void item_scalar_text(const struct item *item, char *text, size_t room);

/* Bytes of the guest as text: control bytes become dots. */
void print_harmless(FILE *out, const char *text);

void report_print_text(FILE *out, const struct item *root);
/* For a map of one list: the list alone, "none" if it is empty. */
void report_print_list(FILE *out, const struct item *root);
void report_print_json(FILE *out, const struct item *root);

#endif
