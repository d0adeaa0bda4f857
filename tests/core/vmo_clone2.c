/*
 * Snapshots: what each of several VMOs shows, whoever writes or closes when, and what it costs.
 */
#include "memory.h"

/* ---- Reading and writing ------------------------------------------------------------------- */

TEST(VmoClone2, Read)
{
    zx_handle_t vmo = numbered_vmo(1, 5), clone = clone_of(vmo, 0, 1);

    EXPECT_EQ(word_at(clone, 0), 5);
    EXPECT_EQ(word_at(vmo, 0), 5);
    CLOSE(clone);
    CLOSE(vmo);
}

TEST(VmoClone2, CloneWrite)
{
    zx_handle_t vmo = numbered_vmo(1, 5), clone = clone_of(vmo, 0, 1);

    set_word(clone, 0, 6);
    EXPECT_EQ(word_at(vmo, 0), 5);
    EXPECT_EQ(word_at(clone, 0), 6);
    CLOSE(clone);
    EXPECT_EQ(word_at(vmo, 0), 5);
    CLOSE(vmo);
}

TEST(VmoClone2, ParentWrite)
{
    zx_handle_t vmo = numbered_vmo(1, 5), clone = clone_of(vmo, 0, 1);

    set_word(vmo, 0, 6);
    EXPECT_EQ(word_at(clone, 0), 5);
    EXPECT_EQ(word_at(vmo, 0), 6);
    CLOSE(vmo);
    EXPECT_EQ(word_at(clone, 0), 5);
    CLOSE(clone);
}

/* The page was mapped writable before the clone was made. */
TEST(VmoClone2, MappedParentWrite)
{
    zx_handle_t vmo = numbered_vmo(1, 5), clone;
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 1);

    *word_of(at, 0) = 6;
    clone = clone_of(vmo, 0, 1);
    *word_of(at, 0) = 7;
    EXPECT_EQ(word_at(clone, 0), 6);
    EXPECT_EQ(word_at(vmo, 0), 7);
    unmap_pages(at, 1);
    CLOSE(clone);
    CLOSE(vmo);
}

TEST(VmoClone2, MappedCloneWrite)
{
    zx_handle_t vmo = numbered_vmo(1, 5), clone = clone_of(vmo, 0, 1);
    zx_vaddr_t at = map_pages(clone, READ_WRITE, 0, 1);

    EXPECT_EQ(*word_of(at, 0), 5); /* mapped to read first */
    *word_of(at, 0) = 6;
    EXPECT_EQ(*word_of(at, 0), 6);
    EXPECT_EQ(word_at(vmo, 0), 5);
    unmap_pages(at, 1);
    CLOSE(clone);
    CLOSE(vmo);
}

/* Both are mapped, both write the same page, in both orders. */
TEST(VmoClone2, BothMapped)
{
    zx_handle_t vmo = numbered_vmo(2, 5), clone = clone_of(vmo, 0, 2);
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 2), clone_at = map_pages(clone, READ_WRITE, 0, 2);

    *word_of(at, 0) = 10;
    *word_of(clone_at, 0) = 11;
    *word_of(clone_at, 1) = 12;
    *word_of(at, 1) = 13;
    EXPECT_EQ(*word_of(at, 0), 10);
    EXPECT_EQ(*word_of(clone_at, 0), 11);
    EXPECT_EQ(*word_of(clone_at, 1), 12);
    EXPECT_EQ(*word_of(at, 1), 13);
    EXPECT_EQ(committed_pages(vmo) + committed_pages(clone), 4);
    unmap_pages(clone_at, 2);
    unmap_pages(at, 2);
    CLOSE(clone);
    CLOSE(vmo);
}

/* A mapping of the parent that was read only sees the parent's own write, not the clone's page. */
TEST(VmoClone2, ReadOnlyMappingFollowsItsVmo)
{
    zx_handle_t vmo = numbered_vmo(1, 5), clone = clone_of(vmo, 0, 1);
    zx_vaddr_t at = map_pages(vmo, ZX_VM_PERM_READ, 0, 1);
    zx_vaddr_t clone_at = map_pages(clone, ZX_VM_PERM_READ, 0, 1);

    EXPECT_EQ(*word_of(at, 0), 5);
    EXPECT_EQ(*word_of(clone_at, 0), 5);
    set_word(vmo, 0, 6);
    EXPECT_EQ(*word_of(at, 0), 6);
    EXPECT_EQ(*word_of(clone_at, 0), 5);
    set_word(clone, 0, 7);
    EXPECT_EQ(*word_of(at, 0), 6);
    EXPECT_EQ(*word_of(clone_at, 0), 7);
    unmap_pages(clone_at, 1);
    unmap_pages(at, 1);
    CLOSE(clone);
    CLOSE(vmo);
}

