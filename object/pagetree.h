/*
 * pagetree.h - which frame is page n of a VMO: a radix tree that snapshots share.
 *
 * Shape. 32 slots a node, 5 bits of the index a level. A tree of height 0 has no node: its root
 * slot is page 0 itself, so a one-page VMO needs no memory beside its struct. Heights grow as pages
 * come in. A slot on the lowest level is 0 (nothing), PAGE_ZERO (known to be zero, where nothing
 * would mean "look into the source") or a frame; above it is 0 or the address of a node.
 *
 * Sharing. A node counts the slots and roots that point at it, a frame counts the lowest-level
 * slots that point at it (page.h). A snapshot is a new root for the same nodes: one count goes up,
 * whatever the size. Whoever changes a page first owns the path to it: each node on the way with
 * more than one reference is replaced by a copy. Invariants:
 *
 *   1. What a tree shows changes by operations on that tree only. (Nodes are changed in place only
 *      when every node from the root down to them has one reference.)
 *   2. A page may be written in place exactly if the path to it is exclusive and the frame has one
 *      reference. Only page_tree_share can end that state; it makes the whole source shared.
 *   3. A frame is reachable from as many trees as paths lead to it; when the last path goes, the
 *      frame is freed in the same operation. There is no frame that no living VMO shows, and no
 *      tree outlives its VMO.
 *   4. A tree holds nothing outside its VMO's size: share cuts the copy to its window and shrinking
 *      removes the tail. So a page that is out of every VMO's sight is free, by 3.
 *
 * Therefore: creating a snapshot is O(1) (O(height) when the window is smaller than the source);
 * dropping a tree costs the nodes and pages that this tree alone reached plus one step for each
 * shared neighbour; a chain of snapshots is never walked, since every VMO has its own root. No
 * recursion is deeper than the tree is high (12).
 */
#ifndef ZVMM_OBJECT_PAGETREE_H
#define ZVMM_OBJECT_PAGETREE_H

#include <hal.h>

#include "page.h"

#define PAGE_TREE_BITS       5
#define PAGE_TREE_FAN        (1u << PAGE_TREE_BITS)
#define PAGE_TREE_MAX_HEIGHT 12

enum page_slot {
    PAGE_PRESENT = 1, /* set in a slot that holds a frame */
    PAGE_ZERO = 2,
};

struct page_tree {
    uint64_t root;   /* a slot */
    uint64_t base;   /* index n of the VMO is index n + base of the nodes */
    uint32_t height; /* 0: root is a page's slot */
};

struct page_node {
    uint32_t refs;
    uint32_t owner; /* whose pages all those below are, unless they say otherwise (vmo_info.c) */
    uint64_t count; /* frames below */
    uint64_t slots[PAGE_TREE_FAN];
};

static inline bool slot_present(uint64_t slot)
{
    return slot & PAGE_PRESENT;
}

static inline hal_paddr_t slot_frame(uint64_t slot)
{
    return slot & ~(uint64_t)HAL_PAGE_MASK;
}

/* What a look-up finds. */
struct page_spot {
    const uint64_t *slot; /* NULL: nothing at this index ... */
    uint64_t run;   /* ... nor at the run - 1 next ones; or: slots from *slot to its node's end */
    bool exclusive; /* the path is this tree's alone */
};

void page_tree_find(const struct page_tree *tree, uint64_t index, struct page_spot *out);

/* The slot of `index` for changing, with an exclusive path; nodes are made as needed. The value may
 * be changed from present to present only; see page_tree_set. ZX_ERR_NO_MEMORY. */
zx_status_t page_tree_own(struct page_tree *tree, uint64_t index, uint64_t **slot);

/* Puts `value` (a frame with PAGE_PRESENT, whose reference the tree takes over, or PAGE_ZERO) at
 * `index` in place of what was there, whose reference is dropped. ZX_ERR_NO_MEMORY. */
zx_status_t page_tree_set(struct page_tree *tree, uint64_t index, uint64_t value);

/* Empties [first, first + count). Only making partly covered shared nodes its own can fail, and
 * then nothing is removed: ZX_ERR_NO_MEMORY. */
zx_status_t page_tree_remove(struct page_tree *tree, uint64_t first, uint64_t count);

/* Empties the whole tree. */
void page_tree_drop(struct page_tree *tree);

/*
 * Makes *to a snapshot of the pages [first, first + count) of `from`, page `first` at index 0.
 * cut_low, cut_high: `from` may have pages before, after the window. ZX_ERR_NO_MEMORY.
 */
zx_status_t page_tree_share(struct page_tree *to, const struct page_tree *from, uint64_t first,
                            uint64_t count, bool cut_low, bool cut_high);

/* Frames in [first, first + count). */
uint64_t page_tree_count(const struct page_tree *tree, uint64_t first, uint64_t count);

/* Attribution, for vmo_info.c. Claim marks everything that nobody with a number of at least
 * `since` has claimed as `owner`'s. Owner 0 with since 0 clears. count_owned counts frames claimed
 * by `owner`. */
void page_tree_claim(struct page_tree *tree, uint32_t owner, uint32_t since);
uint64_t page_tree_count_owned(const struct page_tree *tree, uint64_t first, uint64_t count,
                               uint32_t owner);

#endif
