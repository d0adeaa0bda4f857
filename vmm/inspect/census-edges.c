/*
 * census-edges.c - what an object refers to.
 *
 * Most of it the types tell: a member that points at an object is a reference. Only containers and
 * handles need to be known by name.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/types.h>

#include "inspect/kernel.h"

enum { EDGES_MAX = 64, NESTING_MAX = 6, LABEL_BYTES = 64 };

struct edge {
    uint64_t offset;
    char label[LABEL_BYTES];
};

/* Members that may be left over from earlier: valid in some states only, and followed there. */
static const char *const skipped[] = {"struct thread.wait", "struct interrupt.waiter"};

/* Containers: a type's member, and how its elements hang together. */
static const struct {
    const char *type, *path, *link;
    const char *member; /* of the element, that points at the object; NULL: the element is it */
    bool tree;
} containers[] = {
    {"struct job", "jobs", "sibling_link", NULL, false},
    {"struct job", "processes", "job_link", NULL, false},
    {"struct process", "threads", "process_link", NULL, false},
    {"struct vmo", "children", "sibling_link", NULL, false},
    {"struct pager", "sources", "pager_link", "vmo", false},
    {"struct bti", "quarantine", "link", NULL, false},
    {"struct port", "registrations", "link", "observer.object", false},
};

/* ---- Members ------------------------------------------------------------------------------- */

static bool is_link(const Dwarf_Die *type)
{
    static const char *const first[] = {"tqh_",  "tqe_", "lh_",  "le_",  "stqh_",
                                        "stqe_", "rbh_", "rbe_", "slh_", "sle_"};
    Dwarf_Die plain = *type, die;
    const char *name = dwarf_child(&plain, &die) == 0 ? dwarf_diename(&die) : NULL;
    for (unsigned i = 0; name != NULL && i < sizeof(first) / sizeof(first[0]); i++)
        if (strncmp(name, first[i], strlen(first[i])) == 0)
            return true;
    return false;
}

static void add_edge(struct object_type *type, uint64_t offset, const char *label)
{
    if (type->edges == NULL)
        type->edges = calloc(EDGES_MAX, sizeof(*type->edges));
    if (type->edges == NULL || type->num_edges == EDGES_MAX)
        return;
    struct edge *edge = &type->edges[type->num_edges++];
    edge->offset = offset;
    snprintf(edge->label, sizeof(edge->label), "%s", label);
}

