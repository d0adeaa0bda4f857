/*
 * Pagers: clones of pager-backed VMOs. Pages that a clone has not changed are its parent's, and the
 * pager is asked for them.
 */
#include "paged.h"

#define ON_WRITE ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE

struct clone {
    zx_handle_t vmo;
    zx_vaddr_t at;
    uint64_t pages;
};

static struct clone clone_paged(zx_handle_t vmo, uint64_t first, uint64_t pages)
{
    struct clone c = {.vmo = child_of(vmo, ON_WRITE, first, pages), .pages = pages};

    c.at = map_pages(c.vmo, READ_WRITE, 0, pages);
    return c;
}

static void clone_close(struct clone *c)
{
    unmap_pages(c->at, c->pages);
    CLOSE(c->vmo);
}

static struct task clone_reader(const struct clone *c, uint64_t page, bool mapped)
{
    return (struct task){
        .run = mapped ? reads_memory : reads_vmo,
        .vmo = c->vmo,
        .at = c->at,
        .first = page,
    };
}

static void read_from_clone(bool mapped)
{
    struct paged p = paged_new(1);
    struct clone c = clone_paged(p.vmo, 0, 1);
    struct task t = clone_reader(&c, 0, mapped);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_has_read(&t));
    EXPECT_EQ(committed_pages(p.vmo), 1); /* the page is the parent's */
    EXPECT_EQ(committed_pages(c.vmo), 0);
    clone_close(&c);
    paged_close(&p);
}
TEST_BOTH(CloneRead, read_from_clone)

static void read_from_parent(bool mapped)
{
    struct paged p = paged_new(1);
    struct clone c = clone_paged(p.vmo, 0, 1);
    struct task t = paged_reader(&p, 0, mapped), u = clone_reader(&c, 0, mapped);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_has_read(&t));
    task_start(&u);
    EXPECT_TRUE(paged_has_read(&u));
    EXPECT_TRUE(paged_is_quiet(&p));
    clone_close(&c);
    paged_close(&p);
}
TEST_BOTH(ParentReadShowsInClone, read_from_parent)

/* The parent and two clones want the same page: one request. */
static void read_together(bool mapped)
{
    struct paged p = paged_new(1);
    struct clone c = clone_paged(p.vmo, 0, 1), d = clone_paged(p.vmo, 0, 1);
    struct task t = paged_reader(&p, 0, mapped), u = clone_reader(&c, 0, mapped),
                v = clone_reader(&d, 0, mapped);

    task_start(&t);
    task_start(&u);
    task_start(&v);
    EXPECT_TRUE(task_blocks(&t));
    EXPECT_TRUE(task_blocks(&u));
    EXPECT_TRUE(task_blocks(&v));
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_has_read(&t));
    EXPECT_TRUE(paged_has_read(&u));
    EXPECT_TRUE(paged_has_read(&v));
    EXPECT_TRUE(paged_is_quiet(&p));
    clone_close(&d);
    clone_close(&c);
    paged_close(&p);
}
TEST_BOTH(ParentAndClonesReadTogether, read_together)

/* A write to the clone takes the page, and does not show in the parent. */
static void write_to_clone(bool mapped)
{
    struct paged p = paged_new(1);
    struct clone c = clone_paged(p.vmo, 0, 1);
    struct task t = {
        .run = mapped ? writes_memory : writes_vmo, .vmo = c.vmo, .at = c.at, .word = 5};

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(word_at(p.vmo, 0), PAGED_WORD(0));
    EXPECT_EQ(*word_of(p.at, 0), PAGED_WORD(0));
    EXPECT_EQ(word_at(c.vmo, 0), 5);
    EXPECT_EQ(committed_pages(c.vmo), 1);
    clone_close(&c);
    paged_close(&p);
}
TEST_BOTH(CloneWrite, write_to_clone)