/* A page that the parent did not have: both begin with zeros. */
TEST(VmoClone2, NewPagesAreOnesOwn)
{
    zx_handle_t vmo = new_vmo(3), clone = clone_of(vmo, 0, 3);

    set_word(vmo, 0, 1);
    set_word(clone, 1, 2);
    EXPECT_EQ(word_at(clone, 0), 0);
    EXPECT_EQ(word_at(vmo, 1), 0);
    EXPECT_EQ(word_at(clone, 2), 0);
    EXPECT_EQ(committed_pages(vmo), 1);
    EXPECT_EQ(committed_pages(clone), 1);
    CLOSE(clone);
    CLOSE(vmo);
}

/* The same with a zero page that is mapped before it is written. */
TEST(VmoClone2, MappedZeroPage)
{
    zx_handle_t vmo = new_vmo(1), clone = clone_of(vmo, 0, 1);
    zx_vaddr_t at = map_pages(clone, READ_WRITE, 0, 1);

    EXPECT_EQ(*word_of(at, 0), 0);
    set_word(vmo, 0, 9);
    EXPECT_EQ(*word_of(at, 0), 0);
    *word_of(at, 0) = 8;
    EXPECT_EQ(word_at(clone, 0), 8);
    EXPECT_EQ(word_at(vmo, 0), 9);
    unmap_pages(at, 1);
    CLOSE(clone);
    CLOSE(vmo);
}

/* A write across a page that is shared and one that is not. */
TEST(VmoClone2, WriteAcrossPages)
{
    zx_handle_t vmo = numbered_vmo(2, 5), clone = clone_of(vmo, 0, 1);
    uint64_t word = UINT64_MAX;

    ASSERT_OK(zx_vmo_write(vmo, &word, PAGE - 4, 8));
    ASSERT_OK(zx_vmo_read(clone, &word, PAGE - 8, 8));
    EXPECT_EQ(word, 0);
    EXPECT_EQ(word_at(vmo, 1), 0xffffffff);
    CLOSE(clone);
    CLOSE(vmo);
}

/* ---- Closing ------------------------------------------------------------------------------- */

TEST(VmoClone2, CloseOriginal)
{
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(2, 5), clone = clone_of(vmo, 0, 2);

    set_word(clone, 1, 60);
    CLOSE(vmo);
    EXPECT_EQ(word_at(clone, 0), 5);
    EXPECT_EQ(word_at(clone, 1), 60);
    EXPECT_EQ(committed_pages(clone), 2);
    EXPECT_EQ(all_vmo_pages(), before + 2); /* the page it had replaced is gone */
    CLOSE(clone);
    EXPECT_EQ(all_vmo_pages(), before);
}

TEST(VmoClone2, CloseClone)
{
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(2, 5), clone = clone_of(vmo, 0, 2);

    set_word(vmo, 0, 50);
    EXPECT_EQ(all_vmo_pages(), before + 3);
    CLOSE(clone);
    EXPECT_EQ(all_vmo_pages(), before + 2);
    EXPECT_EQ(word_at(vmo, 0), 50);
    EXPECT_EQ(word_at(vmo, 1), 6);
    EXPECT_EQ(committed_pages(vmo), 2);
    CLOSE(vmo);
}

/* A page nobody shares any more is written in place. */
TEST(VmoClone2, LastOneWritesInPlace)
{
    zx_handle_t vmo = numbered_vmo(4, 5), clone = clone_of(vmo, 0, 4);
    uint64_t pages;

    CLOSE(vmo);
    pages = all_vmo_pages();
    for (uint64_t i = 0; i < 4; i++)
        set_word(clone, i, 1);
    EXPECT_EQ(all_vmo_pages(), pages);
    CLOSE(clone);
}

