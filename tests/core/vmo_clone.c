/*
 * Snapshots: the basics, resizing, and that pages go as soon as nobody can see them.
 */
#include "memory.h"

/* ---- VmoClone ------------------------------------------------------------------------------ */

TEST(VmoClone, SizeIsRoundedUp)
{
    zx_handle_t vmo = new_vmo(4), child;

    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE + 1, &child));
    EXPECT_EQ(pages_of(child), 2);
    CLOSE(child);
    ASSERT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, 0, &child));
    EXPECT_EQ(pages_of(child), 0);
    CLOSE(child);
    CLOSE(vmo);
}

TEST(VmoClone, NameIsInherited)
{
    zx_handle_t vmo = new_vmo(1), weak, child;
    char name[ZX_MAX_NAME_LEN];

    ASSERT_OK(zx_object_set_property(vmo, ZX_PROP_NAME, "original", 8));
    child = clone_of(vmo, 0, 1);
    ASSERT_OK(zx_object_get_property(child, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(strcmp(name, "original"), 0);
    ASSERT_OK(zx_object_set_property(child, ZX_PROP_NAME, "copy", 4));
    ASSERT_OK(zx_object_get_property(vmo, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(strcmp(name, "original"), 0);
    CLOSE(child);
    weak = without_rights(vmo, ZX_RIGHT_GET_PROPERTY);
    child = clone_of(weak, 0, 1);
    ASSERT_OK(zx_object_get_property(child, ZX_PROP_NAME, name, sizeof(name)));
    EXPECT_EQ(name[0], 0); /* who may not read the name does not get it this way */
    CLOSE(child);
    CLOSE(weak);
    CLOSE(vmo);
}

TEST(VmoClone, RightsFollowTheHandle)
{
    zx_handle_t vmo = new_vmo(1), weak, child;
    zx_rights_t rights;

    weak = without_rights(vmo, ZX_RIGHT_WRITE | ZX_RIGHT_MAP | ZX_RIGHTS_PROPERTY);
    child = clone_of(weak, 0, 1);
    rights = basic_info(weak).rights;
    EXPECT_EQ(basic_info(child).rights, rights | ZX_RIGHTS_PROPERTY | ZX_RIGHT_WRITE);
    CLOSE(child);
    CLOSE(weak);
    ASSERT_OK(zx_vmo_replace_as_executable(vmo, ZX_HANDLE_INVALID, &vmo));
    child = clone_of(vmo, 0, 1);
    EXPECT_EQ(basic_info(child).rights & ZX_RIGHT_EXECUTE, 0); /* it can be written */
    CLOSE(child);
    child = child_of(vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_NO_WRITE, 0, 1);
    EXPECT_EQ(basic_info(child).rights & (ZX_RIGHT_EXECUTE | ZX_RIGHT_WRITE), ZX_RIGHT_EXECUTE);
    CLOSE(child);
    CLOSE(vmo);
}

/* Sizes and offsets that no VMO can have. */
TEST(VmoClone, BadRanges)
{
    zx_handle_t vmo = new_vmo(1), child;

    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, UINT64_MAX - PAGE, &child),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, -PAGE, 2 * PAGE, &child),
                  ZX_ERR_OUT_OF_RANGE);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, PAGE / 2, PAGE, &child),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_STATUS(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, UNMAPPED),
                  ZX_ERR_INVALID_ARGS);
    EXPECT_EQ(vmo_info(vmo).num_children, 0);
    CLOSE(vmo);
}

/* What an unmapped range of a clone costs: nothing is copied by looking. */
TEST(VmoClone, ReadingCommitsNothing)
{
    zx_handle_t vmo = numbered_vmo(8, 1), child = clone_of(vmo, 0, 8);
    uint64_t pages = all_vmo_pages();

    for (uint64_t i = 0; i < 8; i++)
        EXPECT_EQ(word_at(child, i), 1 + i);
    EXPECT_EQ(committed_pages(child), 0);
    EXPECT_EQ(committed_pages(vmo), 8);
    EXPECT_EQ(all_vmo_pages(), pages);
    CLOSE(child);
    CLOSE(vmo);
}