/* What the clone has of its own outlives the pager. */
TEST(Pager, CloneAfterDetach)
{
    struct paged p = paged_new(2);
    struct clone c = clone_paged(p.vmo, 0, 2);
    struct task t = clone_reader(&c, 1, true), u = clone_reader(&c, 1, false);

    EXPECT_OK(paged_supply(&p, 0, 1));
    *word_of(c.at, 0) = 8;
    EXPECT_OK(zx_pager_detach_vmo(p.pager, p.vmo));
    EXPECT_TRUE(paged_complete(&p));
    task_start(&t);
    EXPECT_EQ(task_crash(&t), ZX_EXCP_FATAL_PAGE_FAULT);
    task_start(&u);
    EXPECT_STATUS(task_end(&u), ZX_ERR_BAD_STATE);
    EXPECT_EQ(*word_of(c.at, 0), 8);
    clone_close(&c);
    paged_close(&p);
}

/* The parent's handle goes; the pager still serves the clone. */
TEST(Pager, CloneKeepsParent)
{
    struct paged p = paged_new(1);
    struct clone c = clone_paged(p.vmo, 0, 1);
    struct task t = clone_reader(&c, 0, true);
    zx_handle_t parent = p.vmo;

    unmap_pages(p.at, 1);
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_has_read(&t));
    p.vmo = ZX_HANDLE_INVALID;
    CLOSE(parent);
    EXPECT_TRUE(paged_is_quiet(&p)); /* no COMPLETE yet */
    EXPECT_EQ(*word_of(c.at, 0), PAGED_WORD(0));
    clone_close(&c);
    EXPECT_TRUE(paged_complete(&p));
    paged_close(&p);
}

TEST(Pager, CloneCommit)
{
    struct paged p = paged_new(32);
    struct clone c = clone_paged(p.vmo, 0, 32);
    struct task t = {.run = commits, .vmo = c.vmo, .pages = 32};

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 32)); /* in one piece */
    EXPECT_OK(paged_supply(&p, 0, 32));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(committed_pages(c.vmo), 32);
    EXPECT_EQ(word_at(c.vmo, 31), PAGED_WORD(31));
    clone_close(&c);
    paged_close(&p);
}

/* Through a clone between, which keeps nothing, and an offset. */
TEST(Pager, CloneOfCloneCommit)
{
    struct paged p = paged_new(32);
    struct clone between = clone_paged(p.vmo, 4, 28), c = clone_paged(between.vmo, 4, 24);
    struct task t = {.run = commits, .vmo = c.vmo, .pages = 24};

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 8, 24));
    EXPECT_OK(paged_supply(&p, 8, 24));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(committed_pages(c.vmo), 24);
    EXPECT_EQ(committed_pages(between.vmo), 0);
    EXPECT_EQ(word_at(c.vmo, 0), PAGED_WORD(8));
    clone_close(&c);
    clone_close(&between);
    paged_close(&p);
}

/* A page of the clone and a page of the parent split a commit's request. */
TEST(Pager, CloneCommitAroundWhatIsThere)
{
    struct paged p = paged_new(6);
    struct clone c = clone_paged(p.vmo, 0, 6);
    struct task t = {.run = commits, .vmo = c.vmo, .pages = 6};

    EXPECT_OK(paged_supply(&p, 1, 2));
    *word_of(c.at, 1) = 7;
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_request(&p, 3, 3));
    EXPECT_OK(paged_supply(&p, 3, 3));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(word_at(c.vmo, 1), 7);
    EXPECT_EQ(word_at(c.vmo, 2), PAGED_WORD(2));
    EXPECT_EQ(committed_pages(c.vmo), 6);
    clone_close(&c);
    paged_close(&p);
}

