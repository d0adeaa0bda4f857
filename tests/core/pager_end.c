/*
 * Pagers: waits that end without the page: detached, closed, failed, resized, suspended, killed.
 */
#include "paged.h"

#include "child.h"

/* ---- Detach and close ---------------------------------------------------------------------- */

static void end_pages(struct paged *p, bool detach)
{
    if (detach) {
        EXPECT_OK(zx_pager_detach_vmo(p->pager, p->vmo));
    } else {
        CLOSE(p->pager);
        p->pager = ZX_HANDLE_INVALID;
    }
}

/* Whether the request has been read before makes no difference. */
static void ends_while_waiting(bool mapped, bool detach, bool late)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, mapped);

    task_start(&t);
    EXPECT_TRUE(task_blocks(&t));
    if (late)
        EXPECT_TRUE(paged_request(&p, 0, 1));
    end_pages(&p, detach);
    EXPECT_TRUE(paged_has_failed(&t, ZX_ERR_BAD_STATE));
    EXPECT_TRUE(paged_complete(&p));
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}

static void detached_early(bool mapped)
{
    ends_while_waiting(mapped, true, false);
}
TEST_BOTH(DetachedEarly, detached_early)

static void detached_late(bool mapped)
{
    ends_while_waiting(mapped, true, true);
}
TEST_BOTH(DetachedLate, detached_late)

static void pager_closed_early(bool mapped)
{
    ends_while_waiting(mapped, false, false);
}
TEST_BOTH(PagerClosedEarly, pager_closed_early)

static void pager_closed_late(bool mapped)
{
    ends_while_waiting(mapped, false, true);
}
TEST_BOTH(PagerClosedLate, pager_closed_late)

/* After the end, what was not there cannot be had; what was is kept. */
static void access_after_detach(bool mapped)
{
    struct paged p = paged_new(2);
    struct task t = paged_reader(&p, 1, mapped), u = paged_reader(&p, 0, mapped);

    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_OK(zx_pager_detach_vmo(p.pager, p.vmo));
    EXPECT_TRUE(paged_complete(&p));
    task_start(&t);
    EXPECT_TRUE(paged_has_failed(&t, ZX_ERR_BAD_STATE));
    task_start(&u);
    EXPECT_TRUE(paged_has_read(&u));
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}
TEST_BOTH(AccessAfterDetach, access_after_detach)

TEST(Pager, CommitIsDetached)
{
    struct paged p = paged_new(11);
    struct task t = paged_committer(&p, 0, 11);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 11));
    EXPECT_OK(zx_pager_detach_vmo(p.pager, p.vmo));
    EXPECT_STATUS(task_end(&t), ZX_ERR_BAD_STATE);
    EXPECT_TRUE(paged_complete(&p));
    paged_close(&p);
}

/* The first page was copied; detaching while the second is waited for fails the call. */
static zx_status_t reads_two_pages(struct task *task)
{
    return zx_vmo_read(task->vmo, &task->word, PAGE - 4, 8);
}

TEST(Pager, DetachedBetweenTwoPages)
{
    struct paged p = paged_new(2);
    struct task t = {.run = reads_two_pages, .vmo = p.vmo};

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_OK(zx_pager_detach_vmo(p.pager, p.vmo));
    EXPECT_STATUS(task_end(&t), ZX_ERR_BAD_STATE);
    paged_close(&p);
}

/* The VMO goes with its last handle and mapping. */
TEST(Pager, VmoClosed)
{
    struct paged p = paged_new(1);
    zx_handle_t vmo = p.vmo;

    p.vmo = ZX_HANDLE_INVALID;
    CLOSE(vmo);
    EXPECT_TRUE(paged_is_quiet(&p)); /* the mapping keeps it */
    unmap_pages(p.at, 1);
    EXPECT_TRUE(paged_complete(&p));
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}

TEST(Pager, DetachThenClosePager)
{
    struct paged p = paged_new(1);

    EXPECT_OK(zx_pager_detach_vmo(p.pager, p.vmo));
    CLOSE(p.pager);
    p.pager = ZX_HANDLE_INVALID;
    EXPECT_TRUE(paged_complete(&p));
    EXPECT_TRUE(paged_is_quiet(&p)); /* told once */
    paged_close(&p);
}

