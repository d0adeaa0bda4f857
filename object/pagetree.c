/*
 * pagetree.c - the shared radix tree; pagetree.h has the invariants.
 */
#include "pagetree.h"

#include <zircon/errors.h>

#include "heap.h"
#include "string.h"

static inline struct page_node *slot_node(uint64_t slot)
{
    return (struct page_node *)(uintptr_t)slot;
}

static inline uint64_t node_slot(struct page_node *node)
{
    return (uint64_t)(uintptr_t)node;
}

/* Indices below a slot at `height` levels above the pages. */
static inline uint64_t span(unsigned height)
{
    return 1ull << (PAGE_TREE_BITS * height);
}

static inline unsigned slot_number(uint64_t index, unsigned height)
{
    return (unsigned)(index >> (PAGE_TREE_BITS * (height - 1))) & (PAGE_TREE_FAN - 1);
}

static uint64_t slot_count(uint64_t slot, unsigned height)
{
    if (height)
        return slot ? slot_node(slot)->count : 0;
    return slot_present(slot);
}

void page_tree_find(const struct page_tree *tree, uint64_t index, struct page_spot *out)
{
    uint64_t at = index + tree->base;
    unsigned height = tree->height;
    const uint64_t *slot = &tree->root;
    bool exclusive = true;

    if (at >= span(height)) {
        *out = (struct page_spot){.run = UINT64_MAX - index, .exclusive = true};
        return;
    }
    while (height && *slot) {
        struct page_node *node = slot_node(*slot);

        exclusive &= node->refs == 1;
        slot = &node->slots[slot_number(at, height)];
        height--;
    }
    out->exclusive = exclusive;
    if (height || !*slot) {
        out->slot = NULL;
        out->run = span(height) - (at & (span(height) - 1));
    } else {
        out->slot = slot;
        out->run = tree->height ? PAGE_TREE_FAN - (at & (PAGE_TREE_FAN - 1)) : 1;
    }
}

/* ---- References ---------------------------------------------------------------------------- */

static bool slot_ref(uint64_t slot, unsigned height)
{
    if (height) {
        if (slot)
            slot_node(slot)->refs++;
        return true;
    }
    return !slot_present(slot) || page_ref(slot_frame(slot));
}

/*
 * Lets go of what a slot points at, the last page first: the frame that was freed last is the next
 * one to be used, so whoever needs as many again gets them in ascending order, which the HAL can
 * map and copy in one go. Recursion: `height` levels.
 */
static void slot_drop(uint64_t slot, unsigned height)
{
    struct page_node *node;

    if (!slot)
        return;
    if (!height) {
        if (slot_present(slot))
            page_unref(slot_frame(slot));
        return;
    }
    node = slot_node(slot);
    if (--node->refs)
        return;
    for (unsigned i = PAGE_TREE_FAN; i-- > 0;) {
        if (node->slots[i])
            slot_drop(node->slots[i], height - 1);
    }
    heap_free(node);
}

/* One more reference to each thing that a node points at; or to none, false. */
static bool children_ref(const struct page_node *node, unsigned height)
{
    unsigned i = 0;

    if (height > 1) {
        for (; i < PAGE_TREE_FAN; i++)
            slot_ref(node->slots[i], height - 1); /* nodes can always have one more */
        return true;
    }
    while (i < PAGE_TREE_FAN &&
           (!slot_present(node->slots[i]) || page_ref(slot_frame(node->slots[i]))))
        i++;
    if (i == PAGE_TREE_FAN)
        return true;
    while (i--)
        slot_drop(node->slots[i], 0); /* never the last reference */
    return false;
}

/* Replaces a shared node by a copy that only *slot points at. */
static zx_status_t node_copy(uint64_t *slot, unsigned height)
{
    struct page_node *old = slot_node(*slot), *copy = heap_alloc(sizeof *copy);

    if (!copy)
        return ZX_ERR_NO_MEMORY;
    if (!children_ref(old, height)) {
        heap_free(copy);
        return ZX_ERR_NO_MEMORY;
    }
    memcpy(copy->slots, old->slots, sizeof copy->slots);
    copy->refs = 1;
    copy->owner = 0;
    copy->count = old->count;
    old->refs--;
    *slot = node_slot(copy);
    return ZX_OK;
}

