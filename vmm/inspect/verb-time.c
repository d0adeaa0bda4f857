/* verb-time.c - ports, timers: what is queued, what is to come. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/verb.h"

enum { WORDS = 160 };

/* ---- ports --------------------------------------------------------------------------------- */

static uint64_t count_list(struct inspector *inspector, const struct value *from, const char *path,
                           const char *link)
{
    struct walk walk;
    uint64_t count = walk_list(inspector, from, path, link, &walk) ? walk.count : 0;
    walk_free(&walk);
    return count;
}

static void add_packets(struct inspector *inspector, const struct value *port, struct item *map)
{
    struct walk walk;
    struct item *list = item_list(inspector->report, map, "keys");
    if (!walk_list(inspector, port, "packets", "link", &walk))
        return;
    for (size_t i = 0; i < walk.count && i < 16; i++) {
        struct value packet = walk_value(&walk, i);
        item_hex(inspector->report, list, NULL, value_number(inspector, &packet, "data.key"));
    }
    walk_free(&walk);
}

static void add_watched(struct inspector *inspector, const struct object *port, struct item *map)
{
    struct item *list = item_list(inspector->report, map, "watches");
    for (const struct reference *at = port->holds; at != NULL; at = at->other)
        if (strcmp(at->label, "registrations") == 0)
            item_number(inspector->report, list, NULL, at->object->koid);
}

static struct item *run_ports(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct census *census = census_of(inspector);
    char words[WORDS];
    (void)argc;
    (void)argv;
    if (census == NULL)
        return NULL;
    struct item *list = item_list(inspector->report, root, "ports");
    for (size_t i = 0; i < census_count(census); i++) {
        const struct object *port = census_object(census, i);
        struct value value = object_value(inspector, port);
        if (!object_is(port, "port"))
            continue;
        struct item *map = item_map(inspector->report, list, NULL);
        item_number(inspector->report, map, "koid", port->koid);
        item_number(inspector->report, map, "packets",
                    count_list(inspector, &value, "packets", "link"));
        item_number(inspector->report, map, "interrupts",
                    count_list(inspector, &value, "interrupts", "link"));
        item_number(inspector->report, map, "waiters",
                    count_list(inspector, &value, "waiters", "wait.u.port.link"));
        add_packets(inspector, &value, map);
        add_watched(inspector, port, map);
        holders_words(port, inspector, words, sizeof(words));
        item_text(inspector->report, map, "held_by", words);
    }
    return root;
}

const struct verb verb_ports = {
    .name = "ports",
    .arguments = "",
    .summary = "ports: packets that wait, objects they watch",
    .run = run_ports,
    .print = report_print_list,
};

/* ---- timers -------------------------------------------------------------------------------- */

/* Who owns a timer_entry: it is a member of one of these. */
static const struct {
    const char *type, *member, *object;
} owners[] = {
    {"struct thread", "wait.timer", "object"},
    {"struct timer", "entry", "object"},
};

static void add_owner(struct inspector *inspector, uint64_t entry, struct item *map)
{
    char words[WORDS] = "the kernel";
    for (unsigned i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        struct value outer;
        if (!value_container(inspector, owners[i].type, owners[i].member, entry, &outer))
            continue;
        const struct object *object = census_by_address(inspector->census, outer.address);
        if (object != NULL)
            object_words(inspector, object, words, sizeof(words));
    }
    item_text(inspector->report, map, "of", words);
}

/* An entry of the kernel's queue; the order of firing. */
struct pending {
    int64_t deadline;
    uint64_t sequence, address;
};

static int by_deadline(const void *left, const void *right)
{
    const struct pending *a = left, *b = right;
    if (a->deadline != b->deadline)
        return a->deadline < b->deadline ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* The entries in order; free() them. NULL: none, or no memory. */
static struct pending *sorted(struct inspector *inspector, const struct walk *walk)
{
    struct pending *all = calloc(walk->count, sizeof(*all));
    for (size_t i = 0; all != NULL && i < walk->count; i++) {
        struct value entry = walk_value(walk, i);
        all[i].deadline = (int64_t)value_number(inspector, &entry, "deadline");
        all[i].sequence = value_number(inspector, &entry, "sequence");
        all[i].address = entry.address;
    }
    if (all != NULL)
        qsort(all, walk->count, sizeof(*all), by_deadline);
    return all;
}

static void add_timer(struct inspector *inspector, struct item *list, struct value *entry,
                      int64_t deadline)
{
    char text[WORDS];
    struct item *map = item_map(inspector->report, list, NULL);
    item_signed(inspector->report, map, "deadline_ns", deadline);
    duration_words(deadline - inspect_now(inspector), text, sizeof(text));
    item_text(inspector->report, map, "in", text);
    symbols_describe(inspector->symbols, value_number(inspector, entry, "fire"), text,
                     sizeof(text));
    text[strcspn(text, ".")] = '\0';
    item_text(inspector->report, map, "fires", text);
    add_owner(inspector, entry->address, map);
}

static struct item *run_timers(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct value cpu;
    struct walk walk;
    (void)argc;
    (void)argv;
    if (census_of(inspector) == NULL)
        return NULL;
    struct item *list = item_list(inspector->report, root, "timers");
    if (!value_variable(inspector, "boot_cpu", &cpu) ||
        !walk_heap(inspector, &cpu, "timers.first", &walk))
        return root;
    struct pending *all = sorted(inspector, &walk);
    for (size_t i = 0; all != NULL && i < walk.count; i++) {
        struct value entry = {.type = walk.type, .address = all[i].address};
        add_timer(inspector, list, &entry, all[i].deadline);
    }
    free(all);
    walk_free(&walk);
    return root;
}

const struct verb verb_timers = {
    .name = "timers",
    .arguments = "",
    .summary = "deadlines to come, the earliest first",
    .run = run_timers,
    .print = report_print_list,
};
