/* verb-object.c - object KOID, handles PID: one object, who refers to it, who waits for it. */
#include <inttypes.h>
#include <string.h>

#include "inspect/verb.h"

enum { WORDS = 512, FIELD_DEPTH = 4, TEXT_SHOWN = 200 };

void object_report_head(struct inspector *inspector, const struct object *object, struct item *map)
{
    char text[WORDS];
    item_number(inspector->report, map, "koid", object->koid);
    item_text(inspector->report, map, "type", object->type->name);
    if (object->type->has_name) {
        object_name(inspector, object, text, sizeof(text));
        item_text(inspector->report, map, "name", text);
    }
    item_number(inspector->report, map, "refs", object->refs);
    item_number(inspector->report, map, "handle_count", object->handles);
    signals_words(object->type->number, object->signals, text, sizeof(text));
    item_text(inspector->report, map, "signals", text);
    item_hex(inspector->report, map, "address", object->address);
}

/* ---- Referrers ------------------------------------------------------------------------------- */

static void add_referrer(struct inspector *inspector, const struct reference *at, struct item *list)
{
    struct item *map = item_map(inspector->report, list, NULL);
    char text[WORDS] = "the kernel";
    if (at->holder != NULL)
        object_words(inspector, at->holder, text, sizeof(text));
    item_text(inspector->report, map, "by", text);
    item_text(inspector->report, map, "through", at->label);
    if (at->kind == REFERENCE_HANDLE || at->kind == REFERENCE_MAPPING)
        item_hex(inspector->report, map, "value", at->value);
    if (at->kind == REFERENCE_HANDLE || at->kind == REFERENCE_MESSAGE) {
        rights_words(at->rights, text, sizeof(text));
        item_text(inspector->report, map, "rights", text);
    }
}

struct search {
    struct inspector *inspector;
    const struct object *object, *thread;
    struct item *list;
};

static void add_waiter(void *arg, struct object *object, uint32_t signals)
{
    struct search *search = arg;
    struct inspector *inspector = search->inspector;
    char text[WORDS];
    if (object != search->object)
        return;
    struct value value = object_value(inspector, search->thread);
    const struct object *process =
        census_by_address(inspector->census, value_number(inspector, &value, "process"));
    struct item *map = item_map(inspector->report, search->list, NULL);
    object_words(inspector, search->thread, text, sizeof(text));
    item_text(inspector->report, map, "thread", text);
    text[0] = '\0';
    if (process != NULL)
        object_words(inspector, process, text, sizeof(text));
    item_text(inspector->report, map, "of", text);
    signals_words(object->type->number, signals, text, sizeof(text));
    item_text(inspector->report, map, "for", signals != 0 ? text : "");
}

/* Threads whose wait the object would end. */
static void add_waiters(struct inspector *inspector, const struct object *object, const char *key,
                        struct item *map)
{
    struct search search = {
        .inspector = inspector, .object = object, .list = item_list(inspector->report, map, key)};
    for (size_t i = 0; i < census_count(inspector->census); i++) {
        search.thread = census_object(inspector->census, i);
        struct value value = object_value(inspector, search.thread);
        if (object_is(search.thread, "thread") && value_number(inspector, &value, "wait.kind") != 0)
            wait_visit(inspector, search.thread, add_waiter, &search);
    }
}

/* Registrations of ports: zx_object_wait_async. */
static void add_registrations(struct inspector *inspector, const struct object *object,
                              struct item *map)
{
    struct item *list = item_list(inspector->report, map, "ports");
    for (const struct reference *at = object->references; at != NULL; at = at->next)
        if (strcmp(at->label, "registrations") == 0 && at->holder != NULL)
            item_number(inspector->report, list, NULL, at->holder->koid);
}

/* ---- Content --------------------------------------------------------------------------------- */

static void add_message(struct inspector *inspector, const struct value *message, struct item *list)
{
    struct item *map = item_map(inspector->report, list, NULL);
    uint8_t bytes[16];
    char hex[sizeof(bytes) * 2 + 4] = "";
    struct value handles;
    uint64_t count = value_number(inspector, message, "num_bytes");
    uint64_t num_handles = value_number(inspector, message, "num_handles");
    uint64_t want = count < sizeof(bytes) ? count : sizeof(bytes);
    Dwarf_Die element;
    item_number(inspector->report, map, "bytes", count);
    item_number(inspector->report, map, "handles", num_handles);
    if (num_handles > 64 || !value_path(inspector, message, "handles", &handles) ||
        !type_target(&handles.type, &element))
        return;
    uint64_t at = handles.address + num_handles * type_size(&element);
    if (!read_kernel(inspector, at, bytes, want))
        return;
    for (uint64_t i = 0; i < want; i++)
        snprintf(hex + i * 2, 3, "%02x", bytes[i]);
    item_format(inspector->report, map, "begins", "%s%s", hex, count > want ? "..." : "");
}

