/*
 * Pagers: asking for pages and supplying them.
 */
#include "paged.h"

static void single_page(bool mapped)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, mapped);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_TRUE(task_blocks(&t));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_has_read(&t));
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}
TEST_BOTH(SinglePage, single_page)

static void supplied_before(bool mapped)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, mapped);

    EXPECT_OK(paged_supply(&p, 0, 1));
    task_start(&t);
    EXPECT_TRUE(paged_has_read(&t));
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}
TEST_BOTH(SuppliedBefore, supplied_before)

/* A request that is answered before it is read is not told any more. */
static void supplied_early(bool mapped)
{
    struct paged p = paged_new(2);
    struct task t = paged_reader(&p, 0, mapped), u = paged_reader(&p, 1, mapped);

    task_start(&t);
    EXPECT_TRUE(task_blocks(&t));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_has_read(&t));
    task_start(&u);
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_OK(paged_supply(&p, 1, 1));
    EXPECT_TRUE(paged_has_read(&u));
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}
TEST_BOTH(SuppliedEarly, supplied_early)

static zx_status_t reads_every_page(struct task *task)
{
    for (; task->first < task->pages; task->first++) {
        zx_status_t status = task->at ? reads_memory(task) : reads_vmo(task);

        if (status != ZX_OK || task->word != PAGED_WORD(task->first))
            return ZX_ERR_INTERNAL;
    }
    return ZX_OK;
}

static void page_after_page(bool mapped)
{
    struct paged p = paged_new(32);
    struct task t = {.run = reads_every_page, .vmo = p.vmo, .pages = 32};

    if (mapped)
        t.at = p.at;
    task_start(&t);
    for (uint64_t i = 0; i < 32; i++) {
        ASSERT_TRUE(paged_request(&p, i, 1));
        ASSERT_OK(paged_supply(&p, i, 1));
    }
    EXPECT_STATUS(task_end(&t), ZX_OK);
    paged_close(&p);
}
TEST_BOTH(PageAfterPage, page_after_page)

static void two_pages_at_once(bool mapped)
{
    struct paged p = paged_new(2);
    struct task t = paged_reader(&p, 0, mapped), u = paged_reader(&p, 1, mapped);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    task_start(&u);
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_OK(paged_supply(&p, 0, 2));
    EXPECT_TRUE(paged_has_read(&t));
    EXPECT_TRUE(paged_has_read(&u));
    paged_close(&p);
}
TEST_BOTH(TwoPagesAtOnce, two_pages_at_once)

/* However many threads want a page, it is asked for once. */
static void many_want_one_page(bool mapped)
{
    struct paged p = paged_new(1);
    static struct task tasks[32];

    for (int i = 0; i < 32; i++) {
        tasks[i] = paged_reader(&p, 0, mapped);
        task_start(&tasks[i]);
        EXPECT_TRUE(task_blocks(&tasks[i]));
    }
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_TRUE(paged_is_quiet(&p));
    EXPECT_OK(paged_supply(&p, 0, 1));
    for (int i = 0; i < 32; i++)
        EXPECT_TRUE(paged_has_read(&tasks[i]));
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}
TEST_BOTH(ManyWantOnePage, many_want_one_page)

static void one_supply_for_many(bool mapped)
{
    struct paged p = paged_new(8);
    static struct task tasks[8];

    for (uint64_t i = 0; i < 8; i++) {
        tasks[i] = paged_reader(&p, i, mapped);
        task_start(&tasks[i]);
        ASSERT_TRUE(paged_request(&p, i, 1));
    }
    EXPECT_OK(paged_supply(&p, 0, 8));
    for (int i = 0; i < 8; i++)
        EXPECT_TRUE(paged_has_read(&tasks[i]));
    paged_close(&p);
}
TEST_BOTH(OneSupplyForMany, one_supply_for_many)

/* Lengths that fit no power of two. */
static const uint64_t odd_lengths[] = {2, 3, 5, 7, 37, 5, 13, 23};

static void supply_oddly(bool from_the_same_offset)
{
    zx_handle_t aux = numbered_vmo(95, PAGED_WORD(0));
    struct paged p = paged_new(95);
    uint64_t first = 0;

    for (int i = 0; i < 8; i++) {
        uint64_t pages = odd_lengths[i];
        uint64_t from = from_the_same_offset ? first : 95 - pages;

        /* The others have been taken: only those of this round need be there. */
        for (uint64_t n = 0; n < pages; n++)
            set_word(aux, from + n, PAGED_WORD(first + n));
        ASSERT_OK(
            zx_pager_supply_pages(p.pager, p.vmo, first * PAGE, pages * PAGE, aux, from * PAGE));
        EXPECT_EQ(word_at(aux, from), 0); /* moved, not copied */
        first += pages;
    }
    for (uint64_t i = 0; i < 95; i++)
        EXPECT_EQ(word_at(p.vmo, i), PAGED_WORD(i));
    EXPECT_EQ(committed_pages(p.vmo), 95);
    EXPECT_TRUE(paged_is_quiet(&p));
    CLOSE(aux);
    paged_close(&p);
}