/* Another handle keeps the pager. */
TEST(Pager, LastHandleCounts)
{
    struct paged p = paged_new(1);

    ASSERT_OK(zx_handle_replace(p.pager, ZX_RIGHT_SAME_RIGHTS, &p.pager));
    EXPECT_TRUE(paged_is_quiet(&p));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_EQ(word_at(p.vmo, 0), PAGED_WORD(0));
    paged_close(&p);
}

/* Without the port nobody hears of requests; supplying still works. */
TEST(Pager, PortClosed)
{
    struct paged p = paged_new(2);
    struct task t = paged_reader(&p, 0, true), u = paged_reader(&p, 1, true);

    task_start(&t);
    EXPECT_TRUE(task_blocks(&t));
    CLOSE(p.port);
    p.port = ZX_HANDLE_INVALID;
    task_start(&u);
    EXPECT_TRUE(task_blocks(&u));
    EXPECT_OK(paged_supply(&p, 1, 1));
    EXPECT_TRUE(paged_has_read(&u));
    EXPECT_OK(zx_pager_detach_vmo(p.pager, p.vmo));
    EXPECT_EQ(task_crash(&t), ZX_EXCP_FATAL_PAGE_FAULT);
    paged_close(&p);
}

/* ---- Failing ------------------------------------------------------------------------------- */

static void failed_page(bool mapped)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, mapped);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_fail(&p, 0, 1, ZX_ERR_IO));
    EXPECT_TRUE(paged_has_failed(&t, ZX_ERR_IO));
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}
TEST_BOTH(FailedPage, failed_page)

TEST(Pager, FailedErrors)
{
    static const zx_status_t errors[] = {ZX_ERR_IO, ZX_ERR_IO_DATA_INTEGRITY, ZX_ERR_BAD_STATE};

    for (int i = 0; i < 3; i++) {
        struct paged p = paged_new(4);
        struct task t = paged_committer(&p, 0, 4), u = paged_reader(&p, 0, false);

        task_start(&t);
        EXPECT_TRUE(paged_request(&p, 0, 4));
        task_start(&u);
        EXPECT_TRUE(task_blocks(&u));
        EXPECT_OK(paged_fail(&p, 0, 4, errors[i]));
        EXPECT_STATUS(task_end(&t), errors[i]);
        EXPECT_STATUS(task_end(&u), errors[i]);
        EXPECT_TRUE(paged_is_quiet(&p));
        paged_close(&p);
    }
}

TEST(Pager, FailedTogether)
{
    struct paged p = paged_new(11);
    struct task tasks[11];

    for (uint64_t i = 0; i < 11; i++) {
        tasks[i] = paged_committer(&p, i, 1);
        task_start(&tasks[i]);
        EXPECT_TRUE(paged_request(&p, i, 1));
    }
    EXPECT_OK(paged_fail(&p, 0, 11, ZX_ERR_IO));
    for (int i = 0; i < 11; i++)
        EXPECT_STATUS(task_end(&tasks[i]), ZX_ERR_IO);
    paged_close(&p);
}

/* Of a request that the range only touches, all fails. */
TEST(Pager, FailTouchesRequests)
{
    struct paged p = paged_new(11);
    struct task t = paged_committer(&p, 0, 2), u = paged_committer(&p, 9, 2),
                v = paged_committer(&p, 5, 2);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 2));
    task_start(&u);
    EXPECT_TRUE(paged_request(&p, 9, 2));
    task_start(&v);
    EXPECT_TRUE(paged_request(&p, 5, 2));
    EXPECT_OK(paged_fail(&p, 1, 9, ZX_ERR_IO));
    EXPECT_STATUS(task_end(&t), ZX_ERR_IO);
    EXPECT_STATUS(task_end(&u), ZX_ERR_IO);
    EXPECT_STATUS(task_end(&v), ZX_ERR_IO);
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}

/* Only the VMO that is named fails. */
TEST(Pager, FailOneVmo)
{
    struct paged p = paged_new(1), q = paged_new(1);
    struct task t = paged_reader(&p, 0, false), u = paged_reader(&q, 0, false);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    task_start(&u);
    EXPECT_TRUE(paged_request(&q, 0, 1));
    EXPECT_OK(paged_fail(&p, 0, 1, ZX_ERR_IO));
    EXPECT_STATUS(task_end(&t), ZX_ERR_IO);
    EXPECT_TRUE(task_blocks(&u));
    EXPECT_OK(paged_supply(&q, 0, 1));
    EXPECT_TRUE(paged_has_read(&u));
    paged_close(&p);
    paged_close(&q);
}