/* The middle one of three generations goes. */
TEST(VmoClone2, CloseTheMiddle)
{
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(3, 5), clone = clone_of(vmo, 0, 3), grandchild;

    set_word(clone, 1, 60);
    grandchild = clone_of(clone, 0, 3);
    set_word(clone, 2, 70);
    CLOSE(clone);
    EXPECT_EQ(word_at(grandchild, 0), 5);
    EXPECT_EQ(word_at(grandchild, 1), 60);
    EXPECT_EQ(word_at(grandchild, 2), 7);
    EXPECT_EQ(word_at(vmo, 1), 6);
    EXPECT_EQ(all_vmo_pages(), before + 4); /* three of the parent's, one of the middle's */
    CLOSE(vmo);
    EXPECT_EQ(all_vmo_pages(), before + 3);
    CLOSE(grandchild);
    EXPECT_EQ(all_vmo_pages(), before);
}

/* Clones of clones are closed in an order that fits neither their age nor their descent. */
TEST(VmoClone2, CloseInAnyOrder)
{
    enum { COUNT = 16 };
    static const uint8_t order[COUNT] = {7, 0, 12, 3, 15, 8, 1, 10, 4, 13, 2, 14, 6, 9, 11, 5};
    uint64_t before = all_vmo_pages();
    zx_handle_t vmos[COUNT];

    vmos[0] = numbered_vmo(COUNT, 100);
    for (uint64_t i = 1; i < COUNT; i++) {
        vmos[i] = clone_of(vmos[(i - 1) / 2], 0, COUNT);
        set_word(vmos[i], i, i);
    }
    for (int n = 0; n < COUNT; n++) {
        CLOSE(vmos[order[n]]);
        vmos[order[n]] = ZX_HANDLE_INVALID;
        for (uint64_t i = 1; i < COUNT; i++) {
            if (!vmos[i])
                continue;
            EXPECT_EQ(word_at(vmos[i], i), i);
            EXPECT_EQ(word_at(vmos[i], (i - 1) / 2), i < 3 ? 100 : (i - 1) / 2);
        }
    }
    EXPECT_EQ(all_vmo_pages(), before);
}

/* Mappings outlive the handles. */
TEST(VmoClone2, MappingKeepsClone)
{
    zx_handle_t vmo = numbered_vmo(2, 5), clone = clone_of(vmo, 0, 2);
    zx_vaddr_t at = map_pages(clone, READ_WRITE, 0, 2);

    *word_of(at, 0) = 50;
    CLOSE(clone);
    CLOSE(vmo);
    EXPECT_EQ(*word_of(at, 0), 50);
    EXPECT_EQ(*word_of(at, 1), 6);
    *word_of(at, 1) = 60;
    EXPECT_EQ(*word_of(at, 1), 60);
    unmap_pages(at, 2);
}

/* ---- Many ---------------------------------------------------------------------------------- */

TEST(VmoClone2, ManyClones)
{
    enum { COUNT = 32 };
    zx_handle_t vmo = numbered_vmo(2, 5), clones[COUNT];
    uint64_t pages = all_vmo_pages();

    for (int i = 0; i < COUNT; i++)
        clones[i] = clone_of(vmo, 0, 2);
    EXPECT_EQ(all_vmo_pages(), pages);
    EXPECT_EQ(vmo_info(vmo).num_children, COUNT);
    for (uint64_t i = 0; i < COUNT; i++)
        set_word(clones[i], 0, i);
    EXPECT_EQ(all_vmo_pages(), pages + COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        EXPECT_EQ(word_at(clones[i], 0), i);
        EXPECT_EQ(word_at(clones[i], 1), 6);
        CLOSE(clones[i]);
    }
    EXPECT_EQ(all_vmo_pages(), pages);
    CLOSE(vmo);
}

/* Each clone of the one before, a page further on. */
TEST(VmoClone2, ManyOffsets)
{
    enum { COUNT = 16 };
    zx_handle_t vmos[COUNT];

    vmos[0] = numbered_vmo(COUNT, 1);
    for (uint64_t i = 1; i < COUNT; i++) {
        vmos[i] = clone_of(vmos[i - 1], 1, COUNT - i);
        set_word(vmos[i], 0, 100 + i);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        EXPECT_EQ(word_at(vmos[i], 0), i ? 100 + i : 1);
        EXPECT_EQ(word_at(vmos[i], COUNT - 1 - i), i == COUNT - 1 ? 100 + i : COUNT);
    }
    for (int i = 0; i < COUNT; i++)
        CLOSE(vmos[i]);
}

