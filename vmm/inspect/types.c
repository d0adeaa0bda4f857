/* types.c - questions about a type's DIE. */
#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#include "inspect/dwarf.h"

enum { CHAIN_MAX = 32, DEPTH_MAX = 16 };

static bool follow(const Dwarf_Die *die, Dwarf_Die *out)
{
    Dwarf_Attribute attribute;
    Dwarf_Die from = *die;
    return dwarf_attr_integrate(&from, DW_AT_type, &attribute) != NULL &&
           dwarf_formref_die(&attribute, out) != NULL;
}

bool type_strip(const Dwarf_Die *type, Dwarf_Die *out)
{
    Dwarf_Die at = *type;
    for (unsigned i = 0; i < CHAIN_MAX; i++) {
        switch (dwarf_tag(&at)) {
        case DW_TAG_typedef:
        case DW_TAG_const_type:
        case DW_TAG_volatile_type:
        case DW_TAG_restrict_type:
        case DW_TAG_atomic_type:
            if (!follow(&at, &at))
                return false;
            break;
        default:
            *out = at;
            return true;
        }
    }
    return false;
}

bool type_target(const Dwarf_Die *type, Dwarf_Die *out)
{
    Dwarf_Die plain;
    if (!type_strip(type, &plain))
        return false;
    int tag = dwarf_tag(&plain);
    return (tag == DW_TAG_pointer_type || tag == DW_TAG_array_type) && follow(&plain, out);
}

/* Dimensions are the array's children. */
static bool next_dimension(Dwarf_Die *array, Dwarf_Die *die, bool first, uint64_t *count)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number;
    if ((first ? dwarf_child(array, die) : dwarf_siblingof(die, die)) != 0)
        return false;
    *count = 0;
    if (dwarf_attr(die, DW_AT_count, &attribute) != NULL &&
        dwarf_formudata(&attribute, &number) == 0)
        *count = number;
    else if (dwarf_attr(die, DW_AT_upper_bound, &attribute) != NULL &&
             dwarf_formudata(&attribute, &number) == 0)
        *count = number + 1;
    return true;
}

uint64_t type_count(const Dwarf_Die *array)
{
    Dwarf_Die plain, die;
    uint64_t count;
    if (!type_strip(array, &plain) || !next_dimension(&plain, &die, true, &count))
        return 0;
    return count;
}

uint64_t type_size(const Dwarf_Die *type)
{
    Dwarf_Die plain;
    if (!type_strip(type, &plain))
        return 0;
    if (dwarf_tag(&plain) == DW_TAG_pointer_type)
        return sizeof(uint64_t);
    if (dwarf_tag(&plain) == DW_TAG_array_type) {
        Dwarf_Die element, die;
        uint64_t size, count;
        if (!follow(&plain, &element))
            return 0;
        size = type_size(&element);
        for (bool first = true; next_dimension(&plain, &die, first, &count); first = false)
            if (__builtin_mul_overflow(size, count, &size))
                return 0;
        return size;
    }
    int bytes = dwarf_bytesize(&plain);
    return bytes > 0 ? (uint64_t)bytes : 0;
}

static const char *word_of(int tag)
{
    return tag == DW_TAG_structure_type     ? "struct "
           : tag == DW_TAG_union_type       ? "union "
           : tag == DW_TAG_enumeration_type ? "enum "
                                            : "";
}

static void append(char *text, size_t room, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, room - used, "%s", more);
}

