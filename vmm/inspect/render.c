/* render.c - a typed value as an item of a report: the shape is the type's. */
#include <dwarf.h>
#include <string.h>

#include "inspect/kernel.h"

enum { ARRAY_SHOWN = 64, POINTER_TEXT = 160 };

static void render_pointer(struct inspector *inspector, const struct value *value, uint64_t number,
                           struct item *parent, const char *key)
{
    char text[POINTER_TEXT] = "", words[POINTER_TEXT];
    Dwarf_Die target;
    bool typed = value_target(inspector, &value->type, &target);
    if (number == 0) {
        item_text(inspector->report, parent, key, "NULL");
        return;
    }
    const struct object *object = typed && inspector->census != NULL && type_is_object(&target)
                                      ? census_by_address(inspector->census, number)
                                      : NULL;
    if (object != NULL)
        object_words(inspector, object, text, sizeof(text));
    else if (typed && type_size(&target) == 1 && read_text(inspector, number, words, 80))
        snprintf(text, sizeof(text), "\"%.80s\"", words);
    else
        symbols_describe(inspector->symbols, number, text, sizeof(text));
    item_format(inspector->report, parent, key, "%#llx%s%s", (unsigned long long)number,
                text[0] != '\0' ? " " : "", text);
}

static void render_base(struct inspector *inspector, const struct value *value,
                        const Dwarf_Die *plain, uint64_t number, struct item *parent,
                        const char *key)
{
    Dwarf_Die die = *plain;
    Dwarf_Attribute attribute;
    Dwarf_Word encoding = 0;
    char name[VALUE_TEXT_MAX];
    if (dwarf_attr(&die, DW_AT_encoding, &attribute) != NULL)
        dwarf_formudata(&attribute, &encoding);
    type_name(&value->type, name, sizeof(name));
    if (encoding == DW_ATE_boolean)
        item_bool(inspector->report, parent, key, number != 0);
    else if (strcmp(name, "zx_time_t") == 0 && (int64_t)number == INT64_MAX)
        item_text(inspector->report, parent, key, "none");
    else if (encoding == DW_ATE_signed || encoding == DW_ATE_signed_char)
        item_signed(inspector->report, parent, key, (int64_t)number);
    else if (number >= 1ull << 40)
        item_hex(inspector->report, parent, key, number);
    else
        item_number(inspector->report, parent, key, number);
}

static void render_enum(struct inspector *inspector, const struct value *value, uint64_t number,
                        struct item *parent, const char *key)
{
    const char *name = type_enumerator(&value->type, (int64_t)number);
    if (name != NULL)
        item_text(inspector->report, parent, key, name);
    else
        item_format(inspector->report, parent, key, "%lld (no such enumerator)",
                    (long long)(int32_t)number);
}

/* ---- Structures and arrays ----------------------------------------------------------------- */

static bool is_text(const Dwarf_Die *element)
{
    Dwarf_Die plain;
    const char *name = type_strip(element, &plain) ? dwarf_diename(&plain) : NULL;
    return name != NULL && strcmp(name, "char") == 0;
}

static void render_array(struct inspector *inspector, const struct value *value, unsigned depth,
                         struct item *parent, const char *key)
{
    char text[VALUE_TEXT_MAX];
    Dwarf_Die element;
    uint64_t count = type_count(&value->type);
    if (!type_target(&value->type, &element))
        return;
    if (is_text(&element)) {
        value_text(inspector, value, "", text, sizeof(text));
        item_text(inspector->report, parent, key, text);
        return;
    }
    struct item *list = item_list(inspector->report, parent, key);
    for (uint64_t i = 0; i < count && i < ARRAY_SHOWN; i++) {
        struct value each;
        if (value_index(inspector, value, i, &each))
            value_report(inspector, &each, depth - 1, list, NULL);
    }
    if (count > ARRAY_SHOWN)
        item_format(inspector->report, list, NULL, "... %llu more",
                    (unsigned long long)(count - ARRAY_SHOWN));
}

static void render_members(struct inspector *inspector, const struct value *value,
                           const Dwarf_Die *plain, unsigned depth, struct item *map)
{
    Dwarf_Die type = *plain, die, inner;
    if (dwarf_child(&type, &die) != 0)
        return;
    do {
        struct member member;
        const char *name = dwarf_diename(&die);
        if (dwarf_tag(&die) != DW_TAG_member || !member_decode(&die, &member))
            continue;
        struct value at = {.type = member.type,
                           .address = value->address + member.offset,
                           .bit_offset = member.bit_offset,
                           .bit_size = member.bit_size};
        if (name != NULL)
            value_report(inspector, &at, depth - 1, map, name);
        else if (type_strip(&member.type, &inner))
            render_members(inspector, &at, &inner, depth - 1, map);
    } while (dwarf_siblingof(&die, &die) == 0);
}

static void render_scalar(struct inspector *inspector, const struct value *value,
                          const Dwarf_Die *plain, struct item *parent, const char *key)
{
    Dwarf_Die die = *plain;
    uint64_t number;
    if (!value_read(inspector, value, &number)) {
        item_text(inspector->report, parent, key, "(not mapped)");
        return;
    }
    switch (dwarf_tag(&die)) {
    case DW_TAG_pointer_type:
        render_pointer(inspector, value, number, parent, key);
        break;
    case DW_TAG_enumeration_type:
        render_enum(inspector, value, number, parent, key);
        break;
    default:
        render_base(inspector, value, plain, number, parent, key);
    }
}

void value_report(struct inspector *inspector, const struct value *value, unsigned depth,
                  struct item *parent, const char *key)
{
    Dwarf_Die plain;
    int tag;
    if (!type_strip(&value->type, &plain)) {
        item_text(inspector->report, parent, key, "void");
        return;
    }
    tag = dwarf_tag(&plain);
    bool compound = tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
    if ((compound || tag == DW_TAG_array_type) && depth == 0)
        item_text(inspector->report, parent, key, compound ? "{...}" : "[...]");
    else if (compound)
        render_members(inspector, value, &plain, depth, item_map(inspector->report, parent, key));
    else if (tag == DW_TAG_array_type)
        render_array(inspector, value, depth, parent, key);
    else
        render_scalar(inspector, value, &plain, parent, key);
}