TEST(VmoClone2, ManyMappings)
{
    enum { COUNT = 8 };
    zx_handle_t vmo = numbered_vmo(1, 5), clones[COUNT];
    zx_vaddr_t at[COUNT];

    for (uint64_t i = 0; i < COUNT; i++) {
        clones[i] = clone_of(i % 2 ? clones[i - 1] : vmo, 0, 1);
        at[i] = map_pages(clones[i], READ_WRITE, 0, 1);
        EXPECT_EQ(*word_of(at[i], 0), i % 2 ? i - 1 + 10 : 5);
        *word_of(at[i], 0) = i + 10;
    }
    for (uint64_t i = 0; i < COUNT; i++)
        EXPECT_EQ(*word_of(at[i], 0), i + 10);
    EXPECT_EQ(word_at(vmo, 0), 5);
    for (int i = 0; i < COUNT; i++) {
        unmap_pages(at[i], 1);
        CLOSE(clones[i]);
    }
    CLOSE(vmo);
}

/* A thousand generations, all alive but one after the other, are no deeper than one. */
TEST(VmoClone2, ThousandGenerations)
{
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(4, 1);

    for (uint64_t i = 0; i < 1000; i++) {
        zx_handle_t child = clone_of(vmo, 0, 4);

        CLOSE(vmo);
        vmo = child;
        set_word(vmo, i % 4, 1000 + i);
        ASSERT_EQ(committed_pages(vmo), 4);
    }
    for (uint64_t i = 0; i < 4; i++)
        EXPECT_EQ(word_at(vmo, i), 1996 + i);
    EXPECT_EQ(all_vmo_pages(), before + 4);
    CLOSE(vmo);
}

enum { BATCH = 50, BATCHES = 20, CHILDREN = 4000, FAMILIES = 20 };

/* The shortest time in which BATCH children are closed and made: that of a batch undisturbed. */
struct children_cost {
    zx_duration_t close, make;
};

static zx_duration_t shorter(zx_duration_t a, zx_duration_t b)
{
    return a < b ? a : b;
}

/* Replaces some of the children, all over the trees; child k is one of vmos[k % families]. */
static struct children_cost replace_children(const zx_handle_t *vmos, uint64_t families,
                                             zx_handle_t *children)
{
    struct children_cost cost = {ZX_TIME_INFINITE, ZX_TIME_INFINITE};

    for (uint64_t i = 0; i < BATCHES * BATCH; i += BATCH) {
        zx_time_t start = zx_clock_get_monotonic(), closed;

        for (uint64_t k = i; k < i + BATCH; k++)
            CLOSE(children[(k * 7919) % CHILDREN]);
        closed = zx_clock_get_monotonic();
        for (uint64_t k = i; k < i + BATCH; k++) {
            uint64_t child = (k * 7919) % CHILDREN;

            children[child] = clone_of(vmos[child % families], 0, 1);
        }
        cost.close = shorter(cost.close, closed - start);
        cost.make = shorter(cost.make, zx_clock_get_monotonic() - closed);
    }
    return cost;
}

/* What it costs to replace children when all of them are in so many families. */
static struct children_cost cost_in_families(uint64_t families)
{
    static zx_handle_t children[CHILDREN];
    zx_handle_t vmos[FAMILIES];
    struct children_cost cost;
    uint64_t pages;

    memset(children, 0xff, sizeof(children)); /* this program's own pages */
    pages = all_vmo_pages();
    for (uint64_t i = 0; i < families; i++)
        vmos[i] = numbered_vmo(1, 5 + i);
    for (uint64_t i = 0; i < CHILDREN; i++)
        children[i] = clone_of(vmos[i % families], 0, 1);
    EXPECT_EQ(vmo_info(vmos[0]).num_children, CHILDREN / families);
    EXPECT_EQ(word_at(children[CHILDREN - 1], 0), 5 + (CHILDREN - 1) % families);
    cost = replace_children(vmos, families, children);
    for (uint64_t i = 0; i < CHILDREN; i++)
        CLOSE(children[i]);
    EXPECT_EQ(vmo_info(vmos[0]).num_children, 0);
    for (uint64_t i = 0; i < families; i++)
        CLOSE(vmos[i]);
    EXPECT_EQ(all_vmo_pages(), pages);
    return cost;
}