static void append_name(const Dwarf_Die *type, char *text, size_t room, unsigned depth)
{
    Dwarf_Die at = *type, target;
    int tag = dwarf_tag(&at);
    bool known = follow(&at, &target);
    char number[32];
    if (depth > DEPTH_MAX)
        return;
    switch (tag) {
    case DW_TAG_pointer_type:
        if (known)
            append_name(&target, text, room, depth + 1);
        else
            append(text, room, "void");
        append(text, room, " *");
        return;
    case DW_TAG_array_type:
        if (known)
            append_name(&target, text, room, depth + 1);
        snprintf(number, sizeof(number), "[%llu]", (unsigned long long)type_count(&at));
        append(text, room, number);
        return;
    case DW_TAG_const_type:
    case DW_TAG_volatile_type:
    case DW_TAG_restrict_type:
    case DW_TAG_atomic_type:
        append(text, room, tag == DW_TAG_const_type ? "const " : "");
        append(text, room, tag == DW_TAG_volatile_type ? "volatile " : "");
        if (known)
            append_name(&target, text, room, depth + 1);
        else
            append(text, room, "void");
        return;
    case DW_TAG_subroutine_type:
        append(text, room, "function");
        return;
    default:
        append(text, room, word_of(tag));
        append(text, room, dwarf_diename(&at) != NULL ? dwarf_diename(&at) : "{...}");
    }
}

void type_name(const Dwarf_Die *type, char *text, size_t room)
{
    text[0] = '\0';
    append_name(type, text, room, 0);
}

/* Only forms that carry a sign are signed: an unsigned enumerator of 0x80 fits one byte. */
bool die_constant(Dwarf_Die *die, int64_t *value)
{
    Dwarf_Attribute attribute;
    Dwarf_Sword whole;
    Dwarf_Word number;
    if (dwarf_attr(die, DW_AT_const_value, &attribute) == NULL)
        return false;
    unsigned form = dwarf_whatform(&attribute);
    if (form == DW_FORM_sdata || form == DW_FORM_implicit_const) {
        if (dwarf_formsdata(&attribute, &whole) != 0)
            return false;
        *value = whole;
        return true;
    }
    if (dwarf_formudata(&attribute, &number) != 0)
        return false;
    *value = (int64_t)number;
    return true;
}

const char *type_enumerator(const Dwarf_Die *type, int64_t value)
{
    Dwarf_Die plain, die;
    if (!type_strip(type, &plain) || dwarf_child(&plain, &die) != 0)
        return NULL;
    do {
        int64_t number;
        if (die_constant(&die, &number) && number == value)
            return dwarf_diename(&die);
    } while (dwarf_siblingof(&die, &die) == 0);
    return NULL;
}

static uint64_t constant_of(Dwarf_Die *die, unsigned name, uint64_t otherwise)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number;
    if (dwarf_attr_integrate(die, name, &attribute) == NULL ||
        dwarf_formudata(&attribute, &number) != 0)
        return otherwise;
    return number;
}

bool member_decode(Dwarf_Die *die, struct member *out)
{
    *out = (struct member){.offset = constant_of(die, DW_AT_data_member_location, 0)};
    if (!follow(die, &out->type))
        return false;
    uint64_t bits = constant_of(die, DW_AT_bit_size, 0);
    uint64_t first = constant_of(die, DW_AT_data_bit_offset, 0);
    if (bits > 64)
        return false;
    out->bit_size = (uint8_t)bits;
    if (bits != 0) {
        out->offset += first / 8;
        out->bit_offset = (uint8_t)(first % 8);
    }
    return true;
}

static bool find_member(const Dwarf_Die *type, const char *name, unsigned depth, struct member *out)
{
    Dwarf_Die plain, die;
    if (depth > DEPTH_MAX || !type_strip(type, &plain) || dwarf_child(&plain, &die) != 0)
        return false;
    do {
        const char *its = dwarf_diename(&die);
        if (dwarf_tag(&die) != DW_TAG_member)
            continue;
        if (its != NULL && strcmp(its, name) == 0)
            return member_decode(&die, out);
        struct member unnamed;
        if (its == NULL && member_decode(&die, &unnamed) &&
            find_member(&unnamed.type, name, depth + 1, out)) {
            out->offset += unnamed.offset;
            return true;
        }
    } while (dwarf_siblingof(&die, &die) == 0);
    return false;
}

bool type_member(const Dwarf_Die *type, const char *name, struct member *out)
{
    return find_member(type, name, 0, out);
}
