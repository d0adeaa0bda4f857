/* value.c - reading typed values of the target. */
#include "inspect/value.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_SLOTS = 1024, NAME_MAX_BYTES = 64, SCALARS = 256 };

/* Members and scalars that were looked up: walking a list asks for the same ones again and again.
 */
struct member_cache {
    struct scalar {
        void *type; /* as below */
        uint64_t size;
        bool is_signed;
    } scalar[SCALARS];
    struct cached {
        void *type; /* the DIE's address in the file */
        char name[NAME_MAX_BYTES];
        struct member member;
    } slot[CACHE_SLOTS];
};

static bool make_cache(struct inspector *inspector)
{
    if (inspector->members == NULL)
        inspector->members = calloc(1, sizeof(*inspector->members));
    return inspector->members != NULL;
}

bool read_kernel(struct inspector *inspector, uint64_t address, void *buffer, uint64_t length)
{
    return target_read_kernel(inspector->target, address, buffer, length) == length;
}

static bool find_member(struct inspector *inspector, const Dwarf_Die *type, const char *name,
                        size_t length, struct member *out)
{
    char text[NAME_MAX_BYTES];
    unsigned key = (unsigned)((uintptr_t)type->addr >> 2) * 31u + (unsigned)length;
    if (length >= sizeof(text))
        return false;
    memcpy(text, name, length);
    text[length] = '\0';
    for (size_t i = 0; i < length; i++)
        key = key * 31u + (unsigned char)name[i];
    if (!make_cache(inspector))
        return type_member(type, text, out);
    struct cached *cached = &inspector->members->slot[key % CACHE_SLOTS];
    if (cached->type != type->addr || strcmp(cached->name, text) != 0) {
        if (!type_member(type, text, &cached->member)) {
            cached->type = NULL;
            return false;
        }
        cached->type = type->addr;
        memcpy(cached->name, text, length + 1);
    }
    *out = cached->member;
    return true;
}

bool value_at(struct inspector *inspector, const char *type, uint64_t address, struct value *out)
{
    *out = (struct value){.address = address};
    return inspector->symbols != NULL && symbols_type(inspector->symbols, type, 0, &out->type);
}

bool value_variable(struct inspector *inspector, const char *name, struct value *out)
{
    *out = (struct value){.address = 0};
    return inspector->symbols != NULL &&
           symbols_variable(inspector->symbols, name, &out->address, &out->type);
}

static bool is_signed(const Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    Dwarf_Word encoding;
    Dwarf_Die die = *type;
    if (dwarf_attr(&die, DW_AT_encoding, &attribute) == NULL ||
        dwarf_formudata(&attribute, &encoding) != 0)
        return false;
    return encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
}

static uint64_t extend(uint64_t number, unsigned bits)
{
    unsigned shift = 64 - bits;
    return (uint64_t)((int64_t)(number << shift) >> shift);
}

static struct scalar scalar_of(struct inspector *inspector, const Dwarf_Die *type)
{
    struct scalar *cached = NULL;
    Dwarf_Die plain;
    if (make_cache(inspector))
        cached = &inspector->members->scalar[(uintptr_t)type->addr / 2 % SCALARS];
    if (cached != NULL && cached->type == type->addr)
        return *cached;
    struct scalar scalar = {.type = type->addr, .size = type_size(type)};
    scalar.is_signed = type_strip(type, &plain) && is_signed(&plain);
    if (cached != NULL)
        *cached = scalar;
    return scalar;
}

bool value_read(struct inspector *inspector, const struct value *value, uint64_t *out)
{
    uint64_t number = 0;
    *out = value->number;
    if (value->is_number)
        return true;
    *out = 0;
    struct scalar scalar = scalar_of(inspector, &value->type);
    if (scalar.size == 0 || scalar.size > sizeof(number) ||
        !read_kernel(inspector, value->address, &number, scalar.size))
        return false;
    unsigned bits = (unsigned)scalar.size * 8;
    if (value->bit_size != 0) {
        bits = value->bit_size;
        number >>= value->bit_offset;
    }
    if (bits < 64)
        number &= (1ull << bits) - 1;
    *out = bits < 64 && scalar.is_signed ? extend(number, bits) : number;
    return true;
}

