/* verb-memory.c - vmo [KOID], vmar PID: memory objects, what is mapped where. */
#include <inttypes.h>
#include <string.h>
#include <zircon/vm.h>

#include "inspect/pages.h"
#include "inspect/verb.h"

enum { WORDS = 256, DEPTH_MAX = 64 };

static void add_vmo(struct inspector *inspector, const struct object *vmo, struct item *map)
{
    struct value value = object_value(inspector, vmo);
    char text[WORDS];
    item_number(inspector->report, map, "koid", vmo->koid);
    item_number(inspector->report, map, "size_kib", value_number(inspector, &value, "size") / 1024);
    item_number(inspector->report, map, "pages", vmo_count(inspector, &value));
    item_number(inspector->report, map, "handles", vmo->handles);
    item_number(inspector->report, map, "mappings",
                value_number(inspector, &value, "mapping_count"));
    item_number(inspector->report, map, "parent", value_number(inspector, &value, "parent_koid"));
    flag_words(inspector, "enum vmo_flag", "VMO_", value_number(inspector, &value, "flags"), text,
               sizeof(text));
    item_text(inspector->report, map, "kind", text);
    object_name(inspector, vmo, text, sizeof(text));
    item_text(inspector->report, map, "name", text);
}

/* ---- One VMO ------------------------------------------------------------------------------- */

struct runs {
    struct inspector *inspector;
    struct item *list;
    uint64_t first, count, shown;
    bool left_out;
};

enum { RUNS_SHOWN = 1000 };

static void end_run(struct runs *runs)
{
    if (runs->count == 0)
        return;
    if (runs->shown++ < RUNS_SHOWN)
        item_format(runs->inspector->report, runs->list, NULL,
                    runs->count > 1 ? "%" PRIu64 "-%" PRIu64 : "%" PRIu64, runs->first,
                    runs->first + runs->count - 1);
    else
        runs->left_out = true;
    runs->count = 0;
}

static bool take_page(void *arg, uint64_t index, gpa_t frame)
{
    struct runs *runs = arg;
    (void)frame;
    if (runs->count > 0 && index == runs->first + runs->count) {
        runs->count++;
        return true;
    }
    end_run(runs);
    runs->first = index;
    runs->count = 1;
    return true;
}

static void add_pages(struct inspector *inspector, const struct value *vmo, struct item *root)
{
    struct runs runs = {.inspector = inspector,
                        .list = item_list(inspector->report, root, "committed")};
    vmo_visit(inspector, vmo, take_page, &runs);
    end_run(&runs);
    if (runs.left_out)
        item_text(inspector->report, runs.list, NULL, "...");
}

/* The tree of clones and slices that the VMO belongs to, from its oldest ancestor that lives. */
static void add_family(struct inspector *inspector, const struct object *vmo,
                       const struct object *self, unsigned depth, struct item *list)
{
    struct item *map = item_map(inspector->report, list, NULL);
    item_number(inspector->report, map, "depth", depth);
    add_vmo(inspector, vmo, map);
    if (vmo == self)
        item_bool(inspector->report, map, "this", true);
    for (const struct reference *at = vmo->holds; depth < DEPTH_MAX && at != NULL; at = at->other)
        if (strcmp(at->label, "children") == 0)
            add_family(inspector, at->object, self, depth + 1, list);
}

static const struct object *oldest(struct inspector *inspector, const struct object *vmo)
{
    for (unsigned i = 0; i < DEPTH_MAX; i++) {
        struct value value = object_value(inspector, vmo);
        const struct object *parent =
            census_by_address(inspector->census, value_number(inspector, &value, "parent"));
        if (parent == NULL || !object_is(parent, "vmo"))
            break;
        vmo = parent;
    }
    return vmo;
}

static void add_mappings(struct inspector *inspector, const struct object *vmo, struct item *root)
{
    struct item *list = item_list(inspector->report, root, "mapped");
    for (const struct reference *at = vmo->references; at != NULL; at = at->next) {
        if (at->kind != REFERENCE_MAPPING)
            continue;
        struct item *map = item_map(inspector->report, list, NULL);
        item_hex(inspector->report, map, "address", at->value);
        item_number(inspector->report, map, "vmar", at->holder->koid);
    }
}

