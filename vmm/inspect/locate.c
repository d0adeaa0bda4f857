/* locate.c - what a place in the kernel's memory is, from the outside in. */
#include "inspect/locate.h"

#include <dwarf.h>
#include <stdarg.h>
#include <string.h>

#include "hypercall.h"

enum { NESTING_MAX = 16, PATH_ROOM = 160 };

static void say(struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct place *place, const char *format, ...)
{
    size_t used = strlen(place->words);
    va_list args;
    va_start(args, format);
    vsnprintf(place->words + used, sizeof(place->words) - used, format, args);
    va_end(args);
}

/* ---- Down to the scalar at an address -------------------------------------------------------- */

static void append(char path[PATH_ROOM], const char *text)
{
    size_t used = strlen(path);
    snprintf(path + used, PATH_ROOM - used, "%s", text);
}

/* The member of a structure or union that covers `address`; of a union the first. */
static bool enter_member(struct value *at, const Dwarf_Die *plain, uint64_t address,
                         char path[PATH_ROOM])
{
    Dwarf_Die type = *plain, die;
    if (dwarf_child(&type, &die) != 0)
        return false;
    do {
        struct member member;
        const char *name = dwarf_diename(&die);
        if (dwarf_tag(&die) != DW_TAG_member || !member_decode(&die, &member) ||
            address < at->address + member.offset ||
            address - (at->address + member.offset) >= type_size(&member.type))
            continue;
        *at = (struct value){.type = member.type,
                             .address = at->address + member.offset,
                             .bit_offset = member.bit_offset,
                             .bit_size = member.bit_size};
        if (name != NULL) {
            append(path, path[0] != '\0' ? "." : "");
            append(path, name);
        }
        return true;
    } while (dwarf_siblingof(&die, &die) == 0);
    return false;
}

static bool is_text(const Dwarf_Die *element)
{
    Dwarf_Die plain;
    const char *name = type_strip(element, &plain) ? dwarf_diename(&plain) : NULL;
    return name != NULL && strcmp(name, "char") == 0;
}

static bool enter_element(struct inspector *inspector, struct value *at, uint64_t address,
                          char path[PATH_ROOM])
{
    char text[32];
    Dwarf_Die element;
    uint64_t size = type_target(&at->type, &element) ? type_size(&element) : 0;
    if (size == 0 || is_text(&element))
        return false;
    uint64_t index = (address - at->address) / size;
    snprintf(text, sizeof(text), "[%llu]", (unsigned long long)index);
    append(path, text);
    return value_index(inspector, at, index, at);
}

/* From a structure into it, as far as its type says something about `address`. */
static void descend(struct inspector *inspector, struct value *at, uint64_t address,
                    char path[PATH_ROOM])
{
    Dwarf_Die plain;
    for (unsigned i = 0; i < NESTING_MAX && type_strip(&at->type, &plain); i++) {
        int tag = dwarf_tag(&plain);
        bool further = false;
        if (tag == DW_TAG_structure_type || tag == DW_TAG_union_type)
            further = enter_member(at, &plain, address, path);
        else if (tag == DW_TAG_array_type)
            further = enter_element(inspector, at, address, path);
        if (!further)
            return;
    }
}

static void say_field(struct inspector *inspector, struct place *place, const struct value *whole,
                      uint64_t address, const char *separator)
{
    char path[PATH_ROOM] = "";
    place->value = *whole;
    descend(inspector, &place->value, address, path);
    place->typed = path[0] != '\0';
    if (place->typed)
        say(place, "%s%s", path[0] != '[' ? separator : "", path);
}

/* ---- The kernel's image ---------------------------------------------------------------------- */

static void locate_variable(struct inspector *inspector, uint64_t address, struct place *place)
{
    struct symbol symbol;
    struct value variable;
    char name[64];
    if (!symbols_at(inspector->symbols, address, &symbol)) {
        say(place, "no variable at %#llx", (unsigned long long)address);
        return;
    }
    /* gcc numbers variables of the same name that are static in different files. */
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(symbol.name, "."), symbol.name);
    place->in_use = strcmp(name, "heap") != 0 && strcmp(name, "frames") != 0;
    say(place, "variable %s", name);
    if (value_variable(inspector, name, &variable) && variable.address == symbol.address)
        say_field(inspector, place, &variable, address, ".");
    else
        say(place, "+%#llx", (unsigned long long)(address - symbol.address));
}

/* ---- The heap -------------------------------------------------------------------------------- */

struct block {
    uint64_t start, size;
    bool free;
};

static const struct object *object_at(struct inspector *inspector, uint64_t address)
{
    for (size_t i = 0; i < census_count(inspector->census); i++) {
        const struct object *object = census_object(inspector->census, i);
        if (object->type->has_struct && address >= object->address &&
            address - object->address < object->type->size)
            return object;
    }
    return NULL;
}