bool value_target(struct inspector *inspector, const Dwarf_Die *type, Dwarf_Die *out)
{
    Dwarf_Die plain, whole;
    char name[VALUE_TEXT_MAX];
    if (!type_target(type, out))
        return false;
    if (!type_strip(out, &plain) || !dwarf_hasattr(&plain, DW_AT_declaration))
        return true;
    type_name(&plain, name, sizeof(name));
    if (symbols_type(inspector->symbols, name, 0, &whole))
        *out = whole;
    return true;
}

bool value_deref(struct inspector *inspector, const struct value *pointer, struct value *out)
{
    struct value place = {.address = 0};
    if (!value_target(inspector, &pointer->type, &place.type) ||
        !value_read(inspector, pointer, &place.address) || place.address == 0)
        return false;
    *out = place;
    return true;
}

bool value_index(struct inspector *inspector, const struct value *array, uint64_t index,
                 struct value *out)
{
    Dwarf_Die plain;
    struct value place = {.address = array->address};
    uint64_t offset;
    if (!type_strip(&array->type, &plain) || !value_target(inspector, &plain, &place.type))
        return false;
    if (dwarf_tag(&plain) == DW_TAG_pointer_type &&
        (!value_read(inspector, array, &place.address) || place.address == 0))
        return false;
    if (__builtin_mul_overflow(type_size(&place.type), index, &offset))
        return false;
    place.address += offset;
    *out = place;
    return true;
}

bool value_path(struct inspector *inspector, const struct value *from, const char *path,
                struct value *out)
{
    struct value at = *from;
    while (*path != '\0') {
        struct member member;
        if (path[0] == '-' && path[1] == '>') {
            if (!value_deref(inspector, &at, &at))
                return false;
            path += 2;
        } else if (path[0] == '.') {
            path++;
        }
        size_t length = strcspn(path, ".-");
        if (length == 0)
            continue;
        if (at.is_number || !find_member(inspector, &at.type, path, length, &member))
            return false;
        at = (struct value){.type = member.type,
                            .address = at.address + member.offset,
                            .bit_offset = member.bit_offset,
                            .bit_size = member.bit_size};
        path += length;
    }
    *out = at;
    return true;
}

uint64_t value_number(struct inspector *inspector, const struct value *from, const char *path)
{
    struct value at;
    uint64_t number;
    return value_path(inspector, from, path, &at) && value_read(inspector, &at, &number) ? number
                                                                                         : 0;
}

bool value_offset(struct inspector *inspector, const char *type, const char *path, uint64_t *offset)
{
    struct value from, at;
    if (!value_at(inspector, type, 0, &from) || !value_path(inspector, &from, path, &at))
        return false;
    *offset = at.address;
    return true;
}

bool read_text(struct inspector *inspector, uint64_t address, char *text, size_t room)
{
    uint64_t had = target_read_kernel(inspector->target, address, text, room - 1);
    text[had] = '\0';
    return had > 0 && memchr(text, '\0', had + 1) != NULL;
}

bool value_text(struct inspector *inspector, const struct value *from, const char *path, char *text,
                size_t room)
{
    struct value at;
    Dwarf_Die plain;
    uint64_t address;
    text[0] = '\0';
    if (!value_path(inspector, from, path, &at) || !type_strip(&at.type, &plain))
        return false;
    if (dwarf_tag(&plain) != DW_TAG_array_type)
        return value_read(inspector, &at, &address) && address != 0 &&
               read_text(inspector, address, text, room);
    uint64_t size = type_size(&plain);
    return read_text(inspector, at.address, text, size + 1 < room ? size + 1 : room);
}