static bool is_skipped(const struct object_type *type, const char *label)
{
    char full[LABEL_BYTES * 2];
    snprintf(full, sizeof(full), "%s.%s", type->struct_name, label);
    for (unsigned i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
        if (strcmp(full, skipped[i]) == 0)
            return true;
    return false;
}

static void find_in(struct inspector *inspector, struct object_type *type, const Dwarf_Die *in,
                    uint64_t base, const char *prefix, unsigned depth);

static void find_in_member(struct inspector *inspector, struct object_type *type, Dwarf_Die *die,
                           uint64_t base, const char *prefix, unsigned depth)
{
    Dwarf_Die plain, target;
    struct member member;
    char label[LABEL_BYTES];
    const char *name = dwarf_diename(die);
    if (!member_decode(die, &member) || !type_strip(&member.type, &plain))
        return;
    snprintf(label, sizeof(label), "%s%s%s", prefix, prefix[0] != '\0' && name != NULL ? "." : "",
             name != NULL ? name : "");
    if (is_skipped(type, label))
        return;
    int tag = dwarf_tag(&plain);
    if (tag == DW_TAG_pointer_type && value_target(inspector, &plain, &target) &&
        type_is_object(&target))
        add_edge(type, base + member.offset, label);
    else if ((tag == DW_TAG_structure_type || tag == DW_TAG_union_type) && !is_link(&plain))
        find_in(inspector, type, &plain, base + member.offset, label, depth + 1);
}

static void find_in(struct inspector *inspector, struct object_type *type, const Dwarf_Die *in,
                    uint64_t base, const char *prefix, unsigned depth)
{
    Dwarf_Die plain = *in, die;
    if (depth > NESTING_MAX || dwarf_child(&plain, &die) != 0)
        return;
    do {
        if (dwarf_tag(&die) == DW_TAG_member)
            find_in_member(inspector, type, &die, base, prefix, depth);
    } while (dwarf_siblingof(&die, &die) == 0);
}

void edges_find(struct inspector *inspector, struct object_type *type)
{
    find_in(inspector, type, &type->die, 0, "", 0);
}

void edges_follow(struct inspector *inspector, struct census *census,
                  const struct object_type *type, uint64_t address, struct object *holder)
{
    for (unsigned i = 0; i < type->num_edges; i++) {
        uint64_t target;
        if (!read_kernel(inspector, address + type->edges[i].offset, &target, 8) || target == 0)
            continue;
        census_refer(inspector, census, target,
                     (struct reference){.kind = REFERENCE_POINTER,
                                        .holder = holder,
                                        .label = type->edges[i].label});
    }
}

static void follow_containers(struct inspector *inspector, struct census *census,
                              struct object *object, const struct value *value)
{
    for (unsigned i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
        struct walk walk;
        if (strcmp(containers[i].type, object->type->struct_name) != 0 ||
            !walk_list(inspector, value, containers[i].path, containers[i].link, &walk))
            continue;
        for (size_t n = 0; n < walk.count; n++) {
            struct value element = walk_value(&walk, n);
            uint64_t target = containers[i].member != NULL
                                  ? value_number(inspector, &element, containers[i].member)
                                  : element.address;
            census_refer(inspector, census, target,
                         (struct reference){.kind = REFERENCE_POINTER,
                                            .holder = object,
                                            .label = containers[i].path});
        }
        walk_free(&walk);
    }
}

/* ---- Handles ------------------------------------------------------------------------------- */

static uint64_t constant(struct inspector *inspector, const char *name)
{
    int64_t value;
    if (symbols_constant(inspector->symbols, name, &value) && value > 0)
        return (uint64_t)value;
    inspect_warn(inspector, "guest.elf has no constant '%s': handles cannot be read", name);
    return 0;
}

/* What all the slots of a table have in common. */
struct table {
    struct object *process;
    uint32_t salt, index_bits;
};

/* The kernel's own arithmetic: object/handle.h. */
static uint32_t handle_value(struct inspector *inspector, const struct table *table,
                             const struct value *slot)
{
    uint32_t generation = (uint32_t)value_number(inspector, slot, "generation");
    uint32_t index = (uint32_t)value_number(inspector, slot, "index");
    return ((generation << (table->index_bits & 31) | index) ^ table->salt) << 2 |
           ZX_HANDLE_FIXED_BITS_MASK;
}

static void follow_slot(struct inspector *inspector, struct census *census,
                        const struct table *table, const struct value *slot)
{
    uint64_t target = value_number(inspector, slot, "object");
    if (target == 0)
        return;
    census_refer(inspector, census, target,
                 (struct reference){.kind = REFERENCE_HANDLE,
                                    .holder = table->process,
                                    .value = handle_value(inspector, table, slot),
                                    .rights = (uint32_t)value_number(inspector, slot, "rights"),
                                    .label = "handle"});
}

static void follow_handles(struct inspector *inspector, struct census *census,
                           struct object *object, const struct value *process)
{
    struct value chunks, chunk, slot;
    struct table table = {
        .process = object,
        .salt = (uint32_t)value_number(inspector, process, "handles.salt"),
        .index_bits = (uint32_t)constant(inspector, "INDEX_BITS"),
    };
    uint64_t slots = constant(inspector, "CHUNK_SLOTS");
    uint64_t count = value_number(inspector, process, "handles.num_chunks");
    if (!value_path(inspector, process, "handles.chunks", &chunks))
        return;
    for (uint64_t i = 0; i < count; i++) {
        /* A slot knows its place: a chunk that is none shows at once. */
        if (!value_index(inspector, &chunks, i, &chunk) ||
            !value_index(inspector, &chunk, 0, &slot) ||
            value_number(inspector, &slot, "index") != i * slots || slots == 0) {
            inspect_warn(inspector, "the handle table of process %llu is damaged",
                         (unsigned long long)object->koid);
            return;
        }
        for (uint64_t n = 0; n < slots; n++)
            if (value_index(inspector, &chunk, n, &slot))
                follow_slot(inspector, census, &table, &slot);
    }
}

/* Handles that lie in a channel's queue. */
static void follow_messages(struct inspector *inspector, struct census *census,
                            struct object *object, const struct value *channel)
{
    enum { HANDLES_MAX = 64 };
    struct walk walk;
    if (!walk_list(inspector, channel, "messages", "link", &walk))
        return;
    for (size_t i = 0; i < walk.count; i++) {
        struct value message = walk_value(&walk, i), handles, each;
        uint64_t count = value_number(inspector, &message, "num_handles");
        if (!value_path(inspector, &message, "handles", &handles))
            continue;
        for (uint64_t n = 0; n < count && n < HANDLES_MAX; n++)
            if (value_index(inspector, &handles, n, &each))
                census_refer(
                    inspector, census, value_number(inspector, &each, "object"),
                    (struct reference){.kind = REFERENCE_MESSAGE,
                                       .holder = object,
                                       .value = i,
                                       .rights = (uint32_t)value_number(inspector, &each, "rights"),
                                       .label = "message"});
    }
    walk_free(&walk);
}

/* ---- Address spaces ------------------------------------------------------------------------ */

static void follow_region(struct inspector *inspector, struct census *census, struct object *object,
                          const struct value *region)
{
    struct value outer;
    struct reference reference = {.holder = object,
                                  .value = value_number(inspector, region, "base")};
    if (value_number(inspector, region, "is_mapping") != 0) {
        if (!value_container(inspector, "struct mapping", "region", region->address, &outer))
            return;
        reference.kind = REFERENCE_MAPPING;
        reference.label = "mapping";
        census_refer(inspector, census, value_number(inspector, &outer, "vmo"), reference);
    } else if (value_container(inspector, "struct vmar", "region", region->address, &outer)) {
        reference.kind = REFERENCE_POINTER;
        reference.label = "regions";
        census_refer(inspector, census, outer.address, reference);
    }
}

static void follow_regions(struct inspector *inspector, struct census *census,
                           struct object *object, const struct value *vmar)
{
    struct walk walk;
    if (!walk_tree(inspector, vmar, "regions", "link", &walk))
        return;
    for (size_t i = 0; i < walk.count; i++) {
        struct value region = walk_value(&walk, i);
        follow_region(inspector, census, object, &region);
    }
    walk_free(&walk);
}

static void follow_pointer(struct inspector *inspector, struct census *census,
                           struct object *object, const struct value *value, const char *path,
                           const char *label)
{
    uint64_t target = value_number(inspector, value, path);
    if (target != 0)
        census_refer(
            inspector, census, target,
            (struct reference){.kind = REFERENCE_POINTER, .holder = object, .label = label});
}

void census_follow(struct inspector *inspector, struct census *census, struct object *object)
{
    struct value value = object_value(inspector, object);
    if (!object->type->has_struct)
        return;
    edges_follow(inspector, census, object->type, object->address, object);
    follow_containers(inspector, census, object, &value);
    if (object_is(object, "process")) {
        follow_handles(inspector, census, object, &value);
        follow_pointer(inspector, census, object, &value, "aspace->root", "address space");
    } else if (object_is(object, "channel")) {
        follow_messages(inspector, census, object, &value);
    } else if (object_is(object, "vmar")) {
        follow_regions(inspector, census, object, &value);
    } else if (object_is(object, "vmo")) {
        follow_pointer(inspector, census, object, &value, "pager->port", "pager.port");
    }
}