TEST(Pager, OddLengths)
{
    supply_oddly(true);
}

TEST(Pager, OddOffsets)
{
    supply_oddly(false);
}

/* Supplying a page that is there drops the new one. */
static void supply_keeps_what_is_there(bool mapped)
{
    struct paged p = paged_new(2);
    zx_handle_t aux = numbered_vmo(2, 5);

    EXPECT_OK(zx_pager_supply_pages(p.pager, p.vmo, 0, PAGE, aux, PAGE));
    set_word(aux, 1, 8);
    EXPECT_OK(zx_pager_supply_pages(p.pager, p.vmo, 0, 2 * PAGE, aux, 0));
    EXPECT_EQ(mapped ? *word_of(p.at, 0) : word_at(p.vmo, 0), 6);
    EXPECT_EQ(mapped ? *word_of(p.at, 1) : word_at(p.vmo, 1), 8);
    EXPECT_EQ(committed_pages(aux), 0);
    EXPECT_EQ(committed_pages(p.vmo), 2);
    CLOSE(aux);
    paged_close(&p);
}
TEST_BOTH(SupplyKeepsWhatIsThere, supply_keeps_what_is_there)

static void many_requests(bool mapped)
{
    enum { COUNT = 101 };
    struct paged p = paged_new(COUNT);
    static struct task tasks[COUNT];

    for (uint64_t i = 0; i < COUNT; i++) {
        tasks[i] = paged_reader(&p, i, mapped);
        task_start(&tasks[i]);
        ASSERT_TRUE(task_blocks(&tasks[i])); /* before the next one asks */
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        ASSERT_TRUE(paged_request(&p, i, 1)); /* one packet at a time, in order */
        ASSERT_OK(paged_supply(&p, i, 1));
        ASSERT_TRUE(paged_has_read(&tasks[i]));
    }
    paged_close(&p);
}
TEST_BOTH(ManyRequests, many_requests)

TEST(Pager, VmosOneAfterTheOther)
{
    for (int i = 0; i < 64; i++) {
        struct paged p = paged_new(1);
        struct task t = paged_reader(&p, 0, true);

        task_start(&t);
        ASSERT_TRUE(paged_request(&p, 0, 1));
        ASSERT_OK(paged_supply(&p, 0, 1));
        ASSERT_TRUE(paged_has_read(&t));
        paged_close(&p);
    }
}

TEST(Pager, ManyVmosOfOnePager)
{
    enum { COUNT = 8 };
    struct paged p = paged_new(1);
    zx_port_packet_t packet;
    struct task tasks[COUNT];
    zx_handle_t vmos[COUNT];

    for (uint64_t i = 0; i < COUNT; i++) {
        ASSERT_OK(zx_pager_create_vmo(p.pager, 0, p.port, i, PAGE, &vmos[i]));
        tasks[i] = (struct task){.run = reads_vmo, .vmo = vmos[i]};
        task_start(&tasks[i]);
        ASSERT_OK(zx_port_wait(p.port, soon(), &packet));
        EXPECT_EQ(packet.key, i);
    }
    for (int i = 0; i < COUNT; i++) {
        struct paged other = {.pager = p.pager, .vmo = vmos[i]};

        EXPECT_OK(paged_supply(&other, 0, 1));
        EXPECT_TRUE(paged_has_read(&tasks[i]));
        CLOSE(vmos[i]);
    }
    paged_close(&p);
}

/* Each VMO queues at most one packet, whoever waits for whatever. */
TEST(Pager, OnePacketAVmo)
{
    struct paged p = paged_new(3);
    struct task t = paged_reader(&p, 0, false), u = paged_reader(&p, 2, false);
    zx_port_packet_t user = {.key = 9}, packet;

    task_start(&t);
    EXPECT_TRUE(task_blocks(&t));
    task_start(&u);
    EXPECT_TRUE(task_blocks(&u));
    EXPECT_OK(zx_port_queue(p.port, &user));
    EXPECT_TRUE(paged_request(&p, 0, 1));
    ASSERT_OK(zx_port_wait(p.port, soon(), &packet)); /* the second request has queued behind it */
    EXPECT_EQ(packet.key, 9);
    EXPECT_TRUE(paged_request(&p, 2, 1));
    EXPECT_OK(paged_supply(&p, 0, 3));
    EXPECT_TRUE(paged_has_read(&t));
    EXPECT_TRUE(paged_has_read(&u));
    paged_close(&p);
}