/* Committing a clone gives it pages of its own. */
TEST(VmoClone, Commit)
{
    zx_handle_t vmo = numbered_vmo(4, 1), child = clone_of(vmo, 0, 4);

    EXPECT_OK(commit(child, 1, 2));
    EXPECT_EQ(committed_pages(child), 2);
    EXPECT_EQ(committed_pages(vmo), 4);
    EXPECT_EQ(word_at(child, 1), 2);
    set_word(vmo, 1, 9);
    EXPECT_EQ(word_at(child, 1), 2);
    EXPECT_STATUS(decommit(child, 1, 1), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(decommit(vmo, 1, 1), ZX_ERR_NOT_SUPPORTED); /* it has been snapshotted */
    CLOSE(child);
    CLOSE(vmo);
}

/* ---- VmoCloneResize ------------------------------------------------------------------------ */

TEST(VmoCloneResize, CloneShrinksAndGrows)
{
    zx_handle_t vmo = numbered_vmo(4, 1);
    zx_handle_t child = child_of(vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0, 4);

    EXPECT_OK(zx_vmo_set_size(child, 2 * PAGE));
    EXPECT_OK(zx_vmo_set_size(child, 4 * PAGE));
    EXPECT_EQ(word_at(child, 1), 2);
    EXPECT_EQ(word_at(child, 2), 0); /* not the parent's again */
    EXPECT_EQ(word_at(vmo, 2), 3);
    CLOSE(child);
    CLOSE(vmo);
}

TEST(VmoCloneResize, ParentShrinks)
{
    zx_handle_t vmo = new_resizable(4), child;

    for (uint64_t i = 0; i < 4; i++)
        set_word(vmo, i, i + 1);
    child = clone_of(vmo, 0, 4);
    EXPECT_OK(zx_vmo_set_size(vmo, PAGE));
    for (uint64_t i = 0; i < 4; i++)
        EXPECT_EQ(word_at(child, i), i + 1); /* it was a snapshot */
    EXPECT_OK(zx_vmo_set_size(vmo, 4 * PAGE));
    EXPECT_EQ(word_at(vmo, 3), 0);
    EXPECT_EQ(committed_pages(vmo) + committed_pages(child), 4);
    CLOSE(child);
    CLOSE(vmo);
}

/* The pages that a shrunk clone alone could see are freed. */
TEST(VmoCloneResize, ShrinkingFreesPages)
{
    zx_handle_t vmo = numbered_vmo(4, 1);
    zx_handle_t child = child_of(vmo, ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_RESIZABLE, 0, 4);
    uint64_t pages = all_vmo_pages();

    set_word(child, 3, 7);
    CLOSE(vmo); /* of its pages only 0 to 2 are still to be seen */
    EXPECT_EQ(all_vmo_pages(), pages);
    EXPECT_OK(zx_vmo_set_size(child, PAGE));
    EXPECT_EQ(all_vmo_pages(), pages - 3);
    EXPECT_EQ(committed_pages(child), 1);
    CLOSE(child);
    EXPECT_EQ(all_vmo_pages(), pages - 4);
}

TEST(VmoCloneResize, OnlyIfAsked)
{
    zx_handle_t vmo = new_resizable(2), child = clone_of(vmo, 0, 2);

    EXPECT_STATUS(zx_vmo_set_size(child, PAGE), ZX_ERR_UNAVAILABLE);
    EXPECT_EQ(vmo_info(child).flags & ZX_INFO_VMO_RESIZABLE, 0);
    CLOSE(child);
    CLOSE(vmo);
}

/* ---- VmoCloneDisjointClones ---------------------------------------------------------------- */

/* Four clones of a page each; the parent goes first or last. */
static void disjoint_clones(bool parent_first)
{
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(4, 1), clones[4];

    for (uint64_t i = 0; i < 4; i++)
        clones[i] = clone_of(vmo, i, 1);
    if (parent_first)
        CLOSE(vmo);
    EXPECT_EQ(all_vmo_pages(), before + 4);
    for (uint64_t i = 0; i < 4; i++) {
        EXPECT_EQ(word_at(clones[i], 0), i + 1);
        if (parent_first)
            EXPECT_EQ(committed_pages(clones[i]), 1); /* nobody else has it now */
        CLOSE(clones[i]);
        EXPECT_EQ(all_vmo_pages(), before + (parent_first ? 3 - i : 4));
    }
    if (!parent_first)
        CLOSE(vmo);
    EXPECT_EQ(all_vmo_pages(), before);
}

TEST(VmoCloneDisjointClones, ParentClosedFirst)
{
    disjoint_clones(true);
}

TEST(VmoCloneDisjointClones, ParentClosedLast)
{
    disjoint_clones(false);
}

/* ---- ProgressiveCloneDiscard --------------------------------------------------------------- */

/* Clones that each see a page less than the one before; closing them one by one frees a page. */
static void progressive_discard(bool close_from_the_largest)
{
    enum { COUNT = 6 };
    uint64_t before = all_vmo_pages();
    zx_handle_t vmo = numbered_vmo(COUNT, 1), clones[COUNT];

    for (uint64_t i = 0; i < COUNT; i++)
        clones[i] = clone_of(vmo, i, COUNT - i);
    CLOSE(vmo);
    EXPECT_EQ(all_vmo_pages(), before + COUNT);
    for (uint64_t n = 0; n < COUNT; n++) {
        uint64_t i = close_from_the_largest ? n : COUNT - 1 - n;

        EXPECT_EQ(word_at(clones[i], 0), i + 1);
        CLOSE(clones[i]);
        if (close_from_the_largest)
            EXPECT_EQ(all_vmo_pages(), before + COUNT - 1 - n);
        else
            EXPECT_EQ(all_vmo_pages(), before + (n == COUNT - 1 ? 0 : COUNT));
    }
}

TEST(ProgressiveCloneDiscard, LargestFirst)
{
    progressive_discard(true);
}

TEST(ProgressiveCloneDiscard, SmallestFirst)
{
    progressive_discard(false);
}

/* ---- VmoSignal ----------------------------------------------------------------------------- */

TEST(VmoSignal, ZeroChildrenIsWaitedFor)
{
    zx_handle_t vmo = new_vmo(1), port, child;
    zx_port_packet_t packet;

    ASSERT_OK(zx_port_create(0, &port));
    child = clone_of(vmo, 0, 1);
    ASSERT_OK(zx_object_wait_async(vmo, port, 1, ZX_VMO_ZERO_CHILDREN, 0));
    EXPECT_STATUS(zx_port_wait(port, 0, &packet), ZX_ERR_TIMED_OUT);
    CLOSE(child);
    ASSERT_OK(zx_port_wait(port, 0, &packet));
    EXPECT_EQ(packet.signal.observed, ZX_VMO_ZERO_CHILDREN);
    CLOSE(port);
    CLOSE(vmo);
}

/* Grandchildren do not count. */
TEST(VmoSignal, OnlyDirectChildren)
{
    zx_handle_t vmo = new_vmo(1), child = clone_of(vmo, 0, 1), grandchild = clone_of(child, 0, 1);

    EXPECT_EQ(vmo_info(vmo).num_children, 1);
    CLOSE(child);
    EXPECT_EQ(signals_of(vmo), ZX_VMO_ZERO_CHILDREN);
    EXPECT_EQ(word_at(grandchild, 0), 0);
    CLOSE(grandchild);
    CLOSE(vmo);
}

/* A mapping keeps a child alive, and thereby the signal away. */
TEST(VmoSignal, MappedChildCounts)
{
    zx_handle_t vmo = numbered_vmo(1, 4), child = clone_of(vmo, 0, 1);
    zx_vaddr_t at = map_pages(child, ZX_VM_PERM_READ, 0, 1);

    CLOSE(child);
    EXPECT_EQ(signals_of(vmo), 0);
    EXPECT_EQ(*word_of(at, 0), 4);
    unmap_pages(at, 1);
    EXPECT_EQ(signals_of(vmo), ZX_VMO_ZERO_CHILDREN);
    EXPECT_STATUS(zx_object_signal(vmo, 0, ZX_VMO_ZERO_CHILDREN), ZX_ERR_INVALID_ARGS);
    CLOSE(vmo);
}