static inline zx_status_t node_own(uint64_t *slot, unsigned height)
{
    return slot_node(*slot)->refs == 1 ? ZX_OK : node_copy(slot, height);
}

/* ---- Changing one page --------------------------------------------------------------------- */

static struct page_node *node_new(void)
{
    struct page_node *node = heap_zalloc(sizeof *node);

    if (node)
        node->refs = 1;
    return node;
}

/* Adds levels on top until `at` fits. */
static zx_status_t grow(struct page_tree *tree, uint64_t at)
{
    while (at >= span(tree->height)) {
        struct page_node *node;

        if (tree->height == PAGE_TREE_MAX_HEIGHT)
            return ZX_ERR_NO_MEMORY;
        if (tree->root) {
            node = node_new();
            if (!node)
                return ZX_ERR_NO_MEMORY;
            node->slots[0] = tree->root;
            node->count = slot_count(tree->root, tree->height);
            tree->root = node_slot(node);
        }
        tree->height++;
    }
    return ZX_OK;
}

/* The exclusive path to `at`: *slot is its last slot, path[1..height] the nodes. */
static zx_status_t own_path(struct page_tree *tree, uint64_t at, uint64_t **slot,
                            struct page_node *path[PAGE_TREE_MAX_HEIGHT + 1])
{
    uint64_t *here = &tree->root;
    zx_status_t status;

    for (unsigned height = tree->height; height; height--) {
        struct page_node *node;

        if (!*here) {
            node = node_new();
            if (!node)
                return ZX_ERR_NO_MEMORY; /* empty nodes that were made are harmless */
            *here = node_slot(node);
        } else if ((status = node_own(here, height)) != ZX_OK) {
            return status;
        }
        path[height] = slot_node(*here);
        here = &path[height]->slots[slot_number(at, height)];
    }
    *slot = here;
    return ZX_OK;
}

zx_status_t page_tree_own(struct page_tree *tree, uint64_t index, uint64_t **slot)
{
    struct page_node *path[PAGE_TREE_MAX_HEIGHT + 1];
    uint64_t at = index + tree->base;
    zx_status_t status = grow(tree, at);

    return status == ZX_OK ? own_path(tree, at, slot, path) : status;
}

zx_status_t page_tree_set(struct page_tree *tree, uint64_t index, uint64_t value)
{
    struct page_node *path[PAGE_TREE_MAX_HEIGHT + 1];
    uint64_t *slot, old, at;
    zx_status_t status;
    int change;

    if (!tree->root) { /* an empty tree may begin anew */
        tree->base = 0;
        tree->height = 0;
    }
    at = index + tree->base;
    status = grow(tree, at);
    if (status == ZX_OK)
        status = own_path(tree, at, &slot, path);
    if (status != ZX_OK)
        return status;
    old = *slot;
    *slot = value;
    change = (int)slot_present(value) - (int)slot_present(old);
    if (change) {
        for (unsigned height = tree->height; height; height--)
            path[height]->count += (uint64_t)(int64_t)change;
    }
    slot_drop(old, 0);
    return ZX_OK;
}

/* ---- Ranges -------------------------------------------------------------------------------- */

/* One slot of a node that a range touches, and the part of the range in it, relative to the slot.
 */
struct part {
    uint64_t slot, last; /* slot numbers; last: of the range */
    uint64_t lo, hi;     /* [lo, hi) below the slot */
    uint64_t span, last_hi;
};

/* The parts of [lo, hi), not empty, below a node at `height`:
 * for (p = first_part(height, lo, hi); p.slot <= p.last; next_part(&p)) */
static struct part first_part(unsigned height, uint64_t lo, uint64_t hi)
{
    struct part p = {.span = span(height - 1)};

