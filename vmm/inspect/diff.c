/* diff.c - zvmm diff A B: what happened between two snapshots of one machine. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/diff-first.h"
#include "inspect/pages.h"
#include "inspect/verb.h"
#include "snapshot/file.h"

enum { WORDS = 256, PATH_BYTES = 160, OWNERS_MAX = 4096, RUNS_MAX = 32 };

/* One of the two snapshots. */
struct side {
    struct snapshot_file *file;
    struct target target;
    struct inspector *inspector;
    struct frames *frames;
};

struct diff {
    struct side a, b;
    struct report *report;
    struct zvmm_error error;
};

/* ---- Objects ------------------------------------------------------------------------------- */

static void add_words(struct diff *diff, struct side *side, const struct object *object,
                      struct item *list)
{
    char words[WORDS];
    struct item *map = item_map(diff->report, list, NULL);
    object_words(side->inspector, object, words, sizeof(words));
    item_number(diff->report, map, "koid", object->koid);
    item_text(diff->report, map, "object", words);
    holders_words(object, side->inspector, words, sizeof(words));
    item_text(diff->report, map, "held_by", words);
}

/* Objects of `from` that `in` does not have. A koid is never used twice. */
static void add_missing(struct diff *diff, struct side *from, struct side *in, struct item *list)
{
    struct census *census = from->inspector->census;
    for (size_t i = 0; i < census_count(census); i++) {
        const struct object *object = census_object(census, i);
        if (census_by_koid(in->inspector->census, object->koid) == NULL)
            add_words(diff, from, object, list);
    }
}

struct comparison {
    struct diff *diff;
    const struct object *object;
    const char *words;
    struct item *list;
};

static void compare_items(struct comparison *at, const char *path, const struct item *a,
                          const struct item *b);

static void add_change(struct comparison *at, const char *path, const struct item *a,
                       const struct item *b)
{
    char before[WORDS] = "", after[WORDS] = "";
    struct report *report = at->diff->report;
    struct item *map = item_map(report, at->list, NULL);
    if (a != NULL)
        item_scalar_text(a, before, sizeof(before));
    if (b != NULL)
        item_scalar_text(b, after, sizeof(after));
    item_number(report, map, "koid", at->object->koid);
    item_text(report, map, "object", at->words);
    item_text(report, map, "field", path);
    item_text(report, map, "before", before);
    item_text(report, map, "after", after);
}

static void compare_members(struct comparison *at, const char *path, const struct item *a,
                            const struct item *b)
{
    for (const struct item *x = a->first; x != NULL; x = x->next) {
        char below[PATH_BYTES];
        bool top = path[0] == '\0' || strcmp(path, "fields") == 0;
        snprintf(below, sizeof(below), "%s%s%s", top ? "" : path, top ? "" : ".", x->key);
        compare_items(at, below, x, item_find(b, x->key));
    }
}

static void compare_elements(struct comparison *at, const char *path, const struct item *a,
                             const struct item *b)
{
    unsigned number = 0;
    for (const struct item *x = a->first, *y = b->first; x != NULL && y != NULL;
         x = x->next, y = y->next, number++) {
        char below[PATH_BYTES];
        snprintf(below, sizeof(below), "%s[%u]", path, number);
        compare_items(at, below, x, y);
    }
}

static void compare_items(struct comparison *at, const char *path, const struct item *a,
                          const struct item *b)
{
    if (item_equal(a, b))
        return;
    if (a == NULL || b == NULL || a->kind != b->kind || a->kind > ITEM_LIST)
        add_change(at, path, a, b);
    else if (a->kind == ITEM_MAP)
        compare_members(at, path, a, b);
    else if (a->count == b->count)
        compare_elements(at, path, a, b);
    else
        add_change(at, path, a, b);
}

static struct item *describe(struct side *side, const struct object *object, struct report *report)
{
    struct item *map = item_map(report, NULL, NULL);
    struct value value = object_value(side->inspector, object);
    side->inspector->report = report;
    object_report_head(side->inspector, object, map);
    value_report(side->inspector, &value, 4, map, "fields");
    side->inspector->report = NULL;
    return map;
}

