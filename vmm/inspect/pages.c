/* pages.c - finding the pages of VMOs and of processes. */
#include "inspect/pages.h"

#include <string.h>

#include "hypercall.h"

enum { HEIGHT_MAX = 12, VMAR_DEPTH_MAX = 32 };

/* What DWARF tells of the page tree's shape. */
struct shape {
    uint64_t slots_offset, fan, bits;
    int64_t present;
};

static bool find_shape(struct inspector *inspector, struct shape *shape)
{
    struct value node, slots;
    if (!value_at(inspector, "struct page_node", 0, &node) ||
        !value_path(inspector, &node, "slots", &slots) ||
        !symbols_constant(inspector->symbols, "PAGE_PRESENT", &shape->present))
        return false;
    shape->slots_offset = slots.address;
    shape->fan = type_count(&slots.type);
    if (shape->fan == 0 || (shape->fan & (shape->fan - 1)) != 0)
        return false;
    shape->bits = (uint64_t)__builtin_ctzll(shape->fan);
    return true;
}

static bool is_frame(const struct inspector *inspector, const struct shape *shape, uint64_t slot,
                     gpa_t *frame)
{
    *frame = gpa(page_down(slot));
    return (slot & (uint64_t)shape->present) != 0 &&
           target_physical(inspector->target, *frame, PAGE_BYTES) != NULL;
}

static bool find_in_tree(struct inspector *inspector, const struct value *tree, uint64_t index,
                         gpa_t *frame)
{
    struct shape shape;
    uint64_t slot = value_number(inspector, tree, "root");
    uint64_t height = value_number(inspector, tree, "height");
    if (!find_shape(inspector, &shape) || height > HEIGHT_MAX)
        return false;
    index += value_number(inspector, tree, "base");
    if (height * shape.bits < 64 && index >> (height * shape.bits) != 0)
        return false;
    for (; height > 0 && slot != 0; height--) {
        uint64_t shift = (height - 1) * shape.bits;
        uint64_t number = shift < 64 ? index >> shift & (shape.fan - 1) : 0;
        if (!read_kernel(inspector, slot + shape.slots_offset + number * 8, &slot, 8))
            return false;
    }
    return is_frame(inspector, &shape, slot, frame);
}

static bool has_flag(struct inspector *inspector, const struct value *vmo, const char *name)
{
    int64_t bit;
    return symbols_constant(inspector->symbols, name, &bit) &&
           (value_number(inspector, vmo, "flags") & (uint64_t)bit) != 0;
}

bool vmo_frame(struct inspector *inspector, const struct value *vmo, uint64_t index, gpa_t *frame)
{
    struct value at = *vmo, tree, next;
    for (unsigned hops = 0; hops < HEIGHT_MAX * 4; hops++) {
        uint64_t shift = value_number(inspector, &at, "base_offset") / PAGE_BYTES;
        bool slice = has_flag(inspector, &at, "VMO_SLICE");
        if (has_flag(inspector, &at, "VMO_PHYSICAL")) {
            *frame = gpa(value_number(inspector, &at, "paddr") + index * PAGE_BYTES);
            return target_physical(inspector->target, *frame, PAGE_BYTES) != NULL;
        }
        if (!slice && value_path(inspector, &at, "pages", &tree) &&
            find_in_tree(inspector, &tree, index, frame))
            return true;
        if (!slice && (!has_flag(inspector, &at, "VMO_LOOKS_THROUGH") ||
                       index * PAGE_BYTES >= value_number(inspector, &at, "source_limit")))
            return false;
        if (!value_path(inspector, &at, slice ? "base->" : "source->", &next) ||
            next.address == at.address)
            return false;
        at = next;
        index += shift;
    }
    return false;
}

struct tree_visit {
    struct inspector *inspector;
    struct shape shape;
    uint64_t base;
    bool (*visit)(void *arg, uint64_t index, gpa_t frame);
    void *arg;
    uint64_t budget; /* nodes: a damaged tree may be a maze */
};

static bool visit_slot(struct tree_visit *tree, uint64_t slot, uint64_t height, uint64_t index)
{
    uint64_t slots[64];
    gpa_t frame;
    if (slot == 0)
        return true;
    if (height == 0)
        return !is_frame(tree->inspector, &tree->shape, slot, &frame) ||
               tree->visit(tree->arg, index - tree->base, frame);
    if (tree->shape.fan > 64 || tree->budget-- == 0 ||
        !read_kernel(tree->inspector, slot + tree->shape.slots_offset, slots, tree->shape.fan * 8))
        return false;
    for (uint64_t i = 0; i < tree->shape.fan; i++)
        if (!visit_slot(tree, slots[i], height - 1, index << tree->shape.bits | i))
            return false;
    return true;
}

void vmo_visit(struct inspector *inspector, const struct value *vmo,
               bool (*visit)(void *arg, uint64_t index, gpa_t frame), void *arg)
{
    struct value tree;
    struct tree_visit walk = {.inspector = inspector,
                              .visit = visit,
                              .arg = arg,
                              .budget = inspector->target->memory_bytes / 256};
    if (has_flag(inspector, vmo, "VMO_SLICE") || has_flag(inspector, vmo, "VMO_PHYSICAL") ||
        !value_path(inspector, vmo, "pages", &tree) || !find_shape(inspector, &walk.shape))
        return;
    uint64_t height = value_number(inspector, &tree, "height");
    walk.base = value_number(inspector, &tree, "base");
    if (height <= HEIGHT_MAX)
        visit_slot(&walk, value_number(inspector, &tree, "root"), height, 0);
}