static zx_status_t waits_at_port(struct task *task)
{
    zx_port_packet_t packet = {0};
    zx_status_t status = zx_port_wait(task->vmo, ZX_TIME_INFINITE, &packet);

    task->word = packet.page_request.offset / PAGE;
    return status;
}

/* A request ends the wait of a thread that is at the port already. */
TEST(Pager, PortIsWaitedOn)
{
    struct paged p = paged_new(4);
    struct task pager = {.run = waits_at_port, .vmo = p.port}, t = paged_reader(&p, 3, true);

    task_start(&pager);
    EXPECT_TRUE(wait_until_blocked(pager.thread.handle, ZX_THREAD_STATE_BLOCKED_PORT));
    task_start(&t);
    EXPECT_STATUS(task_end(&pager), ZX_OK);
    EXPECT_EQ(pager.word, 3);
    EXPECT_OK(paged_supply(&p, 3, 1));
    EXPECT_TRUE(paged_has_read(&t));
    paged_close(&p);
}

TEST(Pager, WriteWaits)
{
    struct paged p = paged_new(1);
    struct task t = {.run = writes_vmo, .vmo = p.vmo, .word = 7};
    uint64_t words[2];

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    ASSERT_OK(zx_vmo_read(p.vmo, words, 0, sizeof(words)));
    EXPECT_EQ(words[0], 7);
    EXPECT_EQ(words[1], 0);
    paged_close(&p);
}

/* A write to memory keeps the rest of the page that was supplied. */
TEST(Pager, WriteToMappingWaits)
{
    struct paged p = paged_new(1);
    struct task t = {.run = writes_memory, .at = p.at + 8, .word = 7};

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(*word_of(p.at, 0), PAGED_WORD(0));
    EXPECT_EQ(*word_of(p.at + 8, 0), 7);
    paged_close(&p);
}

static zx_status_t reads_across(struct task *task)
{
    return zx_vmo_read(task->vmo, &task->word, PAGE - 4, sizeof(task->word));
}

TEST(Pager, ReadAcrossPages)
{
    struct paged p = paged_new(2);
    struct task t = {.run = reads_across, .vmo = p.vmo};

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_OK(paged_supply(&p, 1, 1));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(t.word, PAGED_WORD(1) << 32);
    paged_close(&p);
}

/* MAP_RANGE enters what is there and asks for nothing. */
TEST(Pager, MapRangeAsksForNothing)
{
    struct paged p = paged_new(2);
    struct task t;
    zx_vaddr_t at;

    EXPECT_OK(paged_supply(&p, 0, 1));
    at = map_pages(p.vmo, ZX_VM_PERM_READ | ZX_VM_MAP_RANGE, 0, 2);
    EXPECT_TRUE(paged_is_quiet(&p));
    EXPECT_EQ(*word_of(at, 0), PAGED_WORD(0));
    EXPECT_TRUE(paged_is_quiet(&p));
    t = (struct task){.run = reads_memory, .at = at, .first = 1};
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_OK(paged_supply(&p, 1, 1));
    EXPECT_TRUE(paged_has_read(&t));
    unmap_pages(at, 2);
    paged_close(&p);
}

TEST(Pager, UnmappedMeanwhile)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, true);

    task_start(&t);
    EXPECT_TRUE(task_blocks(&t));
    unmap_pages(p.at, 1);
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_EQ(task_crash(&t), ZX_EXCP_FATAL_PAGE_FAULT);
    paged_close(&p);
}

/* A mapping that is replaced while a thread waits: the thread reads the new one. */
TEST(Pager, ReplacedMeanwhile)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, true);
    zx_handle_t other = numbered_vmo(1, 55);
    zx_info_vmar_t root;
    zx_vaddr_t at;

    ASSERT_OK(
        zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &root, sizeof(root), NULL, NULL));
    task_start(&t);
    EXPECT_TRUE(task_blocks(&t));
    EXPECT_OK(zx_vmar_map(zx_vmar_root_self(), READ_WRITE | ZX_VM_SPECIFIC_OVERWRITE,
                          p.at - root.base, other, 0, PAGE, &at));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(t.word, 55);
    CLOSE(other);
    paged_close(&p);
}

TEST(Pager, Info)
{
    struct paged p = paged_new(2);
    zx_handle_t plain = new_vmo(1);
    zx_info_vmo_t info = vmo_info(p.vmo);

    EXPECT_EQ(info.flags, ZX_INFO_VMO_PAGER_BACKED | ZX_INFO_VMO_TYPE_PAGED);
    EXPECT_EQ(info.committed_bytes, 0);
    EXPECT_EQ(vmo_info(plain).flags & ZX_INFO_VMO_PAGER_BACKED, 0);
    EXPECT_EQ(basic_info(p.pager).type, ZX_OBJ_TYPE_PAGER);
    EXPECT_EQ(basic_info(p.pager).rights, ZX_DEFAULT_PAGER_RIGHTS);
    CLOSE(plain);
    paged_close(&p);
}