/* Whether the block that starts at `start` hangs in its page's list of free ones. */
static bool is_listed(struct inspector *inspector, uint64_t first, uint64_t start)
{
    for (unsigned i = 0; i < PAGE_BYTES / 16 && first != 0; i++) {
        if (first == start)
            return true;
        if (!read_kernel(inspector, first, &first, sizeof(first)))
            break;
    }
    return false;
}

/* The small block at `address` by its page's header (runtime/heap.c); false: there is none. */
static bool find_block(struct inspector *inspector, uint64_t address, struct block *out)
{
    struct value page, sizes, size;
    uint64_t offset = address % PAGE_BYTES, base = address - offset, bytes;
    int64_t constant;
    if (!value_at(inspector, "struct class_page", base, &page) ||
        !value_variable(inspector, "block_size", &sizes) ||
        !symbols_constant(inspector->symbols, "HEADER", &constant))
        return false;
    uint64_t header = (uint64_t)constant;
    uint64_t class = value_number(inspector, &page, "class");
    uint64_t bump = value_number(inspector, &page, "bump");
    if (class >= type_count(&sizes.type) || !value_index(inspector, &sizes, class, &size) ||
        !value_read(inspector, &size, &bytes) || bytes == 0 || bump < header ||
        (bump - header) % bytes != 0 || bump > PAGE_BYTES)
        return false;
    if (offset < header) {
        *out = (struct block){.start = base};
        return true;
    }
    uint64_t start = header + (offset - header) / bytes * bytes;
    *out = (struct block){.start = base + start, .size = bytes};
    out->free =
        start >= bump || is_listed(inspector, value_number(inspector, &page, "free"), out->start);
    return true;
}

/* The first object that has a pointer to `address` in it. */
static bool find_owner(struct inspector *inspector, uint64_t address, struct place *place)
{
    char words[PLACE_WORDS / 2];
    for (size_t i = 0; i < census_count(inspector->census); i++) {
        const struct object *object = census_object(inspector->census, i);
        struct value whole = object_value(inspector, object);
        for (uint64_t at = 0; object->type->has_struct && at + 8 <= object->type->size; at += 8) {
            uint64_t word;
            if (!read_kernel(inspector, object->address + at, &word, sizeof(word)) ||
                word != address)
                continue;
            object_words(inspector, object, words, sizeof(words));
            say(place, "%s's ", words);
            say_field(inspector, place, &whole, object->address + at, "");
            place->typed = false; /* the pointer is not what the place holds */
            return true;
        }
    }
    return false;
}

static void locate_block(struct inspector *inspector, uint64_t address, struct place *place)
{
    struct block block;
    if (!find_block(inspector, address, &block)) {
        say(place, "page %#llx", (unsigned long long)(address & ~(PAGE_BYTES - 1ull)));
        place->in_use = true;
        return;
    }
    if (block.size == 0) {
        say(place, "header of a page of blocks");
        return;
    }
    place->in_use = !block.free;
    if (block.free || !find_owner(inspector, block.start, place))
        say(place, "%sblock", block.free ? "free " : "");
    say(place, " of %llu bytes, byte %llu", (unsigned long long)block.size,
        (unsigned long long)(address - block.start));
}

static void locate_heap(struct inspector *inspector, uint64_t address, struct place *place)
{
    char words[PLACE_WORDS / 2];
    const struct object *object = object_at(inspector, address);
    if (object == NULL) {
        locate_block(inspector, address, place);
        return;
    }
    struct value whole = object_value(inspector, object);
    object_words(inspector, object, words, sizeof(words));
    say(place, "%s, ", words);
    say_field(inspector, place, &whole, address, "");
    place->in_use = true;
}

/* ---- All of it ------------------------------------------------------------------------------- */

void locate(struct inspector *inspector, const struct frames *frames, gpa_t at, struct place *out)
{
    char words[PLACE_WORDS / 2] = "";
    const struct object *object;
    uint64_t index;
    const char *class = frames_owner(frames, at.value / PAGE_BYTES, &object, &index);
    *out = (struct place){.words = ""};
    if (object != NULL)
        object_words(inspector, object, words, sizeof(words));
    if (strcmp(class, "kernel image") == 0)
        locate_variable(inspector, ZV_KERNEL_BASE + at.value, out);
    else if (strcmp(class, "kernel heap") == 0)
        locate_heap(inspector, ZV_DIRECT_MAP_BASE + at.value, out);
    else if (strcmp(class, "vmo") == 0)
        say(out, "%s, offset %#llx", words,
            (unsigned long long)(index * PAGE_BYTES + at.value % PAGE_BYTES));
    else if (object != NULL)
        say(out, "%s of %s", class, words);
    else
        say(out, "%s", class);
    out->in_use = out->in_use || strcmp(class, "vmo") == 0 || strcmp(class, "page table") == 0 ||
                  strcmp(class, "boot module") == 0;
}