/* One child more costs the same beside four thousand as beside two hundred, not twenty times as
 * much. There are four thousand in all both times, so the processor's caches make no difference. */
TEST(VmoClone2, ThousandsOfChildren)
{
    struct children_cost few = cost_in_families(FAMILIES), many = cost_in_families(1);

    EXPECT_TRUE(many.close < 5 * few.close);
    EXPECT_TRUE(many.make < 5 * few.make);
}

/* ---- Windows ------------------------------------------------------------------------------- */

TEST(VmoClone2, WindowInTheMiddle)
{
    zx_handle_t vmo = numbered_vmo(5, 1), clone = clone_of(vmo, 1, 3);

    for (uint64_t i = 0; i < 3; i++)
        EXPECT_EQ(word_at(clone, i), 2 + i);
    set_word(clone, 0, 20);
    set_word(vmo, 3, 40);
    EXPECT_EQ(word_at(vmo, 1), 2);
    EXPECT_EQ(word_at(clone, 2), 4);
    CLOSE(clone);
    CLOSE(vmo);
}

TEST(VmoClone2, BeyondTheParent)
{
    zx_handle_t vmo = numbered_vmo(2, 1), clone = clone_of(vmo, 1, 4);

    EXPECT_EQ(pages_of(clone), 4);
    EXPECT_EQ(word_at(clone, 0), 2);
    EXPECT_EQ(word_at(clone, 1), 0);
    set_word(clone, 3, 9);
    EXPECT_EQ(word_at(clone, 3), 9);
    EXPECT_EQ(pages_of(vmo), 2);
    CLOSE(clone);
    CLOSE(vmo);
}

/* Wholly behind the parent: a VMO of zeros. */
TEST(VmoClone2, BehindTheParent)
{
    zx_handle_t vmo = numbered_vmo(1, 1), clone = clone_of(vmo, 4, 2);

    EXPECT_EQ(word_at(clone, 0), 0);
    set_word(clone, 1, 3);
    EXPECT_EQ(word_at(clone, 1), 3);
    EXPECT_EQ(committed_pages(clone), 1);
    CLOSE(clone);
    CLOSE(vmo);
}

/* The parent grows into what its clone shows as zeros. */
TEST(VmoClone2, ParentGrows)
{
    zx_handle_t vmo = new_resizable(1), clone = clone_of(vmo, 0, 3), grandchild;

    ASSERT_OK(zx_vmo_set_size(vmo, 3 * PAGE));
    set_word(vmo, 1, 7);
    EXPECT_EQ(word_at(clone, 1), 0);
    grandchild = clone_of(clone, 1, 2);
    EXPECT_EQ(word_at(grandchild, 0), 0);
    set_word(clone, 2, 8);
    EXPECT_EQ(word_at(grandchild, 1), 0);
    CLOSE(grandchild);
    CLOSE(clone);
    CLOSE(vmo);
}

/* A small clone keeps of a large parent only what it shows. */
TEST(VmoClone2, SmallCloneKeepsLittle)
{
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(40, 1), clone = clone_of(vmo, 17, 2);

    EXPECT_EQ(all_vmo_pages(), before + 40);
    CLOSE(vmo);
    EXPECT_EQ(all_vmo_pages(), before + 2);
    EXPECT_EQ(committed_pages(clone), 2);
    EXPECT_EQ(word_at(clone, 1), 19);
    CLOSE(clone);
}

/* Likewise a grandchild whose window is smaller than its parent's. */
TEST(VmoClone2, SmallGrandchildKeepsLittle)
{
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(40, 1), clone = clone_of(vmo, 4, 30), grandchild;

    grandchild = clone_of(clone, 2, 1);
    CLOSE(clone);
    CLOSE(vmo);
    EXPECT_EQ(all_vmo_pages(), before + 1);
    EXPECT_EQ(word_at(grandchild, 0), 7);
    CLOSE(grandchild);
    EXPECT_EQ(all_vmo_pages(), before);
}

/* Two clones that overlap in one page. */
TEST(VmoClone2, OverlappingWindows)
{
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(3, 1), a = clone_of(vmo, 0, 2), b = clone_of(vmo, 1, 2);

    CLOSE(vmo);
    EXPECT_EQ(committed_pages(a) + committed_pages(b), 3);
    set_word(a, 1, 20);
    EXPECT_EQ(word_at(b, 0), 2);
    EXPECT_EQ(all_vmo_pages(), before + 4);
    CLOSE(a);
    EXPECT_EQ(all_vmo_pages(), before + 2);
    CLOSE(b);
}