static void compare_object(struct diff *diff, const struct object *a, const struct object *b,
                           struct item *list)
{
    char words[WORDS];
    struct report *report = report_new();
    struct item *x = report != NULL ? describe(&diff->a, a, report) : NULL;
    struct item *y = report != NULL ? describe(&diff->b, b, report) : NULL;
    object_words(diff->b.inspector, b, words, sizeof(words));
    struct comparison at = {.diff = diff, .object = b, .words = words, .list = list};
    if (x == NULL || y == NULL)
        return;
    /* The head says the same of the common part, in words. */
    const struct item *fields = item_find(x, "fields");
    if (fields != NULL && fields->first != NULL && strcmp(fields->first->key, "object") == 0)
        ((struct item *)fields)->first = fields->first->next;
    compare_members(&at, "", x, y);
    report_free(report);
}

static void add_objects(struct diff *diff, struct item *root)
{
    struct census *b = diff->b.inspector->census;
    struct item *created = item_list(diff->report, root, "created");
    struct item *destroyed = item_list(diff->report, root, "destroyed");
    struct item *changed = item_list(diff->report, root, "changed");
    add_missing(diff, &diff->b, &diff->a, created);
    add_missing(diff, &diff->a, &diff->b, destroyed);
    for (size_t i = 0; i < census_count(b); i++) {
        const struct object *object = census_object(b, i);
        const struct object *old = census_by_koid(diff->a.inspector->census, object->koid);
        if (old != NULL && old->type->number == object->type->number)
            compare_object(diff, old, object, changed);
    }
}

/* ---- Pages --------------------------------------------------------------------------------- */

/* All changed pages of one owner. */
struct owner {
    const char *class;
    const struct object *object;
    struct side *side;
    uint64_t pages;
    struct item *map, *runs; /* runs: offsets in a VMO */
    uint64_t first, count;
};

static void end_run(struct diff *diff, struct owner *owner)
{
    if (owner->count == 0)
        return;
    if (owner->runs->count < RUNS_MAX)
        item_format(diff->report, owner->runs, NULL, owner->count > 1 ? "%#llx-%#llx" : "%#llx",
                    owner->first * PAGE_BYTES, (owner->first + owner->count) * PAGE_BYTES - 1);
    else if (owner->runs->count == RUNS_MAX)
        item_text(diff->report, owner->runs, NULL, "...");
    owner->count = 0;
}

static void count_page(struct diff *diff, struct owner *owner, uint64_t index)
{
    owner->pages++;
    if (owner->runs == NULL)
        return;
    if (owner->count > 0 && index == owner->first + owner->count) {
        owner->count++;
        return;
    }
    end_run(diff, owner);
    owner->first = index;
    owner->count = 1;
}

static struct owner *find_owner(struct diff *diff, struct owner *owners, unsigned *known,
                                struct item *list, const struct owner *wanted)
{
    for (unsigned i = 0; i < *known; i++)
        if (owners[i].class == wanted->class && owners[i].object == wanted->object)
            return &owners[i];
    if (*known == OWNERS_MAX)
        return &owners[0];
    struct owner *owner = &owners[(*known)++];
    char words[WORDS] = "";
    *owner = *wanted;
    owner->map = item_map(diff->report, list, NULL);
    if (owner->object != NULL)
        object_words(owner->side->inspector, owner->object, words, sizeof(words));
    bool table = strcmp(owner->class, "page table") == 0;
    item_format(diff->report, owner->map, "owner", "%s%s%s",
                owner->object == NULL || table ? owner->class : "", table ? " of " : "", words);
    if (owner->object != NULL && !table)
        owner->runs = item_list(diff->report, NULL, NULL);
    return owner;
}

/* A page that is not in use any more is told by who had it. */
static struct owner owner_of(struct diff *diff, uint64_t frame, uint64_t *index)
{
    struct owner owner = {.side = &diff->b};
    owner.class = frames_owner(diff->b.frames, frame, &owner.object, index);
    if (strcmp(owner.class, "free") == 0 &&
        frames_owner(diff->a.frames, frame, &owner.object, index) != owner.class) {
        owner.side = &diff->a;
        owner.class = frames_owner(diff->a.frames, frame, &owner.object, index);
    }
    return owner;
}

