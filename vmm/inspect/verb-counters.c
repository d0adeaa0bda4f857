/* verb-counters.c - counters, ktrace: what the kernel has counted and traced. */
#include <inttypes.h>
#include <string.h>

#include "inspect/verb.h"

/* Plain statistics of the kernel: every member that is a number is a counter. */
static const struct {
    const char *prefix, *variable, *path;
} groups[] = {
    {"cpu0", "boot_cpu", "stats"},
    {"frames", "frames", ""},
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

struct item *counters_report(struct inspector *inspector)
{
    struct item *list = item_list(inspector->report, NULL, NULL);
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
    return census_of(inspector) != NULL ? counters_report(inspector) : NULL;
}

const struct verb verb_counters = {
    .name = "counters",
    .arguments = "",
    .summary = "what the kernel has counted",
    .run = run_counters,
};
