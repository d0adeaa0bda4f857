/* print.c - a report as text for people and as JSON for programs. */
#include <inttypes.h>
#include <string.h>

#include "inspect/report.h"

enum { CELL_BYTES = 512, COLUMNS_MAX = 24, INDENT = 2 };

static bool is_scalar(const struct item *item)
{
    return item->kind > ITEM_LIST;
}

void print_harmless(FILE *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        fputc(*at >= ' ' && *at < 0x7f ? *at : '.', out);
}

void item_scalar_text(const struct item *item, char *text, size_t room)
{
    text[0] = '\0';
    switch (item->kind) {
    case ITEM_NUMBER:
        snprintf(text, room, "%" PRIu64, item->number);
        break;
    case ITEM_SIGNED:
        snprintf(text, room, "%" PRId64, item->whole);
        break;
    case ITEM_HEX:
        snprintf(text, room, "%#" PRIx64, item->number);
        break;
    case ITEM_BOOL:
        snprintf(text, room, "%s", item->number != 0 ? "yes" : "no");
        break;
    case ITEM_TEXT:
        snprintf(text, room, "%s", item->text);
        break;
    case ITEM_MAP:
        snprintf(text, room, "{%u}", item->count);
        break;
    case ITEM_LIST:
        snprintf(text, room, "[%u]", item->count);
        break;
    }
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
            *at = '.';
}

/* A list of scalars in one cell: "a, b, c". */
static void cell_text(const struct item *item, char *text, size_t room)
{
    if (item->kind != ITEM_LIST) {
        item_scalar_text(item, text, room);
        return;
    }
    size_t used = 0;
    text[0] = '\0';
    for (const struct item *each = item->first; each != NULL && used + 8 < room;
         each = each->next) {
        char one[CELL_BYTES];
        item_scalar_text(each, one, sizeof(one));
        int length = snprintf(text + used, room - used, "%s%s", used > 0 ? ", " : "", one);
        used = length < 0 ? room : used + (size_t)length;
    }
    if (item->count == 0)
        snprintf(text, room, "none");
}

/* ---- Tables -------------------------------------------------------------------------------- */

struct table {
    const char *key[COLUMNS_MAX];
    size_t width[COLUMNS_MAX];
    bool right[COLUMNS_MAX]; /* numbers stand to the right */
    unsigned columns;
};

static unsigned column_of(struct table *table, const char *key)
{
    for (unsigned i = 0; i < table->columns; i++)
        if (strcmp(table->key[i], key) == 0)
            return i;
    if (table->columns == COLUMNS_MAX)
        return COLUMNS_MAX;
    table->key[table->columns] = key;
    table->width[table->columns] = strlen(key);
    table->right[table->columns] = true;
    return table->columns++;
}

static void measure(struct table *table, const struct item *list)
{
    *table = (struct table){.columns = 0};
    for (const struct item *row = list->first; row != NULL; row = row->next) {
        for (const struct item *cell = row->first; cell != NULL; cell = cell->next) {
            char text[CELL_BYTES];
            unsigned column = cell->quiet ? COLUMNS_MAX : column_of(table, cell->key);
            if (column == COLUMNS_MAX)
                continue;
            cell_text(cell, text, sizeof(text));
            if (strlen(text) > table->width[column])
                table->width[column] = strlen(text);
            if (cell->kind != ITEM_NUMBER && cell->kind != ITEM_SIGNED)
                table->right[column] = false;
        }
    }
}

static void print_cell(FILE *out, const struct table *table, unsigned column, const char *text)
{
    int width = (int)table->width[column];
    bool last = column + 1 == table->columns;
    if (table->right[column])
        fprintf(out, "%*s", width, text);
    else
        fprintf(out, "%-*s", last ? 0 : width, text);
    fputs(last ? "\n" : "  ", out);
}

static void print_table(FILE *out, const struct item *list, int indent)
{
    struct table table;
    measure(&table, list);
    fprintf(out, "%*s", indent, "");
    for (unsigned i = 0; i < table.columns; i++)
        print_cell(out, &table, i, table.key[i]);
    for (const struct item *row = list->first; row != NULL; row = row->next) {
        fprintf(out, "%*s", indent, "");
        for (unsigned i = 0; i < table.columns; i++) {
            char text[CELL_BYTES] = "";
            const struct item *cell = item_find(row, table.key[i]);
            if (cell != NULL)
                cell_text(cell, text, sizeof(text));
            print_cell(out, &table, i, text);
        }
    }
}