/* Beyond the parent a clone is its own: zeros, no requests. */
TEST(Pager, CloneBeyondParent)
{
    struct paged p = paged_new(1);
    struct clone c = clone_paged(p.vmo, 0, 3);

    EXPECT_EQ(word_at(c.vmo, 1), 0);
    EXPECT_EQ(*word_of(c.at, 2), 0);
    EXPECT_OK(commit(c.vmo, 1, 2));
    EXPECT_TRUE(paged_is_quiet(&p));
    EXPECT_EQ(committed_pages(c.vmo), 2);
    clone_close(&c);
    paged_close(&p);
}

/* The clone's own size. */
TEST(Pager, CloneIsShrunk)
{
    struct paged p = paged_new(2);
    zx_handle_t child = child_of(p.vmo, ON_WRITE | ZX_VMO_CHILD_RESIZABLE, 0, 2);
    zx_vaddr_t at = map_pages(child, READ_WRITE, 0, 2);

    EXPECT_OK(paged_supply(&p, 0, 2));
    EXPECT_EQ(*word_of(at, 1), PAGED_WORD(1));
    EXPECT_OK(zx_vmo_set_size(child, PAGE));
    EXPECT_TRUE(read_probe(at + PAGE) != ZX_OK);
    EXPECT_TRUE(write_probe(at + PAGE) != ZX_OK);
    EXPECT_OK(zx_vmo_set_size(child, 2 * PAGE));
    EXPECT_EQ(*word_of(at, 0), PAGED_WORD(0));
    EXPECT_EQ(*word_of(at, 1), 0); /* what was cut off shows no more */
    unmap_pages(at, 2);
    CLOSE(child);
    paged_close(&p);
}

/* What the parent loses by shrinking is zero in its clones, also when the parent grows again. */
TEST(Pager, CloneOfShrunkParent)
{
    struct paged p = paged_new_resizable(3);
    struct clone c = clone_paged(p.vmo, 1, 2);

    EXPECT_OK(paged_supply(&p, 0, 3));
    EXPECT_EQ(*word_of(c.at, 0), PAGED_WORD(1));
    EXPECT_EQ(*word_of(c.at, 1), PAGED_WORD(2));
    EXPECT_OK(zx_vmo_set_size(p.vmo, 2 * PAGE));
    EXPECT_EQ(*word_of(c.at, 0), PAGED_WORD(1));
    EXPECT_EQ(*word_of(c.at, 1), 0);
    EXPECT_OK(zx_vmo_set_size(p.vmo, 3 * PAGE));
    EXPECT_OK(paged_supply(&p, 2, 1));
    EXPECT_EQ(word_at(p.vmo, 2), PAGED_WORD(2));
    EXPECT_EQ(*word_of(c.at, 1), 0);
    EXPECT_EQ(word_at(c.vmo, 1), 0);
    clone_close(&c);
    paged_close(&p);
}

/* A clone's reader waits for a page that its parent loses. */
TEST(Pager, CloneReaderOfShrunkParent)
{
    struct paged p = paged_new_resizable(1);
    struct clone c = clone_paged(p.vmo, 0, 1);
    struct task t = clone_reader(&c, 0, true), u = clone_reader(&c, 0, false);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    task_start(&u);
    EXPECT_TRUE(task_blocks(&u));
    EXPECT_OK(zx_vmo_set_size(p.vmo, 0));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(t.word, 0);
    EXPECT_STATUS(task_end(&u), ZX_OK);
    EXPECT_EQ(u.word, 0);
    clone_close(&c);
    paged_close(&p);
}

/* A page that fails fails for who asked through a clone. */
static void failed_through_clone(bool mapped)
{
    struct paged p = paged_new(2);
    struct clone c = clone_paged(p.vmo, 1, 1);
    struct task t = clone_reader(&c, 0, mapped);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_OK(paged_fail(&p, 1, 1, ZX_ERR_IO));
    EXPECT_TRUE(paged_has_failed(&t, ZX_ERR_IO));
    clone_close(&c);
    paged_close(&p);
}
TEST_BOTH(FailedThroughClone, failed_through_clone)