/* Failing is no state: who comes later asks again, and what nobody waits for cannot fail. */
TEST(Pager, SupplyAfterFail)
{
    struct paged p = paged_new(11);
    struct task t = paged_committer(&p, 0, 11);

    EXPECT_OK(paged_fail(&p, 0, 11, ZX_ERR_IO));
    for (int i = 0; i < 2; i++) {
        task_start(&t);
        EXPECT_TRUE(paged_request(&p, 0, 11));
        EXPECT_OK(paged_fail(&p, 0, 1, ZX_ERR_IO));
        EXPECT_OK(paged_fail(&p, 1, 10, ZX_ERR_IO));
        EXPECT_STATUS(task_end(&t), ZX_ERR_IO);
    }
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 11));
    EXPECT_OK(paged_supply(&p, 0, 11));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    paged_close(&p);
}

/* ---- Resizing ------------------------------------------------------------------------------ */

static void shrunk_while_reading(bool mapped)
{
    struct paged p = paged_new_resizable(1);
    struct task t = paged_reader(&p, 0, mapped);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(zx_vmo_set_size(p.vmo, 0));
    EXPECT_TRUE(paged_has_failed(&t, ZX_ERR_OUT_OF_RANGE));
    paged_close(&p);
}
TEST_BOTH(ShrunkWhileReading, shrunk_while_reading)

TEST(Pager, ShrunkWhileCommitting)
{
    struct paged p = paged_new_resizable(3);
    struct task t = paged_committer(&p, 0, 3);

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 3));
    EXPECT_OK(paged_supply(&p, 2, 1));
    EXPECT_OK(zx_vmo_set_size(p.vmo, PAGE));
    EXPECT_TRUE(task_blocks(&t)); /* the first page is still there to come */
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_STATUS(task_end(&t), ZX_OK);
    EXPECT_TRUE(paged_is_quiet(&p));
    paged_close(&p);
}

/* A page that came back by growing has to be asked for again. */
TEST(Pager, ShrunkAndGrown)
{
    struct paged p = paged_new_resizable(2);
    struct task t = paged_reader(&p, 1, false);

    EXPECT_OK(paged_supply(&p, 0, 2));
    EXPECT_OK(zx_vmo_set_size(p.vmo, PAGE));
    EXPECT_OK(zx_vmo_set_size(p.vmo, 2 * PAGE));
    EXPECT_EQ(word_at(p.vmo, 0), PAGED_WORD(0));
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_OK(paged_supply(&p, 1, 1));
    EXPECT_TRUE(paged_has_read(&t));
    paged_close(&p);
}

TEST(Pager, NotResizable)
{
    struct paged p = paged_new(1);

    EXPECT_STATUS(zx_vmo_set_size(p.vmo, 2 * PAGE), ZX_ERR_UNAVAILABLE);
    EXPECT_EQ(pages_of(p.vmo), 1);
    paged_close(&p);
}

static zx_status_t pins_second_page(struct task *task)
{
    zx_paddr_t address;
    zx_handle_t pmt;

    return zx_bti_pin((zx_handle_t)task->word, ZX_BTI_PERM_READ, task->vmo, PAGE, PAGE, &address, 1,
                      &pmt);
}

/* Pinning waits for pages, too, and can be overtaken. */
TEST(Pager, ShrunkWhilePinning)
{
    struct paged p = paged_new_resizable(2);
    zx_handle_t bti = new_bti();
    struct task t = {.run = pins_second_page, .vmo = p.vmo, .word = bti};

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 1, 1));
    EXPECT_OK(zx_vmo_set_size(p.vmo, 0));
    EXPECT_STATUS(task_end(&t), ZX_ERR_OUT_OF_RANGE);
    CLOSE(bti);
    paged_close(&p);
}

/* ---- Suspended and killed threads ---------------------------------------------------------- */

/* The request of a suspended thread is forgotten; it asks again when it goes on. */
static void suspended(struct paged *p, struct task *t)
{
    zx_handle_t token;

    task_start(t);
    EXPECT_TRUE(paged_request(p, 0, 1));
    EXPECT_TRUE(task_blocks(t));
    token = raw_suspend(&t->thread);
    EXPECT_TRUE(paged_is_quiet(p));
    raw_resume(&t->thread, token);
    EXPECT_TRUE(paged_request(p, 0, 1));
    EXPECT_TRUE(task_blocks(t));
    EXPECT_OK(paged_supply(p, 0, 1));
}