/* ---- Text ---------------------------------------------------------------------------------- */

static void print_item(FILE *out, const struct item *item, int indent);

static bool is_table(const struct item *list)
{
    for (const struct item *row = list->first; row != NULL; row = row->next) {
        if (row->kind != ITEM_MAP)
            return false;
        for (const struct item *cell = row->first; cell != NULL; cell = cell->next)
            if (!cell->quiet &&
                (cell->kind == ITEM_MAP ||
                 (cell->kind == ITEM_LIST && cell->first != NULL && !is_scalar(cell->first))))
                return false;
    }
    return list->count > 0;
}

static bool is_row_of_scalars(const struct item *list)
{
    for (const struct item *item = list->first; item != NULL; item = item->next)
        if (!is_scalar(item))
            return false;
    return true;
}

static void print_map(FILE *out, const struct item *map, int indent)
{
    size_t width = 0;
    for (const struct item *item = map->first; item != NULL; item = item->next)
        if (!item->quiet && strlen(item->key) > width)
            width = strlen(item->key);
    for (const struct item *item = map->first; item != NULL; item = item->next) {
        char text[CELL_BYTES * 4];
        if (item->quiet)
            continue;
        fprintf(out, "%*s", indent, "");
        if (is_scalar(item) || (item->kind == ITEM_LIST && is_row_of_scalars(item))) {
            cell_text(item, text, sizeof(text));
            fprintf(out, "%-*s  %s\n", (int)width, item->key, text);
        } else {
            fprintf(out, "%s:\n", item->key);
            print_item(out, item, indent + INDENT);
        }
    }
}

static void print_list(FILE *out, const struct item *list, int indent)
{
    if (is_table(list)) {
        print_table(out, list, indent);
        return;
    }
    unsigned number = 0;
    for (const struct item *item = list->first; item != NULL; item = item->next, number++) {
        if (is_scalar(item)) {
            print_item(out, item, indent);
        } else {
            fprintf(out, "%*s[%u]\n", indent, "", number);
            print_item(out, item, indent + INDENT);
        }
    }
}

static void print_item(FILE *out, const struct item *item, int indent)
{
    if (item->kind == ITEM_MAP) {
        print_map(out, item, indent);
    } else if (item->kind == ITEM_LIST) {
        print_list(out, item, indent);
    } else {
        char text[CELL_BYTES * 4];
        item_scalar_text(item, text, sizeof(text));
        fprintf(out, "%*s%s\n", indent, "", text);
    }
}

void report_print_text(FILE *out, const struct item *root)
{
    print_item(out, root, 0);
}

void report_print_list(FILE *out, const struct item *root)
{
    if (root->first == NULL || root->first->count == 0)
        fputs("none\n", out);
    else
        print_item(out, root->first, 0);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

/* Bytes that are no ASCII are shown as the Latin-1 character: guest text has no known coding. */
static void print_json_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at < ' ' || *at >= 0x7f)
            fprintf(out, "\\u%04x", *at);
        else
            fputc(*at, out);
    }
    fputc('"', out);
}

static void print_json(FILE *out, const struct item *item, int indent)
{
    bool map = item->kind == ITEM_MAP;
    switch (item->kind) {
    case ITEM_NUMBER:
        fprintf(out, "%" PRIu64, item->number);
        return;
    case ITEM_SIGNED:
        fprintf(out, "%" PRId64, item->whole);
        return;
    case ITEM_HEX:
        fprintf(out, "\"%#" PRIx64 "\"", item->number);
        return;
    case ITEM_BOOL:
        fputs(item->number != 0 ? "true" : "false", out);
        return;
    case ITEM_TEXT:
        print_json_text(out, item->text);
        return;
    case ITEM_MAP:
    case ITEM_LIST:
        break;
    }
    fputc(map ? '{' : '[', out);
    for (const struct item *each = item->first; each != NULL; each = each->next) {
        fprintf(out, "%s\n%*s", each == item->first ? "" : ",", indent + INDENT, "");
        if (map) {
            print_json_text(out, each->key);
            fputs(": ", out);
        }
        print_json(out, each, indent + INDENT);
    }
    if (item->first != NULL)
        fprintf(out, "\n%*s", indent, "");
    fputc(map ? '}' : ']', out);
}

void report_print_json(FILE *out, const struct item *root)
{
    print_json(out, root, 0);
    fputc('\n', out);
}