    p.slot = lo / p.span;
    p.last = (hi - 1) / p.span;
    p.lo = lo - p.slot * p.span;
    p.last_hi = hi - p.last * p.span;
    p.hi = p.slot == p.last ? p.last_hi : p.span;
    return p;
}

static void next_part(struct part *p)
{
    p->slot++;
    p->lo = 0;
    p->hi = p->slot == p->last ? p->last_hi : p->span;
}

/* Whether anything is in [lo, hi) below the slot. */
static bool any_slot(uint64_t slot, unsigned height, uint64_t lo, uint64_t hi)
{
    if (!slot)
        return false;
    if (!height || (lo == 0 && hi == span(height)))
        return true;
    for (struct part p = first_part(height, lo, hi); p.slot <= p.last; next_part(&p)) {
        if (any_slot(slot_node(slot)->slots[p.slot], height - 1, p.lo, p.hi))
            return true;
    }
    return false;
}

/* Makes every node that [lo, hi) covers only in part exclusive. */
static zx_status_t own_edges(uint64_t *slot, unsigned height, uint64_t lo, uint64_t hi)
{
    uint64_t child = height ? span(height - 1) : 0, first, last;
    struct page_node *node;
    zx_status_t status;

    if (!*slot || (lo == 0 && hi == span(height)))
        return ZX_OK;
    status = node_own(slot, height);
    if (status != ZX_OK)
        return status;
    node = slot_node(*slot);
    first = lo / child;
    last = (hi - 1) / child;
    if (first == last)
        return own_edges(&node->slots[first], height - 1, lo - first * child, hi - first * child);
    status = own_edges(&node->slots[first], height - 1, lo - first * child, child);
    if (status == ZX_OK)
        status = own_edges(&node->slots[last], height - 1, 0, hi - last * child);
    return status;
}

static bool node_empty(const struct page_node *node)
{
    for (unsigned i = 0; i < PAGE_TREE_FAN; i++) {
        if (node->slots[i])
            return false;
    }
    return true;
}

/* Empties [lo, hi) below the slot, whose partly covered nodes are exclusive. Returns the frames
 * removed. */
static uint64_t remove_range(uint64_t *slot, unsigned height, uint64_t lo, uint64_t hi)
{
    uint64_t removed = 0;
    struct page_node *node;

    if (!*slot)
        return 0;
    if (lo == 0 && hi == span(height)) {
        removed = slot_count(*slot, height);
        slot_drop(*slot, height);
        *slot = 0;
        return removed;
    }
    node = slot_node(*slot);
    for (struct part p = first_part(height, lo, hi); p.slot <= p.last; next_part(&p))
        removed += remove_range(&node->slots[p.slot], height - 1, p.lo, p.hi);
    node->count -= removed;
    if (node->count == 0 && node_empty(node)) {
        heap_free(node);
        *slot = 0;
    }
    return removed;
}

/* [*lo, *hi) of the nodes from a range of the VMO; false: nothing there. */
static bool node_range(const struct page_tree *tree, uint64_t first, uint64_t count, uint64_t *lo,
                       uint64_t *hi)
{
    uint64_t size = span(tree->height);

    if (!tree->root || count == 0 || first >= size || tree->base + first >= size)
        return false;
    *lo = tree->base + first;
    *hi = count < size - *lo ? *lo + count : size;
    return true;
}

static zx_status_t remove_nodes(struct page_tree *tree, uint64_t lo, uint64_t hi)
{
    zx_status_t status;

    if (!any_slot(tree->root, tree->height, lo, hi))
        return ZX_OK;
    status = own_edges(&tree->root, tree->height, lo, hi);
    if (status == ZX_OK)
        remove_range(&tree->root, tree->height, lo, hi);
    return status;
}

zx_status_t page_tree_remove(struct page_tree *tree, uint64_t first, uint64_t count)
{
    uint64_t lo, hi;

    return node_range(tree, first, count, &lo, &hi) ? remove_nodes(tree, lo, hi) : ZX_OK;
}

void page_tree_drop(struct page_tree *tree)
{
    slot_drop(tree->root, tree->height);
    *tree = (struct page_tree){0};
}

