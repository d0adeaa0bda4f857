/*
 * expr.c - C expressions over the target's variables.
 *
 *   unary   := '*' unary | '&' unary | '(' type ')' unary | postfix
 *   postfix := primary { '.' name | '->' name | '[' unary ']' }
 *   primary := number | name | '$' koid | '(' unary ')'
 */
#include <ctype.h>
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/kernel.h"

enum { WORD_MAX_BYTES = 64, NESTING_MAX = 50 };

struct parser {
    struct inspector *inspector;
    const char *text, *at;
    unsigned nesting;
};

static int unary(struct parser *parser, struct value *out);

static int fail(struct parser *parser, const char *why)
{
    if (*parser->at == '\0')
        return error_set(parser->inspector->error, "'%s': %s at the end", parser->text, why);
    return error_set(parser->inspector->error, "'%s': %s at '%s'", parser->text, why, parser->at);
}

static char peek(struct parser *parser)
{
    while (isspace((unsigned char)*parser->at))
        parser->at++;
    return *parser->at;
}

static bool take(struct parser *parser, const char *token)
{
    peek(parser);
    if (strncmp(parser->at, token, strlen(token)) != 0)
        return false;
    parser->at += strlen(token);
    return true;
}

static bool word(struct parser *parser, char *text)
{
    size_t length = 0;
    peek(parser);
    while (isalnum((unsigned char)parser->at[length]) || parser->at[length] == '_')
        length++;
    if (length == 0 || length >= WORD_MAX_BYTES || isdigit((unsigned char)parser->at[0]))
        return false;
    memcpy(text, parser->at, length);
    text[length] = '\0';
    parser->at += length;
    return true;
}

static int number(struct parser *parser, uint64_t *out)
{
    char *end;
    peek(parser);
    *out = strtoull(parser->at, &end, 0);
    if (end == parser->at)
        return fail(parser, "a number is missing");
    parser->at = end;
    return 0;
}

/* ---- Types ---------------------------------------------------------------------------------- */

/* "struct thread *" with the stars counted; false, at the start again, if this is no type. */
static bool type_word(struct parser *parser, Dwarf_Die *type, unsigned *stars)
{
    static const char *const tags[] = {"struct", "union", "enum", "unsigned", "long", "signed"};
    char name[WORD_MAX_BYTES * 3], more[WORD_MAX_BYTES];
    const char *start = parser->at;
    if (!word(parser, name))
        return false;
    for (unsigned i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (strcmp(name, tags[i]) != 0)
            continue;
        while (word(parser, more) && strlen(name) + strlen(more) + 2 < sizeof(name)) {
            strcat(name, " ");
            strcat(name, more);
        }
    }
    *stars = 0;
    while (take(parser, "*"))
        ++*stars;
    if (symbols_type(parser->inspector->symbols, name, 0, type) && peek(parser) == ')')
        return true;
    parser->at = start;
    return false;
}

/* (TYPE *)NUMBER, or (TYPE)NUMBER for scalars. DWARF may lack the pointer type itself: a place of
 * the target type stands for it until it is dereferenced. */
static int cast(struct parser *parser, const Dwarf_Die *type, unsigned stars, struct value *out)
{
    struct value operand;
    uint64_t value;
    if (!take(parser, ")"))
        return fail(parser, "')' is missing");
    if (unary(parser, &operand) != 0)
        return -1;
    if (stars > 1)
        return fail(parser, "a cast to a pointer to a pointer");
    if (operand.is_number)
        value = operand.number;
    else if (!value_read(parser->inspector, &operand, &value))
        return fail(parser, "a cast of something that is no number");
    *out = (struct value){.type = *type, .is_number = true, .number = value};
    if (stars == 1)
        *out = (struct value){.type = *type, .is_number = true, .number = value, .bit_size = 1};
    return 0;
}

/* Casts and & make a number whose type is what it points at: bit_size 1 marks it. */
static bool is_made_pointer(const struct value *value)
{
    return value->is_number && value->bit_size == 1;
}

static int dereference(struct parser *parser, struct value *value)
{
    if (is_made_pointer(value)) {
        *value = (struct value){.type = value->type, .address = value->number};
        return 0;
    }
    struct value pointer = *value;
    Dwarf_Die target;
    uint64_t address;
    if (value->is_number || !value_target(parser->inspector, &pointer.type, &target))
        return fail(parser, "this is no pointer to a known type");
    if (!value_read(parser->inspector, &pointer, &address))
        return fail(parser, "the pointer is not in mapped memory");
    if (address == 0)
        return fail(parser, "the pointer is NULL");
    *value = (struct value){.type = target, .address = address};
    return 0;
}

