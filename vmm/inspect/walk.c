/* walk.c - the kernel's lists and trees, bounded. */
#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "inspect/kernel.h"

enum { ELEMENTS_MAX = 1 << 20, DEPTH_MAX = 64, PATH_BYTES = 64 };

static bool push(struct inspector *inspector, struct walk *walk, uint64_t address)
{
    if (walk->count == ELEMENTS_MAX) {
        inspect_warn(inspector, "a list has more than %d elements: the rest is left out",
                     ELEMENTS_MAX);
        return false;
    }
    uint64_t *more = array_grow(walk->address, walk->count, &walk->room, sizeof(*more));
    if (more == NULL)
        return false;
    walk->address = more;
    walk->address[walk->count++] = address;
    return true;
}

/* The pointer to the first element: the head itself, or its first member. */
static bool first_pointer(const struct value *head, struct value *pointer)
{
    Dwarf_Die plain, die;
    struct member member;
    if (!type_strip(&head->type, &plain))
        return false;
    *pointer = *head;
    if (dwarf_tag(&plain) == DW_TAG_pointer_type)
        return true;
    if (dwarf_child(&plain, &die) != 0 || !member_decode(&die, &member))
        return false;
    pointer->type = member.type;
    pointer->address += member.offset;
    return true;
}

static void damaged(struct inspector *inspector, const char *path, uint64_t address)
{
    inspect_warn(inspector, "the list '%s' is damaged at %#llx: the rest is left out", path,
                 (unsigned long long)address);
}

bool walk_list(struct inspector *inspector, const struct value *from, const char *path,
               const char *link, struct walk *out)
{
    struct value head, pointer, next;
    uint64_t address, mark = 0, limit = 1, steps = 0;
    *out = (struct walk){.count = 0};
    if (!value_path(inspector, from, path, &head) || !first_pointer(&head, &pointer) ||
        !value_target(inspector, &pointer.type, &out->type) ||
        !value_read(inspector, &pointer, &address))
        return false;
    struct value element = {.type = out->type};
    if (!value_path(inspector, &element, link, &next))
        return false;
    uint64_t offset = next.address; /* of the link, whose first member points onwards */
    while (address != 0) {
        uint64_t following;
        if (address == mark || !read_kernel(inspector, address + offset, &following, 8)) {
            damaged(inspector, path, address);
            break;
        }
        if (!push(inspector, out, address))
            break;
        if (++steps == limit) { /* Brent: a cycle comes back to a mark that moves away */
            mark = address;
            limit *= 2;
            steps = 0;
        }
        address = following;
    }
    return true;
}

struct tree_walk {
    struct inspector *inspector;
    struct walk *out;
    const char *path;
    uint64_t left, right, parent; /* offsets in an element */
};

/* A node is met through its parent only, which it must name: so none is met twice. 0: left out. */
static uint64_t node_below(const struct tree_walk *tree, uint64_t parent, uint64_t node)
{
    uint64_t above;
    if (node == 0 ||
        (read_kernel(tree->inspector, node + tree->parent, &above, 8) && above == parent))
        return node;
    damaged(tree->inspector, tree->path, node);
    return 0;
}

/* The children of `node`; 0: none. */
static void children(const struct tree_walk *tree, uint64_t node, uint64_t child[2])
{
    if (!read_kernel(tree->inspector, node + tree->left, &child[0], 8) ||
        !read_kernel(tree->inspector, node + tree->right, &child[1], 8) ||
        (child[0] != 0 && child[0] == child[1])) {
        damaged(tree->inspector, tree->path, node);
        child[0] = child[1] = 0;
    }
    child[0] = node_below(tree, node, child[0]);
    child[1] = node_below(tree, node, child[1]);
}

/* Finds the root, 0: none. `left`, `right` and `parent` are the paths of an element's links. */
static bool find_root(struct tree_walk *tree, const struct value *from, const char *left,
                      const char *right, const char *parent, uint64_t *root)
{
    struct inspector *inspector = tree->inspector;
    struct value head, pointer, left_link, right_link, parent_link;
    *tree->out = (struct walk){.count = 0};
    if (!value_path(inspector, from, tree->path, &head) || !first_pointer(&head, &pointer) ||
        !value_target(inspector, &pointer.type, &tree->out->type) ||
        !value_read(inspector, &pointer, root))
        return false;
    struct value element = {.type = tree->out->type};
    if (!value_path(inspector, &element, left, &left_link) ||
        !value_path(inspector, &element, right, &right_link) ||
        !value_path(inspector, &element, parent, &parent_link))
        return false;
    tree->left = left_link.address;
    tree->right = right_link.address;
    tree->parent = parent_link.address;
    *root = node_below(tree, 0, *root);
    return true;
}

static bool visit(struct tree_walk *tree, uint64_t node, unsigned depth)
{
    uint64_t child[2];
    if (node == 0)
        return true;
    if (depth > DEPTH_MAX) {
        damaged(tree->inspector, tree->path, node);
        return true;
    }
    children(tree, node, child);
    return visit(tree, child[0], depth + 1) && push(tree->inspector, tree->out, node) &&
           visit(tree, child[1], depth + 1);
}

bool walk_tree(struct inspector *inspector, const struct value *from, const char *path,
               const char *link, struct walk *out)
{
    char left[PATH_BYTES], right[PATH_BYTES], parent[PATH_BYTES];
    struct tree_walk tree = {.inspector = inspector, .out = out, .path = path};
    uint64_t root;
    snprintf(left, sizeof(left), "%s.rbe_left", link);
    snprintf(right, sizeof(right), "%s.rbe_right", link);
    snprintf(parent, sizeof(parent), "%s.rbe_parent", link);
    if (!find_root(&tree, from, left, right, parent, &root))
        return false;
    visit(&tree, root, 0);
    return true;
}

/* It may be as deep as it has elements, so no recursion: `out` also queues those to look below. */
bool walk_heap(struct inspector *inspector, const struct value *from, const char *path,
               struct walk *out)
{
    struct tree_walk tree = {.inspector = inspector, .out = out, .path = path};
    uint64_t next[2] = {0};
    if (!find_root(&tree, from, "left", "right", "parent", &next[0]))
        return false;
    for (size_t i = 0;; i++) {
        for (unsigned side = 0; side < 2; side++)
            if (next[side] != 0 && !push(inspector, out, next[side]))
                return true;
        if (i == out->count)
            return true;
        children(&tree, out->address[i], next);
    }
}

struct value walk_value(const struct walk *walk, size_t i)
{
    return (struct value){.type = walk->type, .address = walk->address[i]};
}

void walk_free(struct walk *walk)
{
    free(walk->address);
    *walk = (struct walk){.count = 0};
}

bool value_container(struct inspector *inspector, const char *type, const char *path,
                     uint64_t address, struct value *out)
{
    uint64_t offset;
    if (!value_offset(inspector, type, path, &offset))
        return false;
    return value_at(inspector, type, address - offset, out);
}
