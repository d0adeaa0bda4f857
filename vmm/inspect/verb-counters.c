/* verb-counters.c - counters: what the kernel has counted. */
#include <inttypes.h>
#include <string.h>

#include "inspect/verb.h"

/* Plain statistics of the kernel: every member that is a number is a counter. */
static const struct {
    const char *prefix, *variable, *path;
} groups[] = {
    {"cpu0", "boot_cpu", "stats"},
    {"frames", "frames", ""}, /* of the frame allocator */
    {"heap", "heap", ""},
};

static void add_counter(struct inspector *inspector, const char *prefix, const struct item *field,
                        struct item *list)
{
    if (field->kind != ITEM_NUMBER && field->kind != ITEM_SIGNED && field->kind != ITEM_HEX)
        return;
    struct item *map = item_map(inspector->report, list, NULL);
    item_format(inspector->report, map, "name", "%s.%s", prefix, field->key);
    item_number(inspector->report, map, "value", field->number);
}

/* The kernel's own counters: two arrays, side by side (object/kcounter.h). */
static void add_kcounters(struct inspector *inspector, struct item *list)
{
    struct symbol names, end, values;
    struct value descriptor;
    char name[64];
    if (!symbols_named(inspector->symbols, "kcounter_descriptors", &names) ||
        !symbols_named(inspector->symbols, "kcounter_descriptors_end", &end) ||
        !symbols_named(inspector->symbols, "kcounter_values", &values) ||
        !value_at(inspector, "struct kcounter_descriptor", names.address, &descriptor))
        return;
    uint64_t size = type_size(&descriptor.type);
    for (uint64_t i = 0; size != 0 && i < (end.address - names.address) / size; i++) {
        uint64_t value;
        descriptor.address = names.address + i * size;
        if (!value_text(inspector, &descriptor, "name", name, sizeof(name)) ||
            !read_kernel(inspector, values.address + i * sizeof(value), &value, sizeof(value)))
            break;
        struct item *map = item_map(inspector->report, list, NULL);
        item_text(inspector->report, map, "name", name);
        item_signed(inspector->report, map, "value", (int64_t)value);
    }
}

struct item *counters_report(struct inspector *inspector)
{
    struct item *list = item_list(inspector->report, NULL, NULL);
    add_kcounters(inspector, list);
    for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        struct value group;
        struct item *scratch = item_map(inspector->report, NULL, NULL);
        if (!value_variable(inspector, groups[i].variable, &group) ||
            !value_path(inspector, &group, groups[i].path, &group))
            continue;
        value_report(inspector, &group, 1, scratch, "group");
        const struct item *fields = item_find(scratch, "group");
        if (fields == NULL || fields->kind != ITEM_MAP)
            continue;
        for (const struct item *field = fields->first; field != NULL; field = field->next)
            add_counter(inspector, groups[i].prefix, field, list);
    }
    return list;
}

static struct item *run_counters(struct inspector *inspector, int argc, char *argv[])
{
    (void)argc;
    (void)argv;
    if (census_of(inspector) == NULL)
        return NULL;
    struct item *root = item_map(inspector->report, NULL, NULL);
    item_adopt(root, "counters", counters_report(inspector));
    return root;
}

const struct verb verb_counters = {
    .name = "counters",
    .arguments = "",
    .summary = "what the kernel has counted",
    .run = run_counters,
    .print = report_print_list,
};