/* ---- Expressions ---------------------------------------------------------------------------- */

static int koid(struct parser *parser, struct value *out)
{
    uint64_t wanted;
    struct census *census = census_of(parser->inspector);
    if (census == NULL || number(parser, &wanted) != 0)
        return -1;
    struct object *object = census_by_koid(census, wanted);
    if (object == NULL)
        return error_set(parser->inspector->error, "no object has the koid %llu",
                         (unsigned long long)wanted);
    *out = object_value(parser->inspector, object);
    return 0;
}

static int name(struct parser *parser, struct value *out)
{
    char text[WORD_MAX_BYTES];
    int64_t constant;
    if (!word(parser, text))
        return fail(parser, "a name or a number is missing");
    const char *real = strcmp(text, "cpu0") == 0     ? "boot_cpu"
                       : strcmp(text, "kernel") == 0 ? "the_kernel"
                                                     : text;
    if (value_variable(parser->inspector, real, out))
        return 0;
    if (symbols_constant(parser->inspector->symbols, text, &constant)) {
        *out = (struct value){.is_number = true, .number = (uint64_t)constant};
        return 0;
    }
    return error_set(parser->inspector->error,
                     "the kernel has no variable or enumerator '%s' (objects are $KOID, the "
                     "processor is cpu0)",
                     text);
}

static int primary(struct parser *parser, struct value *out)
{
    char next = peek(parser);
    *out = (struct value){.is_number = true};
    if (isdigit((unsigned char)next))
        return number(parser, &out->number);
    if (take(parser, "$"))
        return koid(parser, out);
    if (!take(parser, "("))
        return name(parser, out);
    if (unary(parser, out) != 0)
        return -1;
    return take(parser, ")") ? 0 : fail(parser, "')' is missing");
}

static int select_member(struct parser *parser, struct value *value)
{
    char text[WORD_MAX_BYTES];
    Dwarf_Die plain;
    char type[VALUE_TEXT_MAX];
    if (!word(parser, text))
        return fail(parser, "a member's name is missing");
    if (!value->is_number && value_path(parser->inspector, value, text, value))
        return 0;
    type[0] = '\0';
    if (!value->is_number && type_strip(&value->type, &plain))
        type_name(&plain, type, sizeof(type));
    return error_set(parser->inspector->error, "'%s' has no member '%s'",
                     type[0] != '\0' ? type : "a number", text);
}

static int element(struct parser *parser, struct value *value)
{
    struct value index;
    uint64_t i;
    if (unary(parser, &index) != 0)
        return -1;
    if (!take(parser, "]"))
        return fail(parser, "']' is missing");
    if (!value_read(parser->inspector, &index, &i) || value->is_number ||
        !value_index(parser->inspector, value, i, value))
        return fail(parser, "this cannot be indexed before");
    return 0;
}

static int postfix(struct parser *parser, struct value *out)
{
    if (primary(parser, out) != 0)
        return -1;
    for (;;) {
        int failed;
        if (take(parser, "->"))
            failed = dereference(parser, out) != 0 || select_member(parser, out) != 0;
        else if (take(parser, "."))
            failed = select_member(parser, out);
        else if (take(parser, "["))
            failed = element(parser, out);
        else
            return 0;
        if (failed)
            return -1;
    }
}

static int unary_inner(struct parser *parser, struct value *out)
{
    Dwarf_Die type;
    unsigned stars;
    const char *start = (peek(parser), parser->at);
    if (take(parser, "*"))
        return unary(parser, out) != 0 ? -1 : dereference(parser, out);
    if (take(parser, "&")) {
        if (unary(parser, out) != 0)
            return -1;
        if (out->is_number)
            return fail(parser, "a number has no address before");
        *out = (struct value){
            .type = out->type, .is_number = true, .number = out->address, .bit_size = 1};
        return 0;
    }
    if (take(parser, "(") && type_word(parser, &type, &stars))
        return cast(parser, &type, stars, out);
    parser->at = start;
    return postfix(parser, out);
}

static int unary(struct parser *parser, struct value *out)
{
    if (++parser->nesting > NESTING_MAX)
        return fail(parser, "too deeply nested");
    int failed = unary_inner(parser, out);
    parser->nesting--;
    return failed;
}

int expression_evaluate(struct inspector *inspector, const char *text, struct value *out)
{
    struct parser parser = {.inspector = inspector, .text = text, .at = text};
    if (unary(&parser, out) != 0)
        return -1;
    if (peek(&parser) != '\0')
        return fail(&parser, "what does this mean");
    return 0;
}
