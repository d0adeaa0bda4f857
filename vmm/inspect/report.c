/* report.c - the tree of findings: building and comparing it. */
#include "inspect/report.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (64u << 10)
#define TOTAL_MAX   (512ull << 20) /* a damaged guest must not eat the host's memory */

/* Items and strings are carved out of blocks and freed together. */
struct block {
    struct block *next;
    size_t used, room;
    _Alignas(16) char bytes[];
};

struct report {
    struct block *blocks;
    uint64_t total;
    bool failed;
};

struct report *report_new(void)
{
    return calloc(1, sizeof(struct report));
}

void report_free(struct report *report)
{
    while (report != NULL && report->blocks != NULL) {
        struct block *next = report->blocks->next;
        free(report->blocks);
        report->blocks = next;
    }
    free(report);
}

bool report_failed(const struct report *report)
{
    return report->failed;
}

static void *carve(struct report *report, size_t size)
{
    struct block *block = report->blocks;
    size = (size + 15) & ~(size_t)15;
    if (block == NULL || block->room - block->used < size) {
        size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        block = report->total > TOTAL_MAX ? NULL : malloc(sizeof(*block) + room);
        if (block == NULL) {
            report->failed = true;
            return NULL;
        }
        *block = (struct block){.next = report->blocks, .room = room};
        report->blocks = block;
        report->total += room;
    }
    void *at = block->bytes + block->used;
    block->used += size;
    return at;
}

static const char *keep(struct report *report, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = carve(report, size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static void append(struct item *parent, struct item *item)
{
    if (parent->last != NULL)
        parent->last->next = item;
    else
        parent->first = item;
    parent->last = item;
    parent->count++;
}

static struct item *add(struct report *report, struct item *parent, const char *key,
                        enum item_kind kind)
{
    if (parent == NULL && key != NULL)
        return NULL; /* an earlier allocation failed */
    struct item *item = carve(report, sizeof(*item));
    if (item == NULL)
        return NULL;
    *item = (struct item){.kind = kind};
    if (key != NULL && (item->key = keep(report, key)) == NULL)
        return NULL;
    if (parent != NULL)
        append(parent, item);
    return item;
}

struct item *item_map(struct report *report, struct item *parent, const char *key)
{
    return add(report, parent, key, ITEM_MAP);
}

struct item *item_list(struct report *report, struct item *parent, const char *key)
{
    return add(report, parent, key, ITEM_LIST);
}

static void add_number(struct report *report, struct item *parent, const char *key,
                       enum item_kind kind, uint64_t value)
{
    struct item *item = parent != NULL ? add(report, parent, key, kind) : NULL;
    if (item != NULL)
        item->number = value;
}

void item_number(struct report *report, struct item *parent, const char *key, uint64_t value)
{
    add_number(report, parent, key, ITEM_NUMBER, value);
}

void item_signed(struct report *report, struct item *parent, const char *key, int64_t value)
{
    add_number(report, parent, key, ITEM_SIGNED, (uint64_t)value);
}

void item_hex(struct report *report, struct item *parent, const char *key, uint64_t value)
{
    add_number(report, parent, key, ITEM_HEX, value);
}

void item_bool(struct report *report, struct item *parent, const char *key, bool value)
{
    add_number(report, parent, key, ITEM_BOOL, value);
}

struct item *item_text(struct report *report, struct item *parent, const char *key,
                       const char *text)
{
    const char *copy = parent != NULL ? keep(report, text) : NULL;
    struct item *item = copy != NULL ? add(report, parent, key, ITEM_TEXT) : NULL;
    if (item != NULL)
        item->text = copy;
    return item;
}

struct item *item_format(struct report *report, struct item *parent, const char *key,
                         const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return item_text(report, parent, key, text);
}

void item_adopt(struct item *parent, const char *key, struct item *item)
{
    if (parent == NULL || item == NULL)
        return;
    item->key = key;
    item->next = NULL;
    append(parent, item);
}

const struct item *item_find(const struct item *map, const char *key)
{
    if (map == NULL || map->kind != ITEM_MAP)
        return NULL;
    for (const struct item *item = map->first; item != NULL; item = item->next)
        if (strcmp(item->key, key) == 0)
            return item;
    return NULL;
}

const char *item_find_text(const struct item *map, const char *key)
{
    const struct item *item = item_find(map, key);
    return item != NULL && item->kind == ITEM_TEXT ? item->text : "";
}

uint64_t item_find_number(const struct item *map, const char *key)
{
    const struct item *item = item_find(map, key);
    return item != NULL && item->kind != ITEM_TEXT && item->kind > ITEM_LIST ? item->number : 0;
}

bool item_equal(const struct item *a, const struct item *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind)
        return false;
    if (a->kind == ITEM_TEXT)
        return strcmp(a->text, b->text) == 0;
    if (a->kind > ITEM_LIST)
        return a->number == b->number;
    if (a->count != b->count)
        return false;
    const struct item *x = a->first, *y = b->first;
    for (; x != NULL && y != NULL; x = x->next, y = y->next)
        if ((x->key != NULL && strcmp(x->key, y->key) != 0) || !item_equal(x, y))
            return false;
    return true;
}