TEST(VmoClone2, NoPages)
{
    zx_handle_t vmo = new_vmo(0), clone = clone_of(vmo, 0, 1);

    EXPECT_EQ(word_at(clone, 0), 0);
    set_word(clone, 0, 1);
    EXPECT_EQ(committed_pages(clone), 1);
    EXPECT_EQ(pages_of(vmo), 0);
    CLOSE(clone);
    CLOSE(vmo);
}

/* A hole of 2^40 bytes between two pages costs no time. */
TEST(VmoClone2, FarApart)
{
    const uint64_t far = 1ull << 28;
    zx_handle_t vmo = new_vmo(far + 1), clone;

    set_word(vmo, 0, 1);
    set_word(vmo, far, 2);
    clone = clone_of(vmo, 0, far + 1);
    set_word(vmo, far, 3);
    EXPECT_EQ(word_at(clone, far), 2);
    EXPECT_EQ(word_at(clone, 0), 1);
    CLOSE(vmo);
    EXPECT_EQ(committed_pages(clone), 2);
    CLOSE(clone);
}

/* ---- Attribution --------------------------------------------------------------------------- */

/* Shared pages count once, as the eldest's. */
TEST(VmoClone2, SharedPagesCountOnce)
{
    zx_handle_t vmo = numbered_vmo(4, 1), a = clone_of(vmo, 0, 4), b = clone_of(a, 0, 4);

    EXPECT_EQ(committed_pages(vmo), 4);
    EXPECT_EQ(committed_pages(a), 0);
    EXPECT_EQ(committed_pages(b), 0);
    set_word(a, 0, 9);
    EXPECT_EQ(committed_pages(a), 1);
    set_word(vmo, 1, 9); /* its old page is now a's and b's */
    EXPECT_EQ(committed_pages(vmo), 4);
    EXPECT_EQ(committed_pages(a), 2);
    EXPECT_EQ(committed_pages(b), 0);
    CLOSE(a);
    EXPECT_EQ(committed_pages(b), 1);
    CLOSE(b);
    CLOSE(vmo);
}

TEST(VmoClone2, PagesPassToTheHeir)
{
    zx_handle_t vmo = numbered_vmo(4, 1), a = clone_of(vmo, 0, 2), b = clone_of(vmo, 1, 3);

    CLOSE(vmo);
    EXPECT_EQ(committed_pages(a), 2);
    EXPECT_EQ(committed_pages(b), 2);
    CLOSE(a);
    EXPECT_EQ(committed_pages(b), 3);
    CLOSE(b);
}

TEST(VmoClone2, Info)
{
    zx_handle_t vmo = new_vmo(2), clone = clone_of(vmo, 0, 1);
    zx_info_vmo_t info = vmo_info(clone);

    EXPECT_EQ(info.flags, ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_IS_COW_CLONE);
    EXPECT_EQ(info.parent_koid, basic_info(vmo).koid);
    EXPECT_EQ(info.size_bytes, PAGE);
    CLOSE(vmo);
    EXPECT_EQ(vmo_info(clone).flags & ZX_INFO_VMO_IS_COW_CLONE, ZX_INFO_VMO_IS_COW_CLONE);
    CLOSE(clone);
}

/* ---- Other kinds of parents ---------------------------------------------------------------- */

/* A contiguous VMO keeps its frames: it is the clone that moves. */
TEST(VmoClone2, ContiguousParent)
{
    zx_handle_t vmo = new_contiguous(3), clone;

    for (uint64_t i = 0; i < 3; i++)
        set_word(vmo, i, i + 1);
    clone = clone_of(vmo, 0, 3);
    set_word(vmo, 0, 10);
    set_word(clone, 1, 20);
    EXPECT_EQ(word_at(clone, 0), 1);
    EXPECT_EQ(word_at(vmo, 1), 2);
    EXPECT_EQ(word_at(clone, 2), 3);
    EXPECT_EQ(committed_pages(vmo), 3);
    EXPECT_EQ(vmo_info(clone).flags & ZX_INFO_VMO_CONTIGUOUS, 0);
    CLOSE(vmo);
    EXPECT_EQ(word_at(clone, 2), 3);
    CLOSE(clone);
}