static void add_messages(struct inspector *inspector, const struct object *object,
                         const struct value *value, struct item *map)
{
    struct walk walk;
    if (!object_is(object, "channel") || !walk_list(inspector, value, "messages", "link", &walk))
        return;
    struct item *list = item_list(inspector->report, map, "messages");
    for (size_t i = 0; i < walk.count && i < TEXT_SHOWN; i++) {
        struct value message = walk_value(&walk, i);
        add_message(inspector, &message, list);
    }
    walk_free(&walk);
}

/* The base part of every object is shown by its words, not as a structure. */
static void add_fields(struct inspector *inspector, const struct object *object,
                       const struct value *value, struct item *map)
{
    struct item *whole = item_map(inspector->report, NULL, NULL);
    value_report(inspector, value, FIELD_DEPTH, whole, "fields");
    struct item *fields = whole != NULL ? whole->first : NULL;
    if (fields == NULL || fields->kind != ITEM_MAP)
        return;
    if (object->type->has_struct && fields->first != NULL &&
        strcmp(fields->first->key, "object") == 0) {
        fields->first = fields->first->next;
        fields->count--;
    }
    item_adopt(map, "fields", fields);
}

void object_report(struct inspector *inspector, const struct object *object, struct item *map)
{
    char text[WORDS];
    struct value value = object_value(inspector, object);
    object_report_head(inspector, object, map);
    uint64_t peer = value_number(inspector, &value, "peer");
    const struct object *other = census_by_address(inspector->census, peer);
    if (other != NULL) {
        object_words(inspector, other, text, sizeof(text));
        item_text(inspector->report, map, "peer", text);
        holders_words(other, inspector, text, sizeof(text));
        item_text(inspector->report, map, "peer_held_by", text[0] != '\0' ? text : "nobody");
    }
    if (object_is(object, "thread"))
        thread_report(inspector, object, map);
    struct item *referrers = item_list(inspector->report, map, "referrers");
    for (const struct reference *at = object->references; at != NULL; at = at->next)
        add_referrer(inspector, at, referrers);
    add_waiters(inspector, object, "waiters", map);
    if (other != NULL)
        add_waiters(inspector, other, "peer_waiters", map);
    add_registrations(inspector, object, map);
    add_messages(inspector, object, &value, map);
    add_fields(inspector, object, &value, map);
}

static struct item *run_object(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    const struct object *object = object_argument(inspector, argv[1], NULL);
    (void)argc;
    if (object == NULL)
        return NULL;
    object_report(inspector, object, root);
    return root;
}

const struct verb verb_object = {
    .name = "object",
    .arguments = "KOID",
    .summary = "one object: its fields, who holds it, who waits for it",
    .min = 1,
    .max = 1,
    .run = run_object,
    .draw = draw_object,
};

/* ---- handles --------------------------------------------------------------------------------- */

static struct item *run_handles(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    const struct object *process = object_argument(inspector, argv[1], "process");
    char text[WORDS];
    (void)argc;
    if (process == NULL)
        return NULL;
    struct item *list = item_list(inspector->report, root, "handles");
    for (const struct reference *at = process->holds; at != NULL; at = at->other) {
        if (at->kind != REFERENCE_HANDLE)
            continue;
        struct item *map = item_map(inspector->report, list, NULL);
        struct value value = object_value(inspector, at->object);
        item_hex(inspector->report, map, "handle", at->value);
        item_number(inspector->report, map, "koid", at->object->koid);
        item_text(inspector->report, map, "type", at->object->type->name);
        const struct object *peer =
            census_by_address(inspector->census, value_number(inspector, &value, "peer"));
        if (peer != NULL)
            item_number(inspector->report, map, "peer", peer->koid);
        object_name(inspector, at->object, text, sizeof(text));
        item_text(inspector->report, map, "name", text);
        rights_words(at->rights, text, sizeof(text));
        item_text(inspector->report, map, "rights", text);
    }
    return root;
}

const struct verb verb_handles = {
    .name = "handles",
    .arguments = "PID",
    .summary = "the handles of a process: value, object, rights",
    .min = 1,
    .max = 1,
    .run = run_handles,
    .print = report_print_list,
};