zx_status_t page_tree_share(struct page_tree *to, const struct page_tree *from, uint64_t first,
                            uint64_t count, bool cut_low, bool cut_high)
{
    unsigned height = from->height;
    uint64_t slot = from->root, lo, hi;
    zx_status_t status = ZX_OK;

    *to = (struct page_tree){0};
    if (!node_range(from, first, count, &lo, &hi))
        return ZX_OK;
    /* As long as the window lies below one slot, that slot is the whole tree. */
    while (height && slot && lo / span(height - 1) == (hi - 1) / span(height - 1)) {
        uint64_t skipped = lo / span(height - 1) * span(height - 1);

        slot = slot_node(slot)->slots[slot_number(lo, height)];
        height--;
        lo -= skipped;
        hi -= skipped;
    }
    if (!slot)
        return ZX_OK;
    if (!slot_ref(slot, height))
        return ZX_ERR_NO_MEMORY;
    *to = (struct page_tree){.root = slot, .base = lo, .height = height};
    if (cut_low && lo > 0)
        status = remove_nodes(to, 0, lo);
    if (status == ZX_OK && cut_high && hi < span(height))
        status = remove_nodes(to, hi, span(height));
    if (status != ZX_OK)
        page_tree_drop(to);
    return status;
}

/* ---- Counting ------------------------------------------------------------------------------ */

static uint64_t count_range(uint64_t slot, unsigned height, uint64_t lo, uint64_t hi)
{
    uint64_t total = 0;

    if (!slot || (lo == 0 && hi == span(height)))
        return slot_count(slot, height);
    for (struct part p = first_part(height, lo, hi); p.slot <= p.last; next_part(&p))
        total += count_range(slot_node(slot)->slots[p.slot], height - 1, p.lo, p.hi);
    return total;
}

uint64_t page_tree_count(const struct page_tree *tree, uint64_t first, uint64_t count)
{
    uint64_t lo, hi;

    if (!node_range(tree, first, count, &lo, &hi))
        return 0;
    return count_range(tree->root, tree->height, lo, hi);
}

static void claim(uint64_t slot, unsigned height, uint32_t owner, uint32_t since)
{
    struct page_node *node;

    if (!slot)
        return;
    if (!height) {
        if (slot_present(slot)) {
            uint64_t *word = hal_frame_owner(slot_frame(slot));

            if (since == 0 || *word >> PAGE_OWNER_SHIFT < since)
                *word = (*word & 0xffffffffull) | (uint64_t)owner << PAGE_OWNER_SHIFT;
        }
        return;
    }
    node = slot_node(slot);
    if (since != 0 && node->owner >= since)
        return;
    node->owner = owner;
    for (unsigned i = 0; i < PAGE_TREE_FAN; i++) {
        if (node->slots[i])
            claim(node->slots[i], height - 1, owner, since);
    }
}

void page_tree_claim(struct page_tree *tree, uint32_t owner, uint32_t since)
{
    claim(tree->root, tree->height, owner, since);
}

static uint64_t count_owned(uint64_t slot, unsigned height, uint64_t lo, uint64_t hi,
                            uint32_t owner)
{
    uint64_t total = 0;

    if (!slot)
        return 0;
    if (!height)
        return slot_present(slot) &&
               *hal_frame_owner(slot_frame(slot)) >> PAGE_OWNER_SHIFT == owner;
    if (slot_node(slot)->owner != owner)
        return 0;
    for (struct part p = first_part(height, lo, hi); p.slot <= p.last; next_part(&p))
        total += count_owned(slot_node(slot)->slots[p.slot], height - 1, p.lo, p.hi, owner);
    return total;
}

uint64_t page_tree_count_owned(const struct page_tree *tree, uint64_t first, uint64_t count,
                               uint32_t owner)
{
    uint64_t lo, hi;

    if (!node_range(tree, first, count, &lo, &hi))
        return 0;
    return count_owned(tree->root, tree->height, lo, hi, owner);
}