TEST(VmoClone2, CloneOfContiguousParentsClone)
{
    zx_handle_t vmo = new_contiguous(2), clone, grandchild;

    set_word(vmo, 0, 1);
    set_word(vmo, 1, 2);
    clone = clone_of(vmo, 0, 2);
    grandchild = clone_of(clone, 0, 2);
    set_word(vmo, 0, 10);
    set_word(clone, 1, 20);
    EXPECT_EQ(word_at(clone, 0), 1);
    EXPECT_EQ(word_at(grandchild, 0), 1);
    EXPECT_EQ(word_at(grandchild, 1), 2);
    CLOSE(clone);
    CLOSE(vmo);
    EXPECT_EQ(word_at(grandchild, 1), 2);
    CLOSE(grandchild);
}

/* Mapped writable before; then its pages must not change under the clone. */
TEST(VmoClone2, MappedContiguousParent)
{
    zx_handle_t vmo = new_contiguous(1), clone;
    zx_vaddr_t at = map_pages(vmo, READ_WRITE, 0, 1);

    *word_of(at, 0) = 3;
    clone = clone_of(vmo, 0, 1);
    *word_of(at, 0) = 4;
    EXPECT_EQ(word_at(clone, 0), 3);
    EXPECT_EQ(word_at(vmo, 0), 4);
    unmap_pages(at, 1);
    CLOSE(clone);
    CLOSE(vmo);
}

TEST(VmoClone2, PhysicalParent)
{
    zx_handle_t vmo, child;

    ASSERT_OK(zx_vmo_create_physical(root_resource(), 0xfee00000, PAGE, &vmo));
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(
        zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, PAGE, &child),
        ZX_ERR_NOT_SUPPORTED);
    CLOSE(vmo);
}

TEST(VmoClone2, UncachedParent)
{
    zx_handle_t vmo = new_vmo(1), child;

    ASSERT_OK(zx_vmo_set_cache_policy(vmo, ZX_CACHE_POLICY_UNCACHED));
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_BAD_STATE);
    EXPECT_EQ(vmo_info(vmo).num_children, 0);
    CLOSE(vmo);
}

/* Pinned pages must not change hands; a pinned clone keeps its own. */
TEST(VmoClone2, Pinned)
{
    zx_handle_t bti = new_bti(), vmo = numbered_vmo(2, 1), child, pmt;

    pmt = pin_pages(bti, vmo, 1, 1);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 2 * PAGE, &child),
                  ZX_ERR_BAD_STATE);
    EXPECT_OK(zx_pmt_unpin(pmt));
    child = clone_of(vmo, 0, 2);
    pmt = pin_pages(bti, child, 0, 2);
    EXPECT_EQ(committed_pages(child), 2);
    set_word(vmo, 0, 10);
    CLOSE(vmo);
    EXPECT_EQ(word_at(child, 0), 1);
    EXPECT_EQ(word_at(child, 1), 2);
    EXPECT_OK(zx_pmt_unpin(pmt));
    CLOSE(child);
    CLOSE(bti);
}

/* Without a pager behind it, "at least on write" is a full snapshot, also in the other direction.
 */
TEST(VmoClone2, AtLeastOnWrite)
{
    zx_handle_t vmo = numbered_vmo(2, 1), clone, grandchild;

    clone = child_of(vmo, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, 2);
    grandchild = child_of(clone, ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0, 2);
    set_word(vmo, 0, 10);
    set_word(clone, 1, 20);
    EXPECT_EQ(word_at(clone, 0), 1);
    EXPECT_EQ(word_at(grandchild, 0), 1);
    EXPECT_EQ(word_at(grandchild, 1), 2);
    EXPECT_EQ(word_at(vmo, 1), 2);
    CLOSE(grandchild);
    CLOSE(clone);
    CLOSE(vmo);
}

TEST(VmoClone2, OneKindOnly)
{
    zx_handle_t vmo = new_vmo(1), slice = child_of(vmo, ZX_VMO_CHILD_SLICE, 0, 1), child;

    EXPECT_STATUS(
        zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE, 0,
                            PAGE, &child),
        ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_RESIZABLE, 0, PAGE, &child),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(slice, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_EQ(vmo_info(slice).num_children, 0);
    CLOSE(slice);
    CLOSE(vmo);
}
