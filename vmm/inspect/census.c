/* census.c - every object that can be reached from the kernel's roots, and who refers to it. */
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "inspect/kernel.h"

enum { BUCKETS = 1 << 14, OBJECTS_MAX = 1 << 21 };

struct census {
    struct object **object; /* in the order found */
    size_t count, room;
    uint64_t stamp;
    struct object *by_address[BUCKETS], *by_koid[BUCKETS];
    struct object_type *types;
};

static unsigned bucket_of(uint64_t address)
{
    return (unsigned)((address >> 4) * 0x9e3779b97f4a7c15ull >> 50);
}

/* ---- Types --------------------------------------------------------------------------------- */

static void cut_copy(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%s", from);
}

bool type_is_object(const Dwarf_Die *type)
{
    Dwarf_Die plain, first;
    struct member member;
    char name[VALUE_TEXT_MAX];
    if (!type_strip(type, &plain))
        return false;
    type_name(&plain, name, sizeof(name));
    if (strcmp(name, "struct object") == 0)
        return true;
    if (!type_member(&plain, "object", &member) || member.offset != 0 ||
        !type_strip(&member.type, &first))
        return false;
    type_name(&first, name, sizeof(name));
    return strcmp(name, "struct object") == 0;
}

/* The table channel_ops belongs to struct channel: of several of that name, to the object. */
static void find_struct(struct inspector *inspector, struct object_type *type, const char *symbol)
{
    size_t length = strlen(symbol) - strlen("_ops");
    struct member member;
    snprintf(type->struct_name, sizeof(type->struct_name), "struct %.*s", (int)length, symbol);
    for (unsigned nth = 0; symbols_type(inspector->symbols, type->struct_name, nth, &type->die);
         nth++) {
        if (!type_is_object(&type->die))
            continue;
        type->has_struct = true;
        type->size = type_size(&type->die);
        type->has_name = type_member(&type->die, "name", &member);
        edges_find(inspector, type);
        return;
    }
}

static struct object_type *new_type(struct inspector *inspector, uint64_t ops,
                                    const struct symbol *symbol)
{
    struct value table;
    struct object_type *type = calloc(1, sizeof(*type));
    if (type == NULL || !value_at(inspector, "struct object_ops", ops, &table)) {
        free(type);
        return NULL;
    }
    type->ops = ops;
    type->number = (uint32_t)value_number(inspector, &table, "type");
    if (!value_text(inspector, &table, "name", type->name, sizeof(type->name)))
        cut_copy(type->name, sizeof(type->name), symbol->name);
    find_struct(inspector, type, symbol->name);
    return type;
}

/* `ops` comes from the guest: only the address of a symbol NAME_ops is a table. */
static struct object_type *type_of_ops(struct inspector *inspector, struct census *census,
                                       uint64_t ops)
{
    struct symbol symbol;
    for (struct object_type *type = census->types; type != NULL; type = type->next)
        if (type->ops == ops)
            return type;
    if (!symbols_at(inspector->symbols, ops, &symbol) || symbol.address != ops)
        return NULL;
    size_t length = strlen(symbol.name);
    if (length <= 4 || strcmp(symbol.name + length - 4, "_ops") != 0)
        return NULL;
    struct object_type *type = new_type(inspector, ops, &symbol);
    if (type != NULL) {
        type->next = census->types;
        census->types = type;
    }
    return type;
}

/* ---- Objects ------------------------------------------------------------------------------- */

static bool make_room(struct census *census)
{
    if (census->count == OBJECTS_MAX)
        return false;
    struct object **more = array_grow(census->object, census->count, &census->room, sizeof(*more));
    if (more == NULL)
        return false;
    census->object = more;
    return true;
}

struct object *census_by_address(const struct census *census, uint64_t address)
{
    struct object *object = census->by_address[bucket_of(address)];
    while (object != NULL && object->address != address)
        object = object->next;
    return object;
}

struct object *census_meet(struct inspector *inspector, struct census *census, uint64_t address)
{
    struct object *object = census_by_address(census, address);
    struct value value;
    uint64_t ops;
    if (object != NULL || address == 0 || address % 8 != 0)
        return object;
    if (!value_at(inspector, "struct object", address, &value))
        return NULL;
    ops = value_number(inspector, &value, "ops");
    struct object_type *type = ops != 0 ? type_of_ops(inspector, census, ops) : NULL;
    uint32_t refs = (uint32_t)value_number(inspector, &value, "refs");
    if (type == NULL || refs == 0 || !make_room(census) ||
        (object = calloc(1, sizeof(*object))) == NULL)
        return NULL;
    *object = (struct object){
        .address = address,
        .koid = value_number(inspector, &value, "koid"),
        .type = type,
        .refs = refs,
        .handles = (uint32_t)value_number(inspector, &value, "handles"),
        .signals = (uint32_t)value_number(inspector, &value, "signals"),
    };
    struct object **bucket = &census->by_address[bucket_of(address)];
    object->next = *bucket;
    *bucket = object;
    bucket = &census->by_koid[object->koid % BUCKETS];
    object->next_koid = *bucket;
    *bucket = object;
    census->object[census->count++] = object;
    return object;
}