static struct item *run_vmo(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    struct census *census = census_of(inspector);
    if (census == NULL)
        return NULL;
    if (argc > 1) {
        const struct object *vmo = object_argument(inspector, argv[1], "vmo");
        if (vmo == NULL)
            return NULL;
        struct value value = object_value(inspector, vmo);
        add_vmo(inspector, vmo, root);
        add_pages(inspector, &value, root);
        add_mappings(inspector, vmo, root);
        add_family(inspector, oldest(inspector, vmo), vmo, 0,
                   item_list(inspector->report, root, "clone_tree"));
        return root;
    }
    struct item *list = item_list(inspector->report, root, "vmos");
    for (size_t i = 0; i < census_count(census); i++)
        if (object_is(census_object(census, i), "vmo"))
            add_vmo(inspector, census_object(census, i), item_map(inspector->report, list, NULL));
    return root;
}

const struct verb verb_vmo = {
    .name = "vmo",
    .arguments = "[KOID]",
    .summary = "memory objects: size, committed pages, maps, clone tree",
    .max = 1,
    .run = run_vmo,
};

/* ---- vmar ---------------------------------------------------------------------------------- */

struct listing {
    struct inspector *inspector;
    struct item *list;
};

static void add_mapping(void *arg, const struct mapped *mapped, unsigned depth)
{
    const struct listing *listing = arg;
    struct inspector *inspector = listing->inspector;
    struct item *map = item_map(inspector->report, listing->list, NULL);
    char text[WORDS] = "";
    uint64_t perms = value_number(inspector, &mapped->mapping, "perms");
    item_hex(inspector->report, map, "base", mapped->base);
    item_hex(inspector->report, map, "end", mapped->base + mapped->size);
    item_format(
        inspector->report, map, "perms", "%c%c%c", (perms & ZX_VM_PERM_READ) != 0 ? 'r' : '-',
        (perms & ZX_VM_PERM_WRITE) != 0 ? 'w' : '-', (perms & ZX_VM_PERM_EXECUTE) != 0 ? 'x' : '-');
    item_number(inspector->report, map, "depth", depth);
    item_number(inspector->report, map, "vmo", mapped->vmo != NULL ? mapped->vmo->koid : 0);
    item_hex(inspector->report, map, "offset", mapped->offset);
    if (mapped->vmo != NULL)
        object_name(inspector, mapped->vmo, text, sizeof(text));
    item_text(inspector->report, map, "name", text);
}

static struct item *run_vmar(struct inspector *inspector, int argc, char *argv[])
{
    struct item *root = item_map(inspector->report, NULL, NULL);
    const struct object *object = object_argument(inspector, argv[1], NULL);
    (void)argc;
    if (object == NULL)
        return NULL;
    struct value value = object_value(inspector, object), vmar = value;
    if (object_is(object, "process") && !value_path(inspector, &value, "aspace->root->", &vmar)) {
        error_set(inspector->error, "process %s has no address space any more", argv[1]);
        return NULL;
    }
    if (!object_is(object, "process") && !object_is(object, "vmar")) {
        error_set(inspector->error, "%s is a %s, not a process or vmar", argv[1],
                  object->type->name);
        return NULL;
    }
    item_hex(inspector->report, root, "base", value_number(inspector, &vmar, "region.base"));
    item_hex(inspector->report, root, "size", value_number(inspector, &vmar, "region.size"));
    struct listing listing = {.inspector = inspector,
                              .list = item_list(inspector->report, root, "mappings")};
    mappings_visit(inspector, &vmar, add_mapping, &listing);
    return root;
}

const struct verb verb_vmar = {
    .name = "vmar",
    .arguments = "PID|KOID",
    .summary = "what is mapped where in a process or region",
    .min = 1,
    .max = 1,
    .run = run_vmar,
};