static void suspended_reader(bool mapped)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, mapped);

    suspended(&p, &t);
    EXPECT_TRUE(paged_has_read(&t));
    paged_close(&p);
}
TEST_BOTH(Suspended, suspended_reader)

TEST(Pager, SuspendedCommit)
{
    struct paged p = paged_new(1);
    struct task t = paged_committer(&p, 0, 1);

    suspended(&p, &t);
    EXPECT_STATUS(task_end(&t), ZX_OK);
    paged_close(&p);
}

/* Pages that come while it is suspended are there when it goes on. */
TEST(Pager, SuppliedWhileSuspended)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, true);
    zx_handle_t token;

    task_start(&t);
    EXPECT_TRUE(task_blocks(&t));
    token = raw_suspend(&t.thread);
    EXPECT_OK(paged_supply(&p, 0, 1));
    raw_resume(&t.thread, token);
    EXPECT_TRUE(paged_has_read(&t));
    EXPECT_TRUE(paged_is_quiet(&p)); /* nor is the first request told any more */
    paged_close(&p);
}

/* Another thread that waits keeps the request alive. */
TEST(Pager, SuspendedOneOfTwo)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, true), u = paged_reader(&p, 0, false);
    zx_handle_t token;

    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1));
    task_start(&u);
    EXPECT_TRUE(task_blocks(&u));
    token = raw_suspend(&t.thread);
    raw_resume(&t.thread, token);
    EXPECT_TRUE(task_blocks(&t));
    EXPECT_TRUE(paged_is_quiet(&p));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_has_read(&t));
    EXPECT_TRUE(paged_has_read(&u));
    paged_close(&p);
}

static CHILD void reads_its_argument(zx_handle_t channel, const struct child_calls *calls)
{
    (void)channel;
    calls->process_exit((int64_t) * (volatile uint64_t *)calls->argument);
}

/* A child process that reads the VMO's first page, wherever it could be mapped there. */
static struct child reading_child(const struct paged *p)
{
    struct prepared_child prepared = child_prepare(ZX_HANDLE_INVALID, reads_its_argument, 0);
    zx_vaddr_t at;

    ASSERT_OK(zx_vmar_map(prepared.child.root_vmar, ZX_VM_PERM_READ, 0, p->vmo, 0, PAGE, &at));
    child_set_argument(&prepared, at);
    child_run(&prepared);
    return prepared.child;
}

TEST(Pager, OtherProcess)
{
    struct paged p = paged_new(1);
    struct child child = reading_child(&p);

    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_EQ(child_wait(&child), PAGED_WORD(0));
    child_close(&child);
    paged_close(&p);
}

/* A process that is killed while a thread waits goes; its request is forgotten. */
TEST(Pager, KilledWhileWaiting)
{
    struct paged p = paged_new(1);
    struct task t = paged_reader(&p, 0, true);
    struct child child = reading_child(&p);

    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_TRUE(wait_until_blocked(child.thread, ZX_THREAD_STATE_BLOCKED_PAGER));
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    child_close(&child);
    task_start(&t);
    EXPECT_TRUE(paged_request(&p, 0, 1)); /* asked anew */
    EXPECT_OK(paged_supply(&p, 0, 1));
    EXPECT_TRUE(paged_has_read(&t));
    paged_close(&p);
}

/* Killed before the request was read: it is not told any more. */
TEST(Pager, KilledBeforeItIsHeard)
{
    struct paged p = paged_new(1);
    struct child child = reading_child(&p);

    EXPECT_TRUE(wait_until_blocked(child.thread, ZX_THREAD_STATE_BLOCKED_PAGER));
    EXPECT_OK(zx_task_kill(child.process));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_SYSCALL_KILL);
    EXPECT_TRUE(paged_is_quiet(&p));
    child_close(&child);
    paged_close(&p);
}

/* A process that faults because its page failed dies of the exception. */
TEST(Pager, FailureKills)
{
    struct paged p = paged_new(1);
    struct child child = reading_child(&p);

    EXPECT_TRUE(paged_request(&p, 0, 1));
    EXPECT_OK(paged_fail(&p, 0, 1, ZX_ERR_IO_DATA_INTEGRITY));
    EXPECT_EQ(child_wait(&child), ZX_TASK_RETCODE_EXCEPTION_KILL);
    child_close(&child);
    paged_close(&p);
}