void census_refer(struct inspector *inspector, struct census *census, uint64_t address,
                  struct reference reference)
{
    struct object *object = census_meet(inspector, census, address);
    struct reference *copy = object != NULL ? malloc(sizeof(*copy)) : NULL;
    if (copy == NULL)
        return;
    *copy = reference;
    copy->object = object;
    copy->next = NULL;
    copy->other = NULL;
    if (object->last != NULL)
        object->last->next = copy;
    else
        object->references = copy;
    object->last = copy;
    struct object *holder = reference.holder;
    if (holder == NULL)
        return;
    if (holder->last_held != NULL)
        holder->last_held->other = copy;
    else
        holder->holds = copy;
    holder->last_held = copy;
}

/* ---- Building ------------------------------------------------------------------------------ */

static void follow_roots(struct inspector *inspector, struct census *census)
{
    static const char *const roots[] = {"root_job", "root_resource"};
    struct value kernel, each, list;
    if (!value_variable(inspector, "the_kernel", &kernel)) {
        inspect_warn(inspector, "guest.elf has no variable 'the_kernel': no object is found");
        return;
    }
    for (unsigned i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        census_refer(inspector, census, value_number(inspector, &kernel, roots[i]),
                     (struct reference){.kind = REFERENCE_POINTER, .label = roots[i]});
    if (value_path(inspector, &kernel, "system_events", &list))
        for (uint64_t i = 0; i < type_count(&list.type); i++)
            if (value_index(inspector, &list, i, &each))
                census_refer(
                    inspector, census, value_number(inspector, &each, ""),
                    (struct reference){.kind = REFERENCE_POINTER, .label = "system event"});
}

static struct census *build(struct inspector *inspector)
{
    struct census *census = calloc(1, sizeof(*census));
    if (census == NULL)
        return NULL;
    follow_roots(inspector, census);
    for (size_t i = 0; i < census->count; i++)
        census_follow(inspector, census, census->object[i]);
    if (census->count == 0)
        inspect_warn(inspector, "no object can be reached from the root job: the kernel has not "
                                "started, or its memory is damaged");
    return census;
}

struct census *census_of(struct inspector *inspector)
{
    if (inspector->census != NULL)
        return inspector->census;
    if (inspector->symbols == NULL) {
        error_set(inspector->error,
                  "the guest kernel %s cannot be read: objects and types are unknown, only regs, "
                  "mem and bt work; name it with --guest",
                  inspector->guest_path != NULL ? inspector->guest_path : "is not known and");
        return NULL;
    }
    if (!symbols_have_types(inspector->symbols) || !symbols_have_names(inspector->symbols)) {
        error_set(inspector->error,
                  "%s has no debugging information: objects and types are unknown, only regs, "
                  "mem, sym and bt work; name an unstripped guest kernel with --guest",
                  inspector->guest_path);
        return NULL;
    }
    inspector->census = build(inspector);
    if (inspector->census == NULL)
        error_set(inspector->error, "out of memory");
    return inspector->census;
}

static void free_references(struct reference *reference)
{
    while (reference != NULL) {
        struct reference *next = reference->next;
        free(reference);
        reference = next;
    }
}

void census_free(struct census *census)
{
    if (census == NULL)
        return;
    for (size_t i = 0; i < census->count; i++) {
        free_references(census->object[i]->references);
        free(census->object[i]);
    }
    for (struct object_type *type = census->types, *next; type != NULL; type = next) {
        next = type->next;
        free(type->edges);
        free(type);
    }
    free(census->object);
    free(census);
}

/* ---- Questions ----------------------------------------------------------------------------- */

size_t census_count(const struct census *census)
{
    return census->count;
}

struct object *census_object(const struct census *census, size_t i)
{
    return census->object[i];
}

struct object *census_by_koid(const struct census *census, uint64_t koid)
{
    struct object *object = census->by_koid[koid % BUCKETS];
    while (object != NULL && object->koid != koid)
        object = object->next_koid;
    return object;
}

uint64_t census_stamp(struct census *census)
{
    return ++census->stamp;
}

bool object_is(const struct object *object, const char *type)
{
    return strcmp(object->type->name, type) == 0;
}

struct value object_value(struct inspector *inspector, const struct object *object)
{
    struct value value = {.type = object->type->die, .address = object->address};
    if (!object->type->has_struct)
        value_at(inspector, "struct object", object->address, &value);
    return value;
}

void object_name(struct inspector *inspector, const struct object *object, char *text, size_t room)
{
    text[0] = '\0';
    struct value value = object_value(inspector, object);
    if (object->type->has_name)
        value_text(inspector, &value, "name", text, room);
}

void object_words(struct inspector *inspector, const struct object *object, char *text, size_t room)
{
    char name[64];
    object_name(inspector, object, name, sizeof(name));
    snprintf(text, room, "%s %llu%s%s%s", object->type->name, (unsigned long long)object->koid,
             name[0] != '\0' ? " '" : "", name, name[0] != '\0' ? "'" : "");
}

struct object *object_argument(struct inspector *inspector, const char *text, const char *type)
{
    uint64_t koid;
    struct census *census = census_of(inspector);
    if (census == NULL || parse_number(inspector, text, "a koid", &koid) != 0)
        return NULL;
    struct object *object = census_by_koid(census, koid);
    if (object == NULL) {
        error_set(inspector->error,
                  "no object has the koid %s: 'jobs', 'ps' and 'handles' list koids", text);
        return NULL;
    }
    if (type != NULL && !object_is(object, type)) {
        error_set(inspector->error, "%s is a %s, not a %s", text, object->type->name, type);
        return NULL;
    }
    return object;
}
