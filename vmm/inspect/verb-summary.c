/* verb-summary.c - summary: the machine at a glance. */
#include <inttypes.h>
#include <string.h>

#include "hypercall.h"
#include "inspect/verb.h"

enum { WORDS = 256, TYPES_MAX = 64 };

static void add_build(struct inspector *inspector, struct item *root)
{
    const struct target *target = inspector->target;
    char hex[TARGET_BUILD_ID_MAX * 2 + 1] = "";
    for (uint32_t i = 0; i < target->build_id_bytes && i < TARGET_BUILD_ID_MAX; i++)
        snprintf(hex + i * 2, 3, "%02x", target->build_id[i]);
    if (inspector->guest_path != NULL)
        item_text(inspector->report, root, "guest", inspector->guest_path);
    item_text(inspector->report, root, "build_id", hex);
}

/* The message of a panic, if the last thing that the kernel asked for was its end. */
static void add_panic(struct inspector *inspector, struct item *root)
{
    struct value call;
    char text[WORDS];
    if (!value_variable(inspector, "cpu_boot", &call) ||
        value_number(inspector, &call, "call.number") != ZV_CALL_PANIC)
        return;
    uint64_t length = value_number(inspector, &call, "call.u.panic.message_length");
    if (length >= sizeof(text))
        length = sizeof(text) - 1;
    const void *message =
        target_physical(inspector->target,
                        gpa(value_number(inspector, &call, "call.u.panic.message_paddr")), length);
    if (message == NULL)
        return;
    memcpy(text, message, length);
    text[length] = '\0';
    item_text(inspector->report, root, "panic", text);
}

static void add_processor(struct inspector *inspector, struct item *root)
{
    const struct target *target = inspector->target;
    char text[WORDS];
    struct value cpu;
    duration_words(inspect_now(inspector), text, sizeof(text));
    item_text(inspector->report, root, "monotonic_clock", text);
    symbols_describe(inspector->symbols, target->regs.rip, text, sizeof(text));
    item_format(inspector->report, root, "stopped_at", "%#llx%s%s, ring %u",
                (unsigned long long)target->regs.rip, text[0] != '\0' ? " " : "", text,
                target->sregs.cs.selector & 3u);
    const struct object *thread =
        value_variable(inspector, "boot_cpu", &cpu)
            ? census_by_address(inspector->census, value_number(inspector, &cpu, "current"))
            : NULL;
    if (thread != NULL)
        object_words(inspector, thread, text, sizeof(text));
    item_text(inspector->report, root, "current", thread != NULL ? text : "none: idle");
}

static void add_memory(struct inspector *inspector, struct item *root)
{
    struct value frames, heap;
    struct item *map = item_map(inspector->report, root, "memory");
    item_number(inspector->report, map, "total_kib", inspector->target->memory_bytes / 1024);
    if (value_variable(inspector, "frames", &frames)) {
        item_number(inspector->report, map, "free_kib",
                    value_number(inspector, &frames, "free_count") * 4);
        item_number(inspector->report, map, "page_tables_kib",
                    value_number(inspector, &frames, "table_count") * 4);
    }
    if (value_variable(inspector, "heap", &heap)) {
        item_number(inspector->report, map, "heap_held_kib",
                    value_number(inspector, &heap, "held") / 1024);
        item_number(inspector->report, map, "heap_used_kib",
                    value_number(inspector, &heap, "used") / 1024);
    }
}

static void add_threads(struct inspector *inspector, struct item *root)
{
    struct item *map = item_map(inspector->report, root, "threads");
    const char *names[16];
    uint64_t counts[16];
    unsigned kinds = 0;
    for (size_t i = 0; i < census_count(inspector->census); i++) {
        const struct object *thread = census_object(inspector->census, i);
        struct value value = object_value(inspector, thread), at;
        if (!object_is(thread, "thread") || !value_path(inspector, &value, "state", &at))
            continue;
        const char *name = type_enumerator(&at.type, (int64_t)value_number(inspector, &at, ""));
        unsigned k = 0;
        name = name == NULL ? "damaged" : name + (strncmp(name, "THREAD_", 7) == 0 ? 7 : 0);
        while (k < kinds && strcmp(names[k], name) != 0)
            k++;
        if (k == 16)
            continue;
        if (k == kinds) {
            names[kinds] = name;
            counts[kinds++] = 0;
        }
        counts[k]++;
    }
    for (unsigned k = 0; k < kinds; k++)
        item_number(inspector->report, map, names[k], counts[k]);
}

static void add_objects(struct inspector *inspector, struct item *root)
{
    const struct object_type *types[TYPES_MAX];
    uint64_t counts[TYPES_MAX] = {0};
    unsigned known = 0;
    struct item *map = item_map(inspector->report, root, "objects");
    for (size_t i = 0; i < census_count(inspector->census); i++) {
        const struct object *object = census_object(inspector->census, i);
        unsigned k = 0;
        while (k < known && types[k] != object->type)
            k++;
        if (k == TYPES_MAX)
            continue;
        if (k == known)
            types[known++] = object->type;
        counts[k]++;
    }
    for (unsigned k = 0; k < known; k++)
        item_number(inspector->report, map, types[k]->name, counts[k]);
}

static struct item *run_summary(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    (void)argc;
    (void)argv;
    if (census_of(inspector) == NULL)
        return NULL;
    add_build(inspector, root);
    add_panic(inspector, root);
    add_processor(inspector, root);
    add_memory(inspector, root);
    add_threads(inspector, root);
    add_objects(inspector, root);
    return root;
}

const struct verb verb_summary = {
    .name = "summary",
    .arguments = "",
    .summary = "the machine at a glance",
    .run = run_summary,
};