static void add_pages(struct diff *diff, struct item *root)
{
    struct item *list = item_list(diff->report, root, "pages");
    uint64_t bytes = diff->a.target.memory_bytes < diff->b.target.memory_bytes
                         ? diff->a.target.memory_bytes
                         : diff->b.target.memory_bytes;
    struct owner *owners = calloc(OWNERS_MAX, sizeof(*owners));
    unsigned known = 0;
    for (uint64_t frame = 0; owners != NULL && frame < bytes / PAGE_BYTES; frame++) {
        uint64_t index, other;
        const struct object *none;
        const char *class = frames_owner(diff->b.frames, frame, &none, &index);
        if (strcmp(class, "never used") == 0 &&
            frames_owner(diff->a.frames, frame, &none, &other) == class)
            continue;
        if (memcmp(diff->a.target.memory + frame * PAGE_BYTES,
                   diff->b.target.memory + frame * PAGE_BYTES, PAGE_BYTES) == 0)
            continue;
        struct owner wanted = owner_of(diff, frame, &index);
        count_page(diff, find_owner(diff, owners, &known, list, &wanted), index);
    }
    for (unsigned i = 0; i < known; i++) {
        item_number(diff->report, owners[i].map, "pages", owners[i].pages);
        if (owners[i].runs == NULL)
            continue;
        end_run(diff, &owners[i]);
        struct item *offsets = item_list(diff->report, owners[i].map, "offsets");
        for (const struct item *at = owners[i].runs->first; offsets != NULL && at != NULL;
             at = at->next)
            item_text(diff->report, offsets, NULL, at->text);
    }
    free(owners);
}

/* ---- Counters ------------------------------------------------------------------------------ */

static void add_counters(struct diff *diff, struct item *root)
{
    struct item *list = item_list(diff->report, root, "counters");
    struct report *report = report_new();
    if (report == NULL)
        return;
    diff->a.inspector->report = diff->b.inspector->report = report;
    struct item *a = counters_report(diff->a.inspector);
    struct item *b = counters_report(diff->b.inspector);
    diff->a.inspector->report = diff->b.inspector->report = NULL;
    for (const struct item *y = b != NULL ? b->first : NULL; y != NULL; y = y->next) {
        const char *name = item_find_text(y, "name");
        const struct item *x = a != NULL ? a->first : NULL;
        while (x != NULL && strcmp(item_find_text(x, "name"), name) != 0)
            x = x->next;
        /* NULL: a counter that the older kernel did not have, with --force */
        uint64_t before = x != NULL ? item_find_number(x, "value") : 0;
        uint64_t after = item_find_number(y, "value");
        if (before == after)
            continue;
        struct item *map = item_map(diff->report, list, NULL);
        item_text(diff->report, map, "name", name);
        item_number(diff->report, map, "before", before);
        item_number(diff->report, map, "after", after);
        item_signed(diff->report, map, "difference", (int64_t)(after - before));
    }
    report_free(report);
}

/* ---- The command --------------------------------------------------------------------------- */

static int open_side(struct diff *diff, struct side *side, const char *path, const char *guest,
                     bool force)
{
    if (snapshot_open(&side->file, path, &diff->error) != 0 ||
        snapshot_target(side->file, &side->target, &diff->error) != 0 ||
        inspector_open(&side->target, guest, force, &side->inspector, &diff->error) != 0)
        return -1;
    side->inspector->error = &diff->error;
    if (census_of(side->inspector) == NULL)
        return -1;
    side->frames = frames_map(side->inspector);
    return side->frames != NULL ? 0 : error_set(&diff->error, "diff: out of memory");
}

static void close_side(struct side *side)
{
    frames_free(side->frames);
    inspector_close(side->inspector);
    snapshot_close(side->file);
}

static int check_builds(struct diff *diff, bool force)
{
    const struct target *a = &diff->a.target, *b = &diff->b.target;
    if (force || (a->build_id_bytes == b->build_id_bytes &&
                  memcmp(a->build_id, b->build_id, a->build_id_bytes) == 0))
        return 0;
    return error_set(&diff->error,
                     "diff: %s and %s are of different builds of the guest kernel; "
                     "give --force to compare them all the same",
                     snapshot_path(diff->a.file), snapshot_path(diff->b.file));
}