/* ---- Commit -------------------------------------------------------------------------------- */

TEST(Pager, CommitAsksForARange)
{
    struct paged p = paged_new(155);
    struct task t = paged_committer(&p, 0, 155);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 155));
    EXPECT_OK(paged_supply(&p, 0, 155));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_EQ(committed_pages(p.vmo), 155);
    paged_close(&p);
}

/* Pages that are there split the request. */
TEST(Pager, CommitAroundWhatIsThere)
{
    struct paged p = paged_new(33);
    struct task t = paged_committer(&p, 0, 33);

    EXPECT_OK(paged_supply(&p, 16, 1));
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 16));
    EXPECT_OK(paged_supply(&p, 0, 16));
    EXPECT_TRUE(paged_request(&p, 17, 16));
    EXPECT_OK(paged_supply(&p, 17, 16));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}

/* What has been asked for is not asked for again. */
TEST(Pager, CommitsOverlap)
{
    struct paged p = paged_new(32);
    struct task t = paged_committer(&p, 8, 16), u = paged_committer(&p, 0, 32);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 8, 16));
    task_start(&u);
    EXPECT_TRUE(paged_request(&p, 0, 8));
    EXPECT_TRUE(paged_is_quiet(&p));
    EXPECT_OK(paged_supply(&p, 0, 24));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_TRUE(paged_request(&p, 24, 8));
    EXPECT_OK(paged_supply(&p, 24, 8));
    EXPECT_STATUS(task_end(&u), ZX_OK);
    paged_close(&p);
}

/* Fifteen commits of seven pages and twenty-one of five, supplied by threes. */
TEST(Pager, ManyCommitsOverlap)
{
    enum { PAGES = 105, A = PAGES / 7, B = PAGES / 5 };
    struct paged p = paged_new(PAGES);
    static struct task tasks[A + B];

    for (uint64_t i = 0; i < A; i++) {
        tasks[i] = paged_committer(&p, i * 7, 7);
        task_start(&tasks[i]);
        ASSERT_TRUE(paged_request(&p, i * 7, 7));
    }
    for (uint64_t i = 0; i < B; i++) {
        tasks[A + i] = paged_committer(&p, i * 5, 5);
        task_start(&tasks[A + i]);
        ASSERT_TRUE(task_blocks(&tasks[A + i]));
    }
    EXPECT_TRUE(paged_is_quiet(&p));
    for (uint64_t i = 0; i < PAGES; i += 3)
        ASSERT_OK(paged_supply(&p, i, 3));
    for (int i = 0; i < A + B; i++)
        EXPECT_STATUS(task_end(&tasks[i]), ZX_OK);
    EXPECT_EQ(committed_pages(p.vmo), PAGES);
    paged_close(&p);
}

TEST(Pager, CommitSuppliedInPieces)
{
    struct paged p = paged_new(32);
    struct task t = paged_committer(&p, 0, 32);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 32));
    for (uint64_t i = 32; i-- > 0;) /* the last page first */
        ASSERT_OK(paged_supply(&p, i, 1));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}

/* Supplies that reach across the commits' borders. */
TEST(Pager, SuppliesReachAcrossCommits)
{
    struct paged p = paged_new(35);
    struct task tasks[5];

    for (uint64_t i = 0; i < 5; i++) {
        tasks[i] = paged_committer(&p, i * 7, 7);
        task_start(&tasks[i]);
        ASSERT_TRUE(paged_request(&p, i * 7, 7));
    }
    for (uint64_t i = 0; i < 7; i++)
        EXPECT_OK(paged_supply(&p, i * 5, 5));
    for (int i = 0; i < 5; i++)
        EXPECT_STATUS(task_end(&tasks[i]), ZX_OK);
    paged_close(&p);
}

TEST(Pager, SupplyAgainAndAgain)
{
    struct paged p = paged_new(8);
    struct task t = paged_committer(&p, 0, 8);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 8));
    for (uint64_t i = 1; i <= 8; i++)
        EXPECT_OK(paged_supply(&p, 0, i));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    paged_close(&p);
}

/* A reader of a page within a request that is out asks for nothing. */
TEST(Pager, ReaderWithinACommit)
{
    struct paged p = paged_new(8);
    struct task t = paged_committer(&p, 0, 8), u = paged_reader(&p, 5, true);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 8));
    task_start(&u);
    EXPECT_TRUE(task_blocks(&u));
    EXPECT_TRUE(paged_is_quiet(&p));
    EXPECT_OK(paged_supply(&p, 5, 1)); /* the reader has all it needs, the commit has not */
    EXPECT_TRUE(paged_has_read(&u));
    EXPECT_TRUE(task_blocks(&t));
    EXPECT_OK(paged_supply(&p, 0, 8));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    paged_close(&p);
}