static bool count_one(void *arg, uint64_t index, gpa_t frame)
{
    (void)index;
    (void)frame;
    ++*(uint64_t *)arg;
    return true;
}

uint64_t vmo_count(struct inspector *inspector, const struct value *vmo)
{
    uint64_t count = 0;
    vmo_visit(inspector, vmo, count_one, &count);
    return count;
}

uint64_t vmo_read(struct inspector *inspector, const struct value *vmo, uint64_t offset,
                  void *buffer, uint64_t length)
{
    uint64_t size = value_number(inspector, vmo, "size"), done = 0;
    while (done < length && offset + done < size) {
        gpa_t frame;
        uint64_t at = offset + done, piece = PAGE_BYTES - at % PAGE_BYTES;
        const uint8_t *page = vmo_frame(inspector, vmo, at / PAGE_BYTES, &frame)
                                  ? target_physical(inspector->target, frame, PAGE_BYTES)
                                  : NULL;
        if (piece > length - done)
            piece = length - done;
        if (page != NULL)
            memcpy((uint8_t *)buffer + done, page + at % PAGE_BYTES, piece);
        else
            memset((uint8_t *)buffer + done, 0, piece);
        done += piece;
    }
    return done;
}

/* ---- Address spaces ------------------------------------------------------------------------ */

struct region_visit {
    void (*visit)(void *arg, const struct mapped *mapped, unsigned depth);
    void *arg;
};

static void visit_mapping(struct inspector *inspector, const struct value *region, unsigned depth,
                          const struct region_visit *how)
{
    struct mapped mapped = {.base = value_number(inspector, region, "base"),
                            .size = value_number(inspector, region, "size")};
    if (!value_container(inspector, "struct mapping", "region", region->address, &mapped.mapping))
        return;
    mapped.offset = value_number(inspector, &mapped.mapping, "offset");
    mapped.vmo =
        census_by_address(inspector->census, value_number(inspector, &mapped.mapping, "vmo"));
    mapped.pages =
        census_by_address(inspector->census, value_number(inspector, &mapped.mapping, "pages"));
    how->visit(how->arg, &mapped, depth);
}

static void visit_vmar(struct inspector *inspector, const struct value *vmar, unsigned depth,
                       const struct region_visit *how)
{
    struct walk walk;
    if (depth > VMAR_DEPTH_MAX || !walk_tree(inspector, vmar, "regions", "link", &walk))
        return;
    for (size_t i = 0; i < walk.count; i++) {
        struct value region = walk_value(&walk, i), below;
        if (value_number(inspector, &region, "is_mapping") != 0)
            visit_mapping(inspector, &region, depth, how);
        else if (value_container(inspector, "struct vmar", "region", region.address, &below))
            visit_vmar(inspector, &below, depth + 1, how);
    }
    walk_free(&walk);
}

void mappings_visit(struct inspector *inspector, const struct value *vmar,
                    void (*visit)(void *arg, const struct mapped *mapped, unsigned depth),
                    void *arg)
{
    struct region_visit how = {.visit = visit, .arg = arg};
    visit_vmar(inspector, vmar, 0, &how);
}

uint64_t process_cr3(struct inspector *inspector, const struct object *process)
{
    struct value value = object_value(inspector, process);
    uint64_t table = value_number(inspector, &value, "aspace->table");
    return table >= ZV_DIRECT_MAP_BASE ? table - ZV_DIRECT_MAP_BASE : 0;
}

struct fill {
    struct inspector *inspector;
    uint64_t address, length, done;
    uint8_t *buffer;
};

static void fill_from(void *arg, const struct mapped *mapped, unsigned depth)
{
    struct fill *fill = arg;
    uint64_t at = fill->address + fill->done;
    (void)depth;
    if (fill->done == fill->length || mapped->pages == NULL || at < mapped->base ||
        at - mapped->base >= mapped->size)
        return;
    uint64_t within = at - mapped->base, piece = mapped->size - within;
    struct value pages = object_value(fill->inspector, mapped->pages);
    if (piece > fill->length - fill->done)
        piece = fill->length - fill->done;
    fill->done += vmo_read(fill->inspector, &pages, mapped->offset + within,
                           fill->buffer + fill->done, piece);
}

uint64_t process_read(struct inspector *inspector, const struct object *process, uint64_t address,
                      void *buffer, uint64_t length)
{
    struct value value = object_value(inspector, process), root;
    uint64_t cr3 = process_cr3(inspector, process);
    uint64_t had = cr3 != 0 ? target_read(inspector->target, cr3, address, buffer, length) : 0;
    if (had == length || !value_path(inspector, &value, "aspace->root->", &root))
        return had;
    struct fill fill = {
        .inspector = inspector, .address = address, .length = length, .buffer = buffer};
    mappings_visit(inspector, &root, fill_from, &fill);
    return fill.done > had ? fill.done : had;
}