static void print_section(FILE *out, const struct item *root, const char *key, const char *title)
{
    const struct item *list = item_find(root, key);
    fprintf(out, "%s: ", title);
    if (list == NULL || list->count == 0) {
        fputs("none\n", out);
        return;
    }
    fprintf(out, "%u\n", list->count);
    report_print_text(out, list);
}

static void print_first(FILE *out, const struct item *first)
{
    fputs("first difference: ", out);
    if (first == NULL) {
        fputs("none in memory that is in use\n", out);
        return;
    }
    print_harmless(out, item_find_text(first, "what"));
    fputs(": ", out);
    print_harmless(out, item_find_text(first, "before"));
    fputs(" -> ", out);
    print_harmless(out, item_find_text(first, "after"));
    fputc('\n', out);
}

static void print_diff(FILE *out, const struct item *root)
{
    fprintf(out, "time between them: %s\n", item_find_text(root, "between"));
    print_section(out, root, "inputs", "inputs that differ");
    print_first(out, item_find(root, "first"));
    print_section(out, root, "created", "objects created");
    print_section(out, root, "destroyed", "objects destroyed");
    print_section(out, root, "changed", "fields changed");
    print_section(out, root, "pages", "owners of changed pages");
    print_section(out, root, "counters", "counters changed");
}

static int compare(struct diff *diff, bool json)
{
    char text[64];
    struct item *root = item_map(diff->report, NULL, NULL);
    duration_words(inspect_now(diff->b.inspector) - inspect_now(diff->a.inspector), text,
                   sizeof(text));
    item_text(diff->report, root, "between", text);
    const struct diff_side a = {diff->a.inspector, diff->a.frames};
    const struct diff_side b = {diff->b.inspector, diff->b.frames};
    diff_inputs(diff->report, root, &a, &b);
    diff_first(diff->report, root, &a, &b);
    add_objects(diff, root);
    add_pages(diff, root);
    add_counters(diff, root);
    if (report_failed(diff->report))
        return error_set(&diff->error, "diff: out of memory, or too much to show");
    if (json)
        report_print_json(stdout, root);
    else
        print_diff(stdout, root);
    return 0;
}

static int print_usage(void)
{
    puts("usage: zvmm diff [--json] [--guest FILE] [--force] A B\n"
         "Shows what happened from snapshot A to snapshot B of one machine: objects created,\n"
         "destroyed and changed, memory pages changed by owner, counters. Of two runs: which\n"
         "inputs differ, such as the seed, and what the first difference in memory is.");
    return 0;
}

int diff_command(int argc, char *argv[])
{
    static struct diff diff;
    const char *paths[2] = {NULL, NULL}, *guest = NULL;
    bool json = false, force = false;
    unsigned given = 0;
    int failed = 0;
    for (int i = 1; i < argc && failed == 0; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return print_usage();
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--force") == 0)
            force = true;
        else if (strcmp(argv[i], "--guest") == 0 && i + 1 < argc)
            guest = argv[++i];
        else if (argv[i][0] == '-' || given == 2)
            failed = error_set(&diff.error,
                               "diff: '%s' is one word too many or no option: see "
                               "zvmm diff --help",
                               argv[i]);
        else
            paths[given++] = argv[i];
    }
    if (failed == 0 && given != 2)
        failed = error_set(&diff.error, "diff: name two snapshots: see zvmm diff --help");
    diff.report = report_new();
    if (failed == 0 &&
        (diff.report == NULL || open_side(&diff, &diff.a, paths[0], guest, force) != 0 ||
         open_side(&diff, &diff.b, paths[1], guest, force) != 0 ||
         check_builds(&diff, force) != 0 || compare(&diff, json) != 0))
        failed = -1;
    close_side(&diff.a);
    close_side(&diff.b);
    report_free(diff.report);
    if (failed != 0)
        fprintf(stderr, "zvmm: %s\n", diff.error.text);
    return failed == 0 ? 0 : ZVMM_EXIT_HOST;
}