/* What a clone of a clone sees: at least what was there when it was made. */
TEST(Pager, CloneSeesForksBetween)
{
    struct paged p = paged_new(3);
    struct clone between = clone_paged(p.vmo, 0, 3), c;

    EXPECT_OK(paged_supply(&p, 0, 3));
    *word_of(between.at, 1) = 20;
    c = clone_paged(between.vmo, 1, 2);
    EXPECT_EQ(*word_of(c.at, 0), 20);
    EXPECT_EQ(*word_of(c.at, 1), PAGED_WORD(2));
    *word_of(c.at, 0) = 30;
    *word_of(between.at, 1) = 40;
    EXPECT_EQ(*word_of(c.at, 0), 30);
    EXPECT_EQ(word_at(between.vmo, 1), 40);
    EXPECT_EQ(word_at(p.vmo, 1), PAGED_WORD(1));
    clone_close(&between);
    EXPECT_EQ(*word_of(c.at, 1), PAGED_WORD(2));
    clone_close(&c);
    paged_close(&p);
}

TEST(Pager, ThousandGenerations)
{
    struct paged p = paged_new(1);
    zx_handle_t vmo = p.vmo;

    for (int i = 0; i < 1000; i++) {
        zx_handle_t child = child_of(vmo, ON_WRITE, 0, 1);

        if (vmo != p.vmo)
            CLOSE(vmo);
        vmo = child;
    }
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_EQ(word_at(vmo, 0), PAGED_WORD(0));
    set_word(vmo, 0, 4);
    EXPECT_EQ(word_at(p.vmo, 0), PAGED_WORD(0));
    CLOSE(vmo);
    EXPECT_EQ(vmo_info(p.vmo).num_children, 0);
    paged_close(&p);
}

/* Snapshots would have to stop the pager from supplying: there are none. */
TEST(Pager, NoSnapshots)
{
    struct paged p = paged_new(1);
    struct clone c = clone_paged(p.vmo, 0, 1);
    zx_handle_t child;

    EXPECT_STATUS(zx_vmo_create_child(p.vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(zx_vmo_create_child(c.vmo, ZX_VMO_CHILD_SNAPSHOT, 0, PAGE, &child),
                  ZX_ERR_NOT_SUPPORTED);
    clone_close(&c);
    paged_close(&p);
}

TEST(Pager, NoDecommit)
{
    struct paged p = paged_new(1);
    struct clone c = clone_paged(p.vmo, 0, 1);

    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_STATUS(decommit(p.vmo, 0, 1), ZX_ERR_NOT_SUPPORTED);
    EXPECT_STATUS(decommit(c.vmo, 0, 1), ZX_ERR_NOT_SUPPORTED);
    EXPECT_EQ(committed_pages(p.vmo), 1);
    clone_close(&c);
    paged_close(&p);
}

/* A slice shows the same pages and asks for them at its parent's offsets. */
TEST(Pager, Slice)
{
    struct paged p = paged_new(3);
    zx_handle_t slice = child_of(p.vmo, ZX_VMO_CHILD_SLICE, 1, 2);
    struct task t = {.run = reads_vmo, .vmo = slice, .first = 1};

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 2, 1));
    EXPECT_OK(paged_supply(&p, 2, 1));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(t.word, PAGED_WORD(2));
    set_word(slice, 1, 6);
    EXPECT_EQ(word_at(p.vmo, 2), 6);
    CLOSE(slice);
    paged_close(&p);
}

/* Zeroing needs no pages: it does not ask, and nobody will any more. */
TEST(Pager, ZeroAsksForNothing)
{
    struct paged p = paged_new(2);

    EXPECT_OK(zx_vmo_op_range(p.vmo, ZX_VMO_OP_ZERO, 0, 2 * PAGE, NULL, 0));
    EXPECT_TRUE(paged_is_quiet(&p));
    EXPECT_EQ(word_at(p.vmo, 0), 0);
    EXPECT_EQ(*word_of(p.at, 1), 0);
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}
